import {
  fallback,
  list,
  nullable,
  number,
  object,
  oneOf,
  pair,
  type Read,
  record,
  scalar,
  tagged,
  text,
  truth,
  type Value,
} from "./read";

export const role = oneOf("owner", "operator", "viewer", "dispatcher", "admin");

export const asset = object({
  id: number,
  organisation: number,
  name: text,
  kind: fallback(text, ""),
  tags: fallback(list(text), []),
  expected_interval_s: nullable(number),
});
export type Asset = Value<typeof asset>;

const fix = object({
  lon_deg: number,
  lat_deg: number,
  altitude_m: nullable(number),
  accuracy_m: nullable(number),
  speed_mps: nullable(number),
  course_deg: nullable(number),
  method: nullable(text),
  at: text,
});
export type Fix = Value<typeof fix>;

export const assetState = object({
  asset: number,
  measured_at: nullable(text),
  received_at: nullable(text),
  fix: nullable(fix),
  readings: fallback(record(scalar), {}),
  presence: fallback(list(object({ geofence: number, name: text, since: nullable(text) })), []),
});
export type AssetState = Value<typeof assetState>;

const lonlat = pair(number, number);
export type LonLat = Value<typeof lonlat>;
const rings = list(list(lonlat));

export type Shape =
  | { type: "polygon"; coordinates: LonLat[][] }
  | { type: "multipolygon"; coordinates: LonLat[][][] }
  | { type: "circle"; center: LonLat; radius_m: number }
  | { type: "corridor"; coordinates: LonLat[]; width_m: number };

export const shape: Read<Shape> = tagged<Shape>("type", {
  polygon: object({ type: oneOf("polygon"), coordinates: rings }),
  multipolygon: object({ type: oneOf("multipolygon"), coordinates: list(rings) }),
  circle: object({ type: oneOf("circle"), center: lonlat, radius_m: number }),
  corridor: object({ type: oneOf("corridor"), coordinates: list(lonlat), width_m: number }),
});

export type Outline =
  | { type: "Polygon"; coordinates: LonLat[][] }
  | { type: "MultiPolygon"; coordinates: LonLat[][][] };

const outline: Read<Outline> = tagged<Outline>("type", {
  Polygon: object({ type: oneOf("Polygon"), coordinates: rings }),
  MultiPolygon: object({ type: oneOf("MultiPolygon"), coordinates: list(rings) }),
});

export const geofence = object({
  id: number,
  organisation: number,
  name: text,
  colour: fallback(text, ""),
  shape,
  geometry: nullable(outline),
});
export type Geofence = Value<typeof geofence>;

export const crossing = object({
  id: number,
  asset: number,
  asset_name: fallback(text, ""),
  geofence: number,
  geofence_name: fallback(text, ""),
  // The last two are the edges of what is known: first seen inside, and no longer.
  kind: oneOf("enter", "exit", "pass", "found", "lost"),
  at: text,
  not_before: nullable(text),
  not_after: nullable(text),
  estimate: nullable(scalar),
  inferred: fallback(truth, false),
  is_late: fallback(truth, false),
  correction: nullable(oneOf("added", "moved", "withdrawn")),
  recorded_at: nullable(text),
});
export type Crossing = Value<typeof crossing>;

/** Who is inside a geofence: since the first sure fix inside, after the last one outside. */
export const presence = object({
  asset: number,
  asset_name: fallback(text, ""),
  since: text,
  not_before: nullable(text),
});
export type Presence = Value<typeof presence>;

/** Past consequences that are worked out again; how many assets is known once the work began. */
export const rejudging = object({
  id: number,
  assets_total: nullable(number),
  assets_done: number,
});
export type Rejudging = Value<typeof rejudging>;

const moved = nullable(object({ at: text }));
export const correction = object({
  id: number,
  change: oneOf("added", "moved", "withdrawn"),
  before: moved,
  after: moved,
  recorded_at: text,
});
export type Correction = Value<typeof correction>;
export const correctedCrossing = object({ corrections: list(correction) });

/** The way of an asset as GeoJSON; null without a fix. */
export const track = object({ geometry: nullable(object({ coordinates: list(lonlat) })) });

export const severity = oneOf("info", "warning", "critical");
export type Severity = Value<typeof severity>;

export const rule = object({
  id: number,
  organisation: number,
  name: text,
  trigger: oneOf("enter", "exit", "enter_or_exit", "pass"),
  geofence: nullable(number),
  severity,
  recipients: fallback(list(text), []),
  quiet_from: nullable(text),
  quiet_until: nullable(text),
  time_zone: fallback(text, ""),
});
export type Rule = Value<typeof rule>;
export type Trigger = Rule["trigger"];

export const alert = object({
  id: number,
  number,
  rule: nullable(number),
  rule_name: fallback(text, ""),
  severity,
  asset: number,
  asset_name: fallback(text, ""),
  geofence: nullable(number),
  geofence_name: fallback(text, ""),
  kind: fallback(text, ""),
  at: text,
  opened_at: nullable(text),
  state: oneOf("open", "acknowledged", "resolved", "withdrawn"),
  is_late: fallback(truth, false),
  amended_at: nullable(text),
  withdrawn_at: nullable(text),
  acknowledged_by_name: nullable(text),
  acknowledged_at: nullable(text),
  text: fallback(text, ""),
});
export type Alert = Value<typeof alert>;

export function page<T>(row: Read<T>) {
  return object({ next: nullable(text), previous: nullable(text), results: list(row) });
}

/** An error answer, RFC 9457; `errors` points at the fields that are wrong. */
export const problem = object({
  title: fallback(text, ""),
  detail: fallback(text, ""),
  errors: fallback(list(object({ pointer: fallback(text, ""), detail: fallback(text, "") })), []),
});
export type ProblemDetails = Value<typeof problem>;

export type GeofenceDraft = { organisation: number; name: string; colour: string; shape: Shape };
/** The shape only if it was drawn anew: each makes a new version of the geofence. */
export type GeofenceChange = Partial<Omit<GeofenceDraft, "organisation">>;
export type RuleDraft = Omit<Rule, "id" | "time_zone">;
export type RuleChange = Partial<Omit<RuleDraft, "organisation" | "geofence">>;
