import { describe, expect, it } from "vitest";
import { filterSearch } from "./filters";

describe("filters in the address", () => {
  it("keep what they know and leave out the rest", () => {
    expect(filterSearch({ find: 7, states: "moving.flying.alerting", in_view: 1, x: 2 })).toEqual({
      find: "7",
      states: "moving.alerting",
      in_view: 1,
    });
    expect(filterSearch({ find: "", states: "none", in_view: 0 })).toEqual({});
  });
});
