import type { Fleet } from "./fleet";

/** What an asset is doing, from its newest fix. */
export type Status = "moving" | "idle" | "stopped" | "stale" | "offline" | "no-fix";
export const STATUSES: readonly Status[] = [
  "moving",
  "idle",
  "stopped",
  "stale",
  "offline",
  "no-fix",
];

const MOVING_MMS = 1_000;
/** Below this a receiver at rest reports noise. */
const CREEPING_MMS = 300;
const STALE_INTERVALS = 3;
const OFFLINE_AFTER_MS = 24 * 3_600_000;
const OFFLINE_INTERVALS = 6;
const USUAL_INTERVAL_S = 300;

/** Silence is judged against the asset's own interval: a daily trailer is not stale at noon. */
export function status(
  fix: { at: number | null; speed_mms: number | null },
  expected_interval_s: number | null,
  now: number,
): Status {
  if (fix.at === null) return "no-fix";
  const interval = (expected_interval_s ?? USUAL_INTERVAL_S) * 1_000;
  const age = now - fix.at;
  if (age > Math.max(OFFLINE_AFTER_MS, interval * OFFLINE_INTERVALS)) return "offline";
  if (age > interval * STALE_INTERVALS) return "stale";
  const speed = fix.speed_mms ?? 0;
  if (speed >= MOVING_MMS) return "moving";
  return speed >= CREEPING_MMS ? "idle" : "stopped";
}

export function statusOf(
  fleet: Fleet,
  slot: number,
  expected_interval_s: number | null,
  now: number,
): Status {
  const fix = { at: fleet.time("fix_at", slot), speed_mms: fleet.int("speed_mms", slot) };
  return status(fix, expected_interval_s, now);
}
