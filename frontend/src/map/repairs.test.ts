import { expect, test } from "vitest";
import { Repairs } from "./repairs";

const SECOND = 1_000;

function attempts(repairs: Repairs, from_s: number, until_s: number, fails: boolean): number[] {
  const found: number[] = [];
  for (let now_s = from_s; now_s < until_s; now_s++) {
    if (!repairs.isDue(now_s * SECOND)) continue;
    found.push(now_s);
    repairs.isNeeded = fails;
  }
  return found;
}

test("what did not arrive is loaded again at once, and once", () => {
  const repairs = new Repairs();

  const before = attempts(repairs, 100, 110, false);
  repairs.isNeeded = true;

  expect(before).toEqual([]);
  expect(attempts(repairs, 110, 200, false)).toEqual([110]);
});

test("what never arrives is asked for ever more seldom", () => {
  const repairs = new Repairs();
  repairs.isNeeded = true;

  expect(attempts(repairs, 0, 40, true)).toEqual([0, 2, 6, 14, 30]);
});

test("after a time without failures the next one is repaired soon again", () => {
  const repairs = new Repairs();
  repairs.isNeeded = true;
  attempts(repairs, 0, 20, true);
  attempts(repairs, 20, 100, false);

  repairs.isNeeded = true;

  expect(attempts(repairs, 100, 110, true)).toEqual([100, 102, 106]);
});
