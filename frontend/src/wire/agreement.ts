import type * as ours from "./rest";
import type { components } from "./schema";

type Rows = components["schemas"];
type Nothing<T extends never> = T;

/** Fields that we read though the server's schema has none of that name. */
type Unknown<Ours, Theirs> = Exclude<keyof Ours, keyof Theirs>;

/** Breaks the build when the server renames a field that we read. */
export type FieldsAgree = Nothing<
  | Unknown<ours.Asset, Rows["Asset"]>
  | Unknown<ours.Geofence, Rows["GeofenceRow"]>
  | Unknown<ours.Crossing, Rows["CrossingRow"]>
  | Unknown<ours.Rule, Rows["Rule"]>
  | Unknown<ours.Alert, Rows["Alert"]>
>;

/** Breaks the build when the server learns a word that we would refuse. */
export type WordsAgree = Nothing<
  | Exclude<Rows["Alert"]["state"], ours.Alert["state"]>
  | Exclude<Rows["Alert"]["severity"], ours.Severity>
  | Exclude<Rows["CrossingRow"]["kind"], ours.Crossing["kind"]>
  | Exclude<NonNullable<Rows["CrossingRow"]["correction"]>, ours.Crossing["correction"]>
  | Exclude<Rows["Rule"]["trigger"], ours.Trigger>
  | Exclude<Rows["GeofenceRow"]["shape"]["type"], ours.Shape["type"]>
>;
