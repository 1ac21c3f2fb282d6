import { LOOKS } from "../fleet/look";
import type { Entry } from "../fleet/roster";
import type { Speed } from "../fleet/speed";
import { lengthOfTime } from "../fleet/time_words";
import type { Alert, Crossing } from "../wire/rest";

const COMPASS = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];

const one = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const wholes = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const moment = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZoneName: "short",
});
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const toTheSecond = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const zoned = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  timeZoneName: "short",
});
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

export const span = lengthOfTime;

// Marks, embeddings, overrides and isolates of direction; letters written from right to left.
const DIRECTIONS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/** A name for the middle of a sentence, whose direction it does not turn. */
export function isolated(name: string): string {
  const plain = name.replace(DIRECTIONS, "");
  return RIGHT_TO_LEFT.test(plain) ? `\u2068${plain}\u2069` : plain;
}

export function whole(many: number): string {
  return wholes.format(many);
}

export function age(at_ms: number | null, now: number): string {
  return at_ms === null ? "never" : span((now - at_ms) / 1000);
}

export function ago(at_ms: number | null, now: number): string {
  return at_ms === null ? "never" : `${age(at_ms, now)} ago`;
}

export function behind(lag_ms: number): string {
  return `${one.format(lag_ms / 1000)} s behind`;
}

export function exactly(at: number | string): string {
  return moment.format(new Date(at));
}

/** The time of day with the zone in which this page tells all times. */
export function zonedTime(at_ms: number): string {
  return zoned.format(at_ms);
}

export function zoneName(): string {
  return zoned.resolvedOptions().timeZone;
}

/** Time of day today, with the date on other days. */
export function when(at: string | number, now: number): string {
  const then = new Date(at);
  const isToday = then.toDateString() === new Date(now).toDateString();
  return isToday ? clock.format(then) : `${day.format(then)}, ${clock.format(then)}`;
}

/** Two times, each to the second where without seconds they would read the same. */
export function whenEach(one_at: string, other_at: string, now: number): [string, string] {
  const said: [string, string] = [when(one_at, now), when(other_at, now)];
  if (said[0] !== said[1]) return said;
  return [toTheSecond.format(Date.parse(one_at)), toTheSecond.format(Date.parse(other_at))];
}

export function speed(mms: number): string {
  return `${wholes.format(mms * 0.0036)} km/h`;
}

/** "≈" marks a speed that nobody reported. */
export function speedWord({ mms, is_estimated }: Speed): string {
  return is_estimated ? `≈ ${speed(mms)}` : speed(mms);
}

export function speedTitle({ is_estimated }: Speed): string | undefined {
  return is_estimated
    ? "Worked out from the last two fixes: the device reports no speed"
    : undefined;
}

/** What an asset is doing, and since when where that is known. */
export function stateWords({ status, motion_since }: Entry, now: number): string {
  const { word } = LOOKS[status];
  const isKnown = status === "moving" || status === "resting";
  return isKnown && motion_since !== null ? `${word} since ${when(motion_since, now)}` : word;
}

export function course(deg: number): string {
  return `${COMPASS[Math.round(deg / 45) % 8]} ${wholes.format(Math.round(deg) % 360)}°`;
}

export function metres(m: number): string {
  return m >= 10_000 ? `${one.format(m / 1000)} km` : `${wholes.format(m)} m`;
}

const METHODS: Record<string, string> = {
  gnss: "GNSS",
  wifi: "Wi-Fi",
  ble: "Bluetooth",
  cell: "mobile network",
  lora_tdoa: "LoRa",
  lora_rssi: "LoRa",
};

/** How a fix was found. */
export function methodWord(method: string): string {
  return METHODS[method] ?? method;
}

export function coordinates(lon_deg: number, lat_deg: number): string {
  return `${lat_deg.toFixed(5)}, ${lon_deg.toFixed(5)}`;
}

const READINGS: Record<string, [name: string, unit: string]> = {
  "battery.level": ["Battery", "%"],
  "battery.voltage": ["Battery voltage", "V"],
  "power.voltage": ["Supply voltage", "V"],
  "battery.charging": ["Charging", ""],
  "air.temperature": ["Temperature", "°C"],
  "device.temperature": ["Device temperature", "°C"],
  "air.humidity": ["Humidity", "%"],
  "air.pressure": ["Pressure", "hPa"],
  "air.co2": ["CO₂", "ppm"],
  light: ["Light", "lx"],
  "motion.detected": ["Motion", ""],
  "motion.count": ["Motion count", ""],
  contact: ["Door", ""],
  leak: ["Leak", ""],
  ignition: ["Ignition", ""],
  tamper: ["Tamper", ""],
  sos: ["SOS", ""],
  shock: ["Shock", "g"],
  "tilt.pitch": ["Pitch", "°"],
  "tilt.roll": ["Roll", "°"],
  hdop: ["HDOP", ""],
  satellites: ["Satellites", ""],
  "link.rssi": ["Signal", "dBm"],
  "link.snr": ["Signal to noise", "dB"],
  "link.gateways": ["Gateways", ""],
};

const capital = (words: string) => words.slice(0, 1).toUpperCase() + words.slice(1);

type Scalar = string | number | boolean | null;

function plain(value: Scalar): string {
  if (value === null) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" ? one.format(value) : value;
}

/** A reading in words: a channel such as `air.temperature.2` keeps its number. */
export function reading(key: string, value: Scalar): { name: string; value: string } {
  const [, base = key, channel] = /^(.*?)\.(\d+)$/.exec(key) ?? [key, key];
  if (key === "odometer" && typeof value === "number")
    return { name: "Odometer", value: metres(value) };
  const [name, unit] = READINGS[base] ?? [
    capital(base.replace(/^custom\./, "").replaceAll(/[._]/g, " ")),
    "",
  ];
  const title = channel === undefined ? name : `${name} ${channel}`;
  const shown = plain(value);
  return { name: title, value: unit && value !== null ? `${shown} ${unit}` : shown };
}

const KINDS: Record<string, string> = {
  enter: "entered",
  exit: "left",
  pass: "passed through",
  found: "was found inside",
  lost: "is no longer inside",
};

export function alertText(alert: Alert): string {
  if (alert.text) return alert.text;
  const did = KINDS[alert.kind] ?? alert.kind;
  return `${isolated(alert.asset_name)} ${did} ${isolated(alert.geofence_name)}`.trim();
}

export function crossingVerb(kind: Crossing["kind"]): string {
  return KINDS[kind] ?? kind;
}

export function plural(many: number, word: string): string {
  return `${wholes.format(many)} ${word}${many === 1 ? "" : "s"}`;
}
