import { describe, expect, it } from "vitest";
import { boxOf, circleRing, distance_m } from "./geometry";
import { graticule } from "./graticule";
import { Motion, redrawEvery_ms } from "./motion";

describe("motion", () => {
  it("glides from the previous fix to the newest and stops there", () => {
    const motion = new Motion();
    motion.moved(1, [24, 60], 10_000, 0);
    motion.moved(1, [24.001, 60], 20_000, 1_000);
    expect(motion.at(1, 1_000)).toEqual([24, 60]);
    expect(motion.at(1, 6_000)?.[0]).toBeCloseTo(24.0005, 7);
    expect(motion.at(1, 60_000)).toEqual([24.001, 60]);
  });

  it("goes on from where it is drawn when the next fix comes early", () => {
    const motion = new Motion();
    motion.moved(1, [24, 60], 10_000, 0);
    motion.moved(1, [24.001, 60], 20_000, 0);
    motion.moved(1, [24.002, 60], 30_000, 5_000);
    expect(motion.at(1, 5_000)?.[0]).toBeCloseTo(24.0005, 7);
  });

  it.each([
    ["a long gap", [24.001, 60], 10_000 + 301_000],
    ["an absurd speed", [25, 60], 11_000],
    ["an older fix", [24.001, 60], 9_000],
  ] as const)("jumps over %s", (_, to, fix_at) => {
    const motion = new Motion();
    motion.moved(1, [24, 60], 10_000, 0);
    motion.moved(1, [to[0], to[1]], fix_at, 1_000);
    expect(motion.at(1, 1_000)).toEqual([...to]);
    expect(motion.isStill).toBe(true);
  });

  it("does not glide when motion is off", () => {
    const motion = new Motion();
    motion.isOn = false;
    motion.moved(1, [24, 60], 10_000, 0);
    motion.moved(1, [24.001, 60], 20_000, 0);
    expect(motion.at(1, 0)).toEqual([24.001, 60]);
  });

  it("names the arrived once more, then rests", () => {
    const motion = new Motion();
    motion.moved(1, [24, 60], 10_000, 0);
    motion.moved(1, [24.001, 60], 20_000, 0);
    expect(motion.underWay(10_000)).toEqual([1]);
    expect(motion.underWay(10_001)).toEqual([]);
  });

  it("draws seldom when zoomed out", () => {
    expect([2_000, 10, 0.5].map(redrawEvery_ms)).toEqual([1_000, 80, 33]);
  });
});

describe("geometry", () => {
  it("keeps every corner of a circle at its radius", () => {
    for (const corner of circleRing([24.9, 60.2], 500)) {
      expect(distance_m([24.9, 60.2], corner)).toBeCloseTo(500, 3);
    }
  });

  it("has no box of nothing", () => {
    expect(boxOf([])).toBeNull();
    expect(
      boxOf([
        [1, 2],
        [3, -4],
      ]),
    ).toEqual({ west: 1, south: -4, east: 3, north: 2 });
  });

  it("draws a grid only where it is fine enough to help", () => {
    expect(graticule({ west: -180, south: -80, east: 180, north: 80 }).features).toEqual([]);
    expect(
      graticule({ west: 24.9, south: 60.1, east: 24.95, north: 60.15 }).features.length,
    ).toBeGreaterThan(8);
  });
});
