import { describe, expect, it } from "vitest";
import type { Crossing } from "../../wire/rest";
import { withCrossing } from "./queries";

const crossing = (id: number, at: string, correction: Crossing["correction"] = null): Crossing => ({
  id,
  asset: 1,
  asset_name: "Van",
  geofence: 1,
  geofence_name: "Depot",
  kind: "enter",
  at,
  not_before: null,
  not_after: null,
  estimate: null,
  inferred: false,
  is_late: false,
  correction,
  recorded_at: null,
});

describe("crossings", () => {
  const noon = crossing(1, "2026-01-01T12:00:00Z");
  const one = crossing(2, "2026-01-01T13:00:00Z");

  it("are newest first, also when a late one arrives", () => {
    expect(withCrossing([one], noon)).toEqual([one, noon]);
  });

  it("are replaced by their correction", () => {
    const moved = crossing(2, "2026-01-01T11:00:00Z", "moved");
    expect(withCrossing([one, noon], moved)).toEqual([noon, moved]);
  });
});
