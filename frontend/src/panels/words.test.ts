import { describe, expect, it } from "vitest";
import { course, reading, span, speed, whenEach } from "./words";

describe("words", () => {
  it.each([
    [0, "0 s"],
    [59, "59 s"],
    [60, "1 min"],
    [7_199, "1 h"],
    [86_400 * 3, "3 d"],
  ])("says %i seconds as %s", (seconds, said) => expect(span(seconds)).toBe(said));

  it("says north as 0°, never as 360°", () => {
    expect([0, 359.6, 360].map(course)).toEqual(["N 0°", "N 0°", "N 0°"]);
  });

  it("says speed as people do", () => expect(speed(15_000)).toBe("54 km/h"));

  it("tells two times apart by the second where the minute is the same", () => {
    const now = Date.parse("2026-03-01T12:00:00Z");
    const [apart, before] = whenEach("2026-03-01T10:19:58Z", "2026-03-01T10:19:03Z", now);

    expect(apart).not.toBe(before);
    expect([apart, before].map((said) => said.match(/:19:(58|03)/)?.[1])).toEqual(["58", "03"]);
    const minutes = whenEach("2026-03-01T10:19:58Z", "2026-03-01T10:23:03Z", now);
    expect(minutes.some((said) => /:\d\d:/.test(said))).toBe(false);
  });

  it("names readings with their unit and channel", () => {
    expect(reading("air.temperature", 4.13)).toEqual({ name: "Temperature", value: "4.1 °C" });
    expect(reading("air.temperature.2", 5)).toEqual({ name: "Temperature 2", value: "5 °C" });
    expect(reading("leak", false)).toEqual({ name: "Leak", value: "no" });
    expect(reading("custom.fill_level", 7)).toEqual({ name: "Fill level", value: "7" });
  });
});
