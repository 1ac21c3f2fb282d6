import type { Fleet } from "./fleet";

/** How fast an asset moves; `is_estimated` where the server worked it out from two fixes. */
export type Speed = { mms: number; is_estimated: boolean };

/** The speed that the device reports; where it reports none, the estimate of one that moves. */
export function speedOf(fleet: Fleet, slot: number): Speed | null {
  const reported = fleet.int("speed_mms", slot);
  if (reported !== null) return { mms: reported, is_estimated: false };
  const estimated = fleet.int("estimated_speed_mms", slot);
  const isMoving = fleet.choice("motion", slot) === "moving";
  return isMoving && estimated !== null ? { mms: estimated, is_estimated: true } : null;
}
