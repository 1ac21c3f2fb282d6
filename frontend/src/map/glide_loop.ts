type Options = {
  isStill(): boolean;
  /** Nobody looks: the next refresh starts the loop again. */
  isUnseen(): boolean;
  /** How often the eye can tell a difference at this scale. */
  every_ms(): number;
  draw(now: number): void;
};

/** Redraws only while something glides, and only as often as can be seen. */
export class GlideLoop {
  private readonly options: Options;
  private frame = 0;
  private drawn_at = 0;

  constructor(options: Options) {
    this.options = options;
  }

  start(): void {
    if (this.frame !== 0 || this.options.isStill() || this.options.isUnseen()) return;
    this.frame = requestAnimationFrame(() => this.step());
  }

  private step(): void {
    this.frame = 0;
    const now = Date.now();
    if (now - this.drawn_at >= this.options.every_ms()) {
      this.drawn_at = now;
      this.options.draw(now);
    }
    this.start();
  }
}
