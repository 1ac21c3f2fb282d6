import type { Map as MapLibre, PointLike } from "maplibre-gl";
import type { Theme } from "../fleet/look";
import type { Status } from "../fleet/status";

/** One asset as drawn. */
export type Mark = {
  id: number;
  lon_deg: number;
  lat_deg: number;
  status: Status;
  course_deg: number;
  /** Empty when the asset is not to be labelled now. */
  label: string;
  is_selected: boolean;
  is_alerting: boolean;
};

/** Draws marks. The native one serves thousands; another may take its place. */
export type AssetLayer = {
  /** Adds itself to a style that has just loaded, with all marks put so far. */
  attach(theme: Theme): void;
  put(marks: readonly Mark[], gone: readonly number[]): void;
  /** The asset drawn nearest to a point on the screen, within a finger's reach. */
  pick(point: { x: number; y: number }): number | null;
};

export type AssetLayerFactory = (map: MapLibre) => AssetLayer;

export function around({ x, y }: { x: number; y: number }, reach: number): [PointLike, PointLike] {
  return [
    [x - reach, y - reach],
    [x + reach, y + reach],
  ];
}
