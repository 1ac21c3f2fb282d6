import { describe, expect, it } from "vitest";
import { LagMeter } from "./clock";
import { columnsOf } from "./columns";
import { Fleet } from "./fleet";
import { counts, matching, Roster } from "./roster";
import { status } from "./status";

const NOW = 1_732_300_000_000;
const fix = (age_s: number, speed_mms: number | null = 0) => ({
  at: NOW - age_s * 1000,
  speed_mms,
});

describe("status", () => {
  it.each([
    ["moving", fix(10, 15_000), 60],
    ["moving", fix(10, 1_000), 60],
    ["idle", fix(10, 500), 60],
    ["stopped", fix(10, 0), 60],
    ["stopped", fix(10, null), 60],
    ["stopped", fix(180, 0), 60],
    ["stale", fix(181, 15_000), 60],
    ["stale", fix(23 * 3600), 60],
    ["offline", fix(25 * 3600), 60],
    ["no-fix", { at: null, speed_mms: 5_000 }, 60],
  ] as const)("is %s", (expected, at, interval) => {
    expect(status(at, interval, NOW)).toBe(expected);
  });

  it("is judged against the asset's own interval", () => {
    const yesterday = fix(26 * 3600);
    expect(status(yesterday, 60, NOW)).toBe("offline");
    expect(status(yesterday, 24 * 3600, NOW)).toBe("stopped");
    expect(status(fix(100 * 3600), 24 * 3600, NOW)).toBe("stale");
  });
});

const at = (lon_deg: number) =>
  columnsOf([{ id: 1, lon_e7: lon_deg * 1e7, lat_e7: 0, fix_at: NOW, speed_mms: 9_000 }]);

describe("roster", () => {
  const asset = (id: number, name: string) => ({
    id,
    organisation: 1,
    name,
    kind: "van",
    tags: ["cold"],
    expected_interval_s: 60,
  });

  it("joins names with live rows, also where one side is missing", () => {
    const [fleet, roster] = [new Fleet(), new Roster()];
    roster.set([asset(2, "Van 10"), asset(1, "Van 2")]);
    roster.setAlerting(new Set([2]));
    fleet.upsert(at(24));
    const entries = roster.entries(fleet, NOW);
    expect(entries.map(({ name, status }) => [name, status])).toEqual([
      ["Van 2", "moving"],
      ["Van 10", "no-fix"],
    ]);
    expect(counts(entries)).toMatchObject({ all: 2, moving: 1, "no-fix": 1, alerting: 1 });
  });

  it("filters by words, state and view, over the date line too", () => {
    const [fleet, roster] = [new Fleet(), new Roster()];
    roster.set([asset(1, "Van 2")]);
    fleet.upsert(at(-179));
    const entries = roster.entries(fleet, NOW);
    const none = { text: "", states: new Set<never>(), within: null };
    const view = { west: 170, south: -10, east: 190, north: 10 };
    expect(matching(entries, { ...none, text: "COLD van" })).toHaveLength(1);
    expect(matching(entries, { ...none, text: "truck" })).toHaveLength(0);
    expect(matching(entries, { ...none, states: new Set(["stale" as const]) })).toHaveLength(0);
    expect(matching(entries, { ...none, within: view })).toHaveLength(1);
    expect(matching(entries, { ...none, within: { ...view, east: 175 } })).toHaveLength(0);
  });
});

describe("lag", () => {
  it("does not count the difference between the clocks", () => {
    const meter = new LagMeter();
    for (let second = 0; second < 50; second++) {
      const server = NOW + second * 1000;
      meter.frame(server, server - 300, server + 3_600_000);
    }
    expect(meter.behind_ms).toBeCloseTo(300, -1);
    expect(meter.silence_ms(NOW + 49_000 + 3_612_000)).toBe(12_000);
    expect(meter.serverNow(NOW + 3_600_000)).toBeCloseTo(NOW, -1);
  });
});
