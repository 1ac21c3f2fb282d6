import type { Severity } from "../wire/rest";
import { STATUSES, type Status } from "./status";

/** The design language of states: each has a colour, a shape and a word. */
export type Theme = "light" | "dark";
export type Picture = {
  light: string;
  dark: string;
  /** Path in a 24 × 24 box, pointing north where it has a direction. */
  path: string;
  is_hollow: boolean;
  /** A stroke inside the shape, in the map's opposite tone. */
  mark?: string;
};
export type Look = Picture & {
  word: string;
  /** The word where there is little room. */
  brief?: string;
  /** When an asset is said to be so. */
  meaning: string;
};

/** An asset that moves is drawn in one of two ways: an arrow would claim a course. */
export type LookName = Status | "moving-no-course";
export const LOOK_NAMES: readonly LookName[] = [...STATUSES, "moving-no-course"];

const ARROW = "M12 2.5 19.5 20.5 12 16.6 4.5 20.5Z";
const DIAMOND = "M12 3 21 12 12 21 3 12Z";
const CIRCLE = "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16Z";
const SQUARE =
  "M6.5 5h11A1.5 1.5 0 0 1 19 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 17.5v-11A1.5 1.5 0 0 1 6.5 5Z";

const MOVING = {
  word: "Moving",
  meaning: "Moves faster than at walking pace. A halt of less than three minutes is no rest.",
  light: "#005A9C",
  dark: "#56B4E9",
  is_hollow: false,
};
const SILENT = { light: "#5B6470", dark: "#8E99A5", path: CIRCLE, is_hollow: true };

export const LOOKS: Record<LookName, Look> = {
  moving: { ...MOVING, path: ARROW },
  "moving-no-course": { ...MOVING, path: DIAMOND },
  resting: {
    word: "Resting",
    meaning: "Reports that it stands, or was near one place for three minutes or longer.",
    light: "#46535F",
    dark: "#A9B4C0",
    path: SQUARE,
    is_hollow: false,
  },
  unknown: {
    word: "Motion unknown",
    brief: "Unknown",
    meaning: "Its device reports no speed, and its fixes do not say whether it moves.",
    light: "#8A5A00",
    dark: "#F0B84A",
    path: CIRCLE,
    is_hollow: false,
    mark: "M9.5 9.9a2.5 2.5 0 1 1 3.7 2.2c-.8.5-1.2.9-1.2 1.7M12 16.6v.1",
  },
  stale: {
    ...SILENT,
    word: "Stale",
    meaning: "No fix for 3 of its intervals.",
  },
  offline: {
    ...SILENT,
    word: "Offline",
    meaning: "No fix for 24 h, or for 6 of its intervals if that is longer.",
    mark: "M8.5 8.5l7 7M15.5 8.5l-7 7",
  },
  "no-fix": {
    ...SILENT,
    word: "No fix",
    meaning: "Never had a fix.",
    mark: "M12 8v4.5M12 15.6v.1",
  },
};

export function lookName(status: Status, course_deg: number | null): LookName {
  return status === "moving" && course_deg === null ? "moving-no-course" : status;
}

/** How far a shape is turned from north. */
export function turn_deg(status: Status, course_deg: number | null): number {
  return status === "moving" ? (course_deg ?? 0) : 0;
}

export const ALERTING = { word: "Alerting", light: "#B3261E", dark: "#FF8A7A" };

export const SEVERITIES: Record<Severity, { word: string; light: string; dark: string }> = {
  critical: { word: "Critical", light: "#B3261E", dark: "#FF8A7A" },
  warning: { word: "Warning", light: "#8A5A00", dark: "#F0B84A" },
  info: { word: "Info", light: "#005A9C", dark: "#56B4E9" },
};

export const GEOFENCE_COLOURS = ["#0F766E", "#6D28D9", "#B45309", "#BE185D", "#1D4ED8", "#4D7C0F"];
