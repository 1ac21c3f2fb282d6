/** How far the page is behind the world, said honestly. */
export type Link = "connecting" | "live" | "reconnecting" | "offline";

const SMOOTHING = 0.2;
const OFFSET_FORGETS_MS = 0.05;

/**
 * Lag is the time from "the server received it" to "it is here": the part on
 * the server's clock, plus how much later than the quickest frame this one came.
 * A difference between the two clocks therefore does not count.
 */
export class LagMeter {
  private quickest_ms = Number.POSITIVE_INFINITY;
  private smooth_ms: number | null = null;
  private last_frame_at: number | null = null;

  frame(server_time: number, newest_received_at: number | null, now: number): void {
    const offset = now - server_time;
    this.quickest_ms = Math.min(this.quickest_ms + OFFSET_FORGETS_MS, offset);
    this.last_frame_at = now;
    if (newest_received_at === null) return;
    const lag = Math.max(0, server_time - newest_received_at) + (offset - this.quickest_ms);
    this.smooth_ms =
      this.smooth_ms === null ? lag : this.smooth_ms + SMOOTHING * (lag - this.smooth_ms);
  }

  /** Milliseconds behind, null until something moved. */
  get behind_ms(): number | null {
    return this.smooth_ms;
  }

  /** Milliseconds since the server was last heard. */
  silence_ms(now: number): number | null {
    return this.last_frame_at === null ? null : Math.max(0, now - this.last_frame_at);
  }

  /** The server's time, by its own clock as seen here. */
  serverNow(now: number): number {
    return Number.isFinite(this.quickest_ms) ? now - this.quickest_ms : now;
  }
}
