import type { Map as MapLibre } from "maplibre-gl";
import {
  type GeoJSONStoreFeatures,
  TerraDraw,
  TerraDrawCircleMode,
  TerraDrawLineStringMode,
  TerraDrawPolygonMode,
} from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";
import type { LonLat, Shape } from "../wire/rest";
import { boxOf, distance_m } from "./geometry";

export type DrawnKind = "polygon" | "circle" | "corridor";
const MODES = { polygon: "polygon", circle: "circle", corridor: "linestring" } as const;
const USUAL_WIDTH_M = 100;

const rounded = (deg: number) => Math.round(deg * 1e6) / 1e6;
const lonlat = ([lon = 0, lat = 0]: number[]): LonLat => [rounded(lon), rounded(lat)];

/** Terra Draw's circle is a ring that is round in Web Mercator. */
function circle(ring: LonLat[]): Shape | null {
  const box = boxOf(ring);
  if (!box) return null;
  const mercator = (lat: number) => Math.asinh(Math.tan((lat * Math.PI) / 180));
  const middle = (mercator(box.south) + mercator(box.north)) / 2;
  const center = lonlat([
    (box.west + box.east) / 2,
    (Math.atan(Math.sinh(middle)) * 180) / Math.PI,
  ]);
  return {
    type: "circle",
    center,
    radius_m: Math.round(distance_m(center, [box.east, center[1]])),
  };
}

export function shapeOf(kind: DrawnKind, { geometry }: GeoJSONStoreFeatures): Shape | null {
  if (geometry.type === "LineString" && kind === "corridor") {
    return {
      type: "corridor",
      coordinates: geometry.coordinates.map(lonlat),
      width_m: USUAL_WIDTH_M,
    };
  }
  if (geometry.type !== "Polygon") return null;
  const ring = (geometry.coordinates[0] ?? []).map(lonlat);
  return kind === "circle" ? circle(ring) : { type: "polygon", coordinates: [ring] };
}

/** Lets the user draw one shape, calls `done` with it, and cleans up. Returns a way to stop. */
export function draw(map: MapLibre, kind: DrawnKind, done: (shape: Shape) => void): () => void {
  const drawing = new TerraDraw({
    adapter: new TerraDrawMapLibreGLAdapter({ map }),
    modes: [new TerraDrawPolygonMode(), new TerraDrawCircleMode(), new TerraDrawLineStringMode()],
  });
  drawing.start();
  drawing.setMode(MODES[kind]);
  const stop = () => {
    if (drawing.enabled) drawing.stop();
  };
  drawing.on("finish", (id) => {
    const feature = drawing.getSnapshotFeature(id);
    const shape = feature && shapeOf(kind, feature);
    // Terra Draw is still in its own handler: taking its layers away now would break it.
    setTimeout(() => {
      stop();
      if (shape) done(shape);
    });
  });
  return stop;
}
