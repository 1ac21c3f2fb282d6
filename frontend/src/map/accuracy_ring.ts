import type { FeatureCollection } from "geojson";
import type { Map as MapLibre } from "maplibre-gl";
import type { Theme } from "../fleet/look";
import type { LonLat } from "../wire/rest";
import { circleRing } from "./geometry";
import { sourceOf } from "./sources";

const SOURCE = "accuracy";
const COLOUR = { light: "#005A9C", dark: "#56B4E9" };
const NOTHING: FeatureCollection = { type: "FeatureCollection", features: [] };

/** The circle in which the selected asset is, as far as its fix can tell. */
export class AccuracyRing {
  private readonly map: MapLibre;
  private isShown = false;

  constructor(map: MapLibre) {
    this.map = map;
  }

  attach(theme: Theme): void {
    this.isShown = false;
    this.map.addSource(SOURCE, { type: "geojson", data: NOTHING });
    this.map.addLayer({
      id: "accuracy-fill",
      type: "fill",
      source: SOURCE,
      paint: { "fill-color": COLOUR[theme], "fill-opacity": 0.1 },
    });
    this.map.addLayer({
      id: "accuracy-line",
      type: "line",
      source: SOURCE,
      paint: { "line-color": COLOUR[theme], "line-width": 1, "line-opacity": 0.6 },
    });
  }

  show(at: LonLat | null, accuracy_m: number | null): void {
    const source = sourceOf(this.map, SOURCE);
    const isShown = at !== null && Boolean(accuracy_m);
    // Nothing instead of nothing would still make the map draw again.
    if (!isShown && !this.isShown) return;
    this.isShown = isShown;
    if (!at || !accuracy_m) {
      source?.setData(NOTHING);
      return;
    }
    const geometry = { type: "Polygon" as const, coordinates: [circleRing(at, accuracy_m)] };
    source?.setData({ type: "Feature", properties: {}, geometry });
  }
}
