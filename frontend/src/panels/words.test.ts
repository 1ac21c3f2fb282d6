import { describe, expect, it } from "vitest";
import type { Entry } from "../fleet/roster";
import {
  course,
  isolated,
  reading,
  span,
  speed,
  speedTitle,
  speedWord,
  stateWords,
  whenEach,
} from "./words";

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

  it("keeps a name from turning the sentence around it", () => {
    expect(isolated("van")).toBe("van");
    expect(isolated("a\u202eb")).toBe("ab");
    expect(isolated("מחסן")).toBe("\u2068מחסן\u2069");
    expect(isolated("\u2069مستودع")).toBe("\u2068مستودع\u2069");
  });

  it("says speed as people do", () => expect(speed(15_000)).toBe("54 km/h"));

  it("marks a speed that nobody reported, and says where it is from", () => {
    const estimated = { mms: 11_667, is_estimated: true };
    const reported = { mms: 11_667, is_estimated: false };
    expect([speedWord(estimated), speedWord(reported)]).toEqual(["≈ 42 km/h", "42 km/h"]);
    expect(speedTitle(estimated)).toContain("from the last two fixes");
    expect(speedTitle(reported)).toBeUndefined();
  });

  it("says since when an asset moves or rests, with the date where that was not today", () => {
    const now = Date.parse("2026-03-05T16:00:00");
    const entry = (status: Entry["status"], since: string | null) =>
      ({ status, motion_since: since === null ? null : Date.parse(since) }) as Entry;
    expect(stateWords(entry("resting", "2026-03-05T14:20:00"), now)).toMatch(
      /^Resting since (0?2|14):20/,
    );
    expect(stateWords(entry("moving", "2026-03-03T14:20:00"), now)).toMatch(
      /^Moving since .*3.*, /,
    );
    expect(stateWords(entry("moving", null), now)).toBe("Moving");
    expect(stateWords(entry("unknown", null), now)).toBe("Motion unknown");
    expect(stateWords(entry("stale", "2026-03-05T14:20:00"), now)).toBe("Stale");
  });

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
