import type { Feature, FeatureCollection } from "geojson";
import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import type { Theme } from "../fleet/look";
import type { LonLat } from "../wire/rest";

const SOURCE = "track";
const COLOUR = { light: "#005A9C", dark: "#56B4E9" };
const CASING = { light: "#FFFFFF", dark: "#0B141C" };
const NOTHING: FeatureCollection = { type: "FeatureCollection", features: [] };

/** The way that the selected asset came. */
export class TrackLine {
  private readonly map: MapLibre;
  private points: readonly LonLat[] = [];

  constructor(map: MapLibre) {
    this.map = map;
  }

  attach(theme: Theme): void {
    this.map.addSource(SOURCE, { type: "geojson", data: this.data() });
    const layout = { "line-cap": "round", "line-join": "round" } as const;
    this.map.addLayer({
      id: "track-casing",
      type: "line",
      source: SOURCE,
      layout,
      paint: { "line-color": CASING[theme], "line-width": 5.5, "line-opacity": 0.8 },
    });
    this.map.addLayer({
      id: "track",
      type: "line",
      source: SOURCE,
      layout,
      paint: { "line-color": COLOUR[theme], "line-width": 3 },
    });
  }

  show(points: readonly LonLat[]): void {
    this.points = points;
    this.map.getSource<GeoJSONSource>(SOURCE)?.setData(this.data());
  }

  private data(): Feature | FeatureCollection {
    if (this.points.length < 2) return NOTHING;
    const geometry = { type: "LineString" as const, coordinates: [...this.points] };
    return { type: "Feature", properties: {}, geometry };
  }
}
