import type { LonLat } from "../wire/rest";
import { distance_m } from "./geometry";

const SHORTEST_MS = 250;
const LONGEST_MS = 15_000;
const GAP_TOO_LONG_MS = 5 * 60_000;
const ABSURD_MPS = 120;

export type Glide = { from: LonLat; to: LonLat; started: number; duration_ms: number };

/** The newest fix of an asset, and how it gets there. */
export type Course = { readonly id: number; at: LonLat; fix_at: number; glide: Glide | null };

/**
 * Where to draw each asset now: on the straight line from its previous fix to
 * its newest, one reporting interval late. Never ahead of a fix, so never a guess.
 */
export class Motion {
  private readonly courses = new Map<number, Course>();
  private readonly gliding = new Set<Course>();
  isOn = true;

  /** Takes a new fix. An absurd speed or a long gap is a jump, not a journey. */
  moved(id: number, to: LonLat, fix_at: number, now: number): Course {
    const known = this.courses.get(id);
    if (!known) {
      const course: Course = { id, at: to, fix_at, glide: null };
      this.courses.set(id, course);
      return course;
    }
    known.glide = this.isOn ? glideTo(known, to, fix_at, now) : null;
    if (known.glide) this.gliding.add(known);
    else this.gliding.delete(known);
    known.at = to;
    known.fix_at = fix_at;
    return known;
  }

  forget(id: number): void {
    const course = this.courses.get(id);
    if (!course) return;
    this.courses.delete(id);
    this.gliding.delete(course);
  }

  at(id: number, now: number): LonLat | null {
    const course = this.courses.get(id);
    return course ? placeOf(course, now) : null;
  }

  /** Ids under way; those that have arrived are named one last time. */
  underWay(now: number): number[] {
    const ids = Array.from(this.gliding, ({ id }) => id);
    this.arrive(now);
    return ids;
  }

  /** Ends the glides of those that have arrived. */
  arrive(now: number): void {
    for (const course of this.gliding) {
      if (course.glide && now < course.glide.started + course.glide.duration_ms) continue;
      course.glide = null;
      this.gliding.delete(course);
    }
  }

  get isStill(): boolean {
    return this.gliding.size === 0;
  }
}

export function placeOf({ at, glide }: Course, now: number): LonLat {
  if (!glide) return at;
  const part = Math.min(1, Math.max(0, (now - glide.started) / glide.duration_ms));
  return [
    glide.from[0] + (glide.to[0] - glide.from[0]) * part,
    glide.from[1] + (glide.to[1] - glide.from[1]) * part,
  ];
}

function glideTo(course: Course, to: LonLat, fix_at: number, now: number): Glide | null {
  const gap = fix_at - course.fix_at;
  if (gap <= 0 || gap > GAP_TOO_LONG_MS) return null;
  if (course.at[0] === to[0] && course.at[1] === to[1]) return null;
  if (distance_m(course.at, to) / (gap / 1000) > ABSURD_MPS) return null;
  const duration_ms = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, gap));
  return { from: placeOf(course, now), to, started: now, duration_ms };
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
