import type { LonLat } from "../wire/rest";

/** The side of the Web Mercator square in steps: one is less than a centimetre on the ground. */
export const STEPS = 2 ** 32;
const HIGHEST_LAT_DEG = 85.051_128_779_806_59;

/**
 * A place as steps from the north-west corner of the world. Whole numbers of 32 bits, since
 * their differences are exact at every scale, and wrap around at the date line by themselves.
 */
export function stepsOf([lon_deg, lat_deg]: LonLat): [x: number, y: number] {
  const lat = Math.min(HIGHEST_LAT_DEG, Math.max(-HIGHEST_LAT_DEG, lat_deg));
  const across = lon_deg / 360 + 0.5;
  const down = 0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI);
  const bottom = STEPS - 1;
  return [
    Math.round(across * STEPS) >>> 0,
    Math.min(bottom, Math.max(0, Math.round(down * STEPS))),
  ];
}

/** The shortest way from one step to another on the same axis, around the world if need be. */
export function stepsBetween(from: number, to: number): number {
  return (to - from) | 0;
}

export function lonlatOf(x: number, y: number): LonLat {
  const lat = Math.atan(Math.sinh((0.5 - y / STEPS) * 2 * Math.PI));
  return [(x / STEPS - 0.5) * 360, (lat * 180) / Math.PI];
}
