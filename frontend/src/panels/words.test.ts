import { describe, expect, it } from "vitest";
import { reading, span, speed } from "./words";

describe("words", () => {
  it.each([
    [0, "0 s"],
    [59, "59 s"],
    [60, "1 min"],
    [7_199, "1 h"],
    [86_400 * 3, "3 d"],
  ])("says %i seconds as %s", (seconds, said) => expect(span(seconds)).toBe(said));

  it("says speed as people do", () => expect(speed(15_000)).toBe("54 km/h"));

  it("names readings with their unit and channel", () => {
    expect(reading("air.temperature", 4.13)).toEqual({ name: "Temperature", value: "4.1 °C" });
    expect(reading("air.temperature.2", 5)).toEqual({ name: "Temperature 2", value: "5 °C" });
    expect(reading("leak", false)).toEqual({ name: "Leak", value: "no" });
    expect(reading("custom.fill_level", 7)).toEqual({ name: "Fill level", value: "7" });
  });
});
