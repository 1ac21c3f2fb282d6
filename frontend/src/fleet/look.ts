import type { Severity } from "../wire/rest";
import type { Status } from "./status";

/** The design language of states: each has a colour, a shape and a word. */
export type Theme = "light" | "dark";
export type Look = {
  word: string;
  light: string;
  dark: string;
  /** Path in a 24 × 24 box, pointing north where it has a direction. */
  path: string;
  is_hollow: boolean;
  /** A stroke inside the shape, in the map's opposite tone. */
  mark?: string;
};

const ARROW = "M12 2.5 19.5 20.5 12 16.6 4.5 20.5Z";
const CIRCLE = "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16Z";
const SQUARE =
  "M6.5 5h11A1.5 1.5 0 0 1 19 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 17.5v-11A1.5 1.5 0 0 1 6.5 5Z";

export const LOOKS: Record<Status, Look> = {
  moving: { word: "Moving", light: "#005A9C", dark: "#56B4E9", path: ARROW, is_hollow: false },
  idle: {
    word: "Idle",
    light: "#8A5A00",
    dark: "#F0B84A",
    path: CIRCLE,
    is_hollow: false,
    mark: "M8 12h8",
  },
  stopped: { word: "Stopped", light: "#46535F", dark: "#A9B4C0", path: SQUARE, is_hollow: false },
  stale: { word: "Stale", light: "#5B6470", dark: "#8E99A5", path: CIRCLE, is_hollow: true },
  offline: {
    word: "Offline",
    light: "#5B6470",
    dark: "#8E99A5",
    path: CIRCLE,
    is_hollow: true,
    mark: "M8.5 8.5l7 7M15.5 8.5l-7 7",
  },
  "no-fix": {
    word: "No fix",
    light: "#5B6470",
    dark: "#8E99A5",
    path: CIRCLE,
    is_hollow: true,
    mark: "M12 8v4.5M12 15.6v.1",
  },
};

export const ALERTING = { word: "Alerting", light: "#B3261E", dark: "#FF8A7A" };

export const SEVERITIES: Record<Severity, { word: string; light: string; dark: string }> = {
  critical: { word: "Critical", light: "#B3261E", dark: "#FF8A7A" },
  warning: { word: "Warning", light: "#8A5A00", dark: "#F0B84A" },
  info: { word: "Info", light: "#005A9C", dark: "#56B4E9" },
};

export const GEOFENCE_COLOURS = ["#0F766E", "#6D28D9", "#B45309", "#BE185D", "#1D4ED8", "#4D7C0F"];
