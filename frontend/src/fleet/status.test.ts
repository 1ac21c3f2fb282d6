import { describe, expect, it } from "vitest";
import type { LiveRow } from "../wire/live_columns";
import { LagMeter } from "./clock";
import { columnsOf } from "./columns";
import { Fleet } from "./fleet";
import { LOOK_NAMES, LOOKS, lookName, turn_deg } from "./look";
import { counts, matching, Roster } from "./roster";
import { speedOf } from "./speed";
import { status } from "./status";

const NOW = 1_732_300_000_000;
const fix = (age_s: number, motion: "moving" | "resting" | null = "resting") => ({
  at: NOW - age_s * 1000,
  motion,
});

describe("status", () => {
  it.each([
    ["moving", fix(10, "moving"), 60],
    ["resting", fix(10, "resting"), 60],
    ["unknown", fix(10, null), 60],
    ["resting", fix(180, "resting"), 60],
    ["stale", fix(181, "moving"), 60],
    ["stale", fix(181, null), 60],
    ["stale", fix(23 * 3600), 60],
    ["offline", fix(25 * 3600), 60],
    ["no-fix", { at: null, motion: null }, 60],
  ] as const)("is %s", (expected, at, interval) => {
    expect(status(at, interval, NOW)).toBe(expected);
  });

  it("is judged against the asset's own interval", () => {
    const yesterday = fix(26 * 3600);
    expect(status(yesterday, 60, NOW)).toBe("offline");
    expect(status(yesterday, 24 * 3600, NOW)).toBe("resting");
    expect(status(fix(100 * 3600), 24 * 3600, NOW)).toBe("stale");
  });
});

const at = (lon_deg: number) =>
  columnsOf([{ id: 1, lon_e7: lon_deg * 1e7, lat_e7: 0, fix_at: NOW, motion: "moving" }]);

describe("speed", () => {
  const speed = (row: Partial<LiveRow>) => {
    const fleet = new Fleet();
    fleet.upsert(columnsOf([{ id: 1, fix_at: NOW, ...row }]));
    return speedOf(fleet, fleet.slot(1) ?? -1);
  };

  it("is the reported one, also at a halt that is no rest", () => {
    expect(speed({ motion: "moving", speed_mms: 0 })).toEqual({ mms: 0, is_estimated: false });
  });

  it("is an estimate where a moving asset reports none", () => {
    const estimated = speed({ motion: "moving", estimated_speed_mms: 22_222 });
    expect(estimated).toEqual({ mms: 22_222, is_estimated: true });
  });

  it("is not said of what rests, or may rest, without a report", () => {
    expect(speed({ motion: "resting", estimated_speed_mms: 0 })).toBeNull();
    expect(speed({ motion: "moving" })).toBeNull();
    expect(speed({})).toBeNull();
  });
});

describe("looks", () => {
  it("do not point anywhere without a course", () => {
    expect(lookName("moving", 0)).toBe("moving");
    expect(lookName("moving", null)).toBe("moving-no-course");
    expect(turn_deg("moving", 90)).toBe(90);
    expect(turn_deg("resting", 90)).toBe(0);
  });

  it("differ by shape alone, for those who see no colours", () => {
    const shapes = LOOK_NAMES.map((name) => {
      const { path, mark, is_hollow } = LOOKS[name];
      return [path, mark, is_hollow].join();
    });
    expect(new Set(shapes).size).toBe(LOOK_NAMES.length);
  });
});

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
