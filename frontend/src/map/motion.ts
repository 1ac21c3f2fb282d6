import type { LonLat } from "../wire/rest";
import { distance_m } from "./geometry";

const SHORTEST_MS = 250;
const LONGEST_MS = 15_000;
const GAP_TOO_LONG_MS = 5 * 60_000;
const ABSURD_MPS = 120;

type Glide = { from: LonLat; to: LonLat; started: number; duration_ms: number };

/**
 * Where to draw each asset now: on the straight line from its previous fix to
 * its newest, one reporting interval late. Never ahead of a fix, so never a guess.
 */
export class Motion {
  private readonly resting = new Map<number, { at: LonLat; fix_at: number }>();
  private readonly glides = new Map<number, Glide>();
  isOn = true;

  /** Takes a new fix. An absurd speed or a long gap is a jump, not a journey. */
  moved(id: number, to: LonLat, fix_at: number, now: number): void {
    const last = this.resting.get(id);
    const from = this.at(id, now);
    this.resting.set(id, { at: to, fix_at });
    this.glides.delete(id);
    if (!this.isOn || !last || !from || fix_at <= last.fix_at) return;
    const gap = fix_at - last.fix_at;
    const metres = distance_m(last.at, to);
    if (metres === 0 || gap > GAP_TOO_LONG_MS || metres / (gap / 1000) > ABSURD_MPS) return;
    const duration_ms = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, gap));
    this.glides.set(id, { from, to, started: now, duration_ms });
  }

  forget(id: number): void {
    this.resting.delete(id);
    this.glides.delete(id);
  }

  at(id: number, now: number): LonLat | null {
    const glide = this.glides.get(id);
    if (!glide) return this.resting.get(id)?.at ?? null;
    const part = Math.min(1, Math.max(0, (now - glide.started) / glide.duration_ms));
    return [
      glide.from[0] + (glide.to[0] - glide.from[0]) * part,
      glide.from[1] + (glide.to[1] - glide.from[1]) * part,
    ];
  }

  /** Ids under way; those that have arrived are named one last time. */
  underWay(now: number): number[] {
    const ids = [...this.glides.keys()];
    for (const [id, glide] of this.glides) {
      if (now >= glide.started + glide.duration_ms) this.glides.delete(id);
    }
    return ids;
  }

  get isStill(): boolean {
    return this.glides.size === 0;
  }
}

/**
 * Milliseconds between redraws that a fast vehicle needs at this scale: once a
 * second where it moves less than a pixel, every frame where it crosses the screen.
 */
export function redrawEvery_ms(metres_per_pixel: number): number {
  const pixels_per_s = 25 / metres_per_pixel;
  if (pixels_per_s < 1) return 1_000;
  return pixels_per_s < 10 ? 80 : 33;
}
