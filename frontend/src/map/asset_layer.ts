import type { PointLike } from "maplibre-gl";
import type { Theme } from "../fleet/look";
import type { Status } from "../fleet/status";
import type { Cluster } from "./folding";
import type { Glide } from "./motion";

/** One asset as drawn. */
export type Mark = {
  id: number;
  /** Where it is to be drawn now. */
  lon_deg: number;
  lat_deg: number;
  /** How it is under way, for a layer that moves marks by itself. */
  glide: Glide | null;
  status: Status;
  /** Null where it reports none: then nothing points anywhere. */
  course_deg: number | null;
  is_selected: boolean;
  is_alerting: boolean;
  /** Stands in a cluster and is not drawn by itself. */
  is_folded: boolean;
};

/** Draws marks and clusters. */
export type AssetLayer = {
  /** Whether it moves marks along their glides; if not, they must be put again and again. */
  readonly glides: boolean;
  /** Adds itself to a style that has just loaded, with all marks put so far. */
  attach(theme: Theme): void;
  put(marks: readonly Mark[], gone: readonly number[]): void;
  cluster(clusters: readonly Cluster[]): void;
  /** The asset drawn nearest to a point on the screen, within a finger's reach. */
  pick(point: { x: number; y: number }): number | null;
};

export const REACH_PX = 14;

export function around({ x, y }: { x: number; y: number }, reach: number): [PointLike, PointLike] {
  return [
    [x - reach, y - reach],
    [x + reach, y + reach],
  ];
}
