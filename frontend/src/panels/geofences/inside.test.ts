import { expect, test } from "vitest";
import type { Rejudging } from "../../wire/rest";
import { progress } from "./inside";

const rejudging = (assets_done: number, assets_total: number | null): Rejudging => ({
  id: 1,
  assets_done,
  assets_total,
});

test("work that has not counted its assets is about to begin", () => {
  expect(progress([rejudging(0, null)])).toBe("about to begin");
});

test("several changes are told as one piece of work", () => {
  expect(progress([rejudging(3, 10), rejudging(1, 2), rejudging(0, null)])).toBe("4 of 12 assets");
});

test("a single asset is not told in the plural", () => {
  expect(progress([rejudging(0, 1)])).toBe("0 of 1 asset");
});
