const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 300_000;

/** When to load again what did not arrive: soon, and ever more seldom what never does. */
export class Repairs {
  isNeeded = false;
  private pause_ms = FIRST_PAUSE_MS;
  private due_at = 0;

  /** Whether to repair now; then it counts as done until something fails again. */
  isDue(now: number): boolean {
    if (now < this.due_at) return false;
    if (!this.isNeeded) {
      this.pause_ms = FIRST_PAUSE_MS;
      return false;
    }
    this.isNeeded = false;
    this.due_at = now + this.pause_ms;
    this.pause_ms = Math.min(LONGEST_PAUSE_MS, this.pause_ms * 2);
    return true;
  }
}
