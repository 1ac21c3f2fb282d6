import type { Named } from "../wire/live_columns";
import type { Fleet } from "./fleet";

/** What an asset is doing, as of its newest fix. `unknown`: nobody can say whether it moves. */
export type Status = "moving" | "resting" | "unknown" | "stale" | "offline" | "no-fix";
export const STATUSES: readonly Status[] = [
  "moving",
  "resting",
  "unknown",
  "stale",
  "offline",
  "no-fix",
];

const STALE_INTERVALS = 3;
const OFFLINE_AFTER_MS = 24 * 3_600_000;
const OFFLINE_INTERVALS = 6;
const USUAL_INTERVAL_S = 300;

type Fix = { at: number | null; motion: Named<"motion"> | null };

/**
 * Whether it moves is the server's verdict, which knows the fixes before this one. Silence is
 * judged against the asset's own interval: a daily trailer is not stale at noon.
 */
export function status(fix: Fix, expected_interval_s: number | null, now: number): Status {
  if (fix.at === null) return "no-fix";
  const interval = (expected_interval_s ?? USUAL_INTERVAL_S) * 1_000;
  const age = now - fix.at;
  if (age > Math.max(OFFLINE_AFTER_MS, interval * OFFLINE_INTERVALS)) return "offline";
  if (age > interval * STALE_INTERVALS) return "stale";
  return fix.motion ?? "unknown";
}

export function statusOf(
  fleet: Fleet,
  slot: number,
  expected_interval_s: number | null,
  now: number,
): Status {
  const fix = { at: fleet.time("fix_at", slot), motion: fleet.choice("motion", slot) };
  return status(fix, expected_interval_s, now);
}
