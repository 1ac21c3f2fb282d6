/** Tells listeners that something changed, at most a few times a second. */
export class Pulse {
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private last = 0;
  /** Counts the beats, for useSyncExternalStore. */
  beat = 0;
  private readonly every_ms: number;

  constructor(every_ms = 250) {
    this.every_ms = every_ms;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Beats at once, for what is rare and waited for, such as an asset never seen before. */
  hurry(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fire(), 0);
  }

  ring(): void {
    if (this.timer !== null) return;
    const wait = Math.max(0, this.last + this.every_ms - Date.now());
    this.timer = setTimeout(() => this.fire(), wait);
  }

  private fire(): void {
    this.timer = null;
    this.last = Date.now();
    this.beat += 1;
    for (const listener of this.listeners) listener();
  }
}
