import { describe, expect, it } from "vitest";
import type { Shape } from "../../wire/rest";
import { draftOf, EMPTY_SHAPE, parsed } from "./shapes";

const shapes: Shape[] = [
  {
    type: "polygon",
    coordinates: [
      [
        [24, 60],
        [25, 60],
        [25, 61],
        [24, 60],
      ],
    ],
  },
  { type: "circle", center: [24.94, 60.17], radius_m: 350 },
  {
    type: "corridor",
    coordinates: [
      [24, 60],
      [25, 61],
    ],
    width_m: 80,
  },
];

describe("numbers of a shape", () => {
  it.each(shapes)("say the same shape again: $type", (shape) => {
    const draft = draftOf(shape);
    expect(draft && parsed(draft)).toEqual({ shape });
  });

  it("refuse to flatten a hole", () => {
    const ring: [number, number][] = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 0],
    ];
    expect(draftOf({ type: "polygon", coordinates: [ring, ring] })).toBeNull();
  });

  it.each([
    [{ corners: "24, 60\n25, 60" }, "three corners"],
    [{ corners: "24, 60\nhere" }, "Line 2"],
    [{ corners: "24, 95" }, "Line 1"],
    [{ kind: "circle" as const }, "centre"],
    [{ kind: "circle" as const, lon: "24", lat: "60", radius_m: "0" }, "radius"],
    [{ kind: "corridor" as const, corners: "24, 60" }, "two points"],
  ])("say what is missing in %o", (part, words) => {
    expect(parsed({ ...EMPTY_SHAPE, ...part })).toHaveProperty(
      "error",
      expect.stringContaining(words),
    );
  });
});
