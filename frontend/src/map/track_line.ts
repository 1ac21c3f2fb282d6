import type { Feature, FeatureCollection } from "geojson";
import type { Map as MapLibre } from "maplibre-gl";
import type { Theme } from "../fleet/look";
import type { LonLat } from "../wire/rest";
import { sourceOf } from "./sources";

const SOURCE = "track";
const COLOUR = { light: "#005A9C", dark: "#56B4E9" };
const CASING = { light: "#FFFFFF", dark: "#0B141C" };
const CHEVRON = "track-chevron";
const CHEVRON_PX = 16;
const CHEVRON_RATIO = 3;
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
    this.addChevron(theme);
    this.map.addLayer({
      id: "track-direction",
      type: "symbol",
      source: SOURCE,
      layout: {
        "symbol-placement": "line",
        "symbol-spacing": 70,
        "icon-image": CHEVRON,
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
      },
    });
  }

  /** Points the way along the line. */
  private addChevron(theme: Theme): void {
    const side = CHEVRON_PX * CHEVRON_RATIO;
    const canvas = document.createElement("canvas");
    canvas.width = side;
    canvas.height = side;
    const pen = canvas.getContext("2d");
    if (!pen) throw new Error("this browser has no canvas");
    pen.scale(CHEVRON_RATIO, CHEVRON_RATIO);
    pen.lineWidth = 2.4;
    pen.lineCap = "round";
    pen.lineJoin = "round";
    for (const [colour, width] of [
      [CASING[theme], 5],
      [COLOUR[theme], 2.4],
    ] as const) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.stroke(new Path2D("M5 3.5 10 8 5 12.5"));
    }
    if (this.map.hasImage(CHEVRON)) this.map.removeImage(CHEVRON);
    this.map.addImage(CHEVRON, pen.getImageData(0, 0, side, side), { pixelRatio: CHEVRON_RATIO });
  }

  show(points: readonly LonLat[]): void {
    this.points = points;
    sourceOf(this.map, SOURCE)?.setData(this.data());
  }

  private data(): Feature | FeatureCollection {
    if (this.points.length < 2) return NOTHING;
    const geometry = { type: "LineString" as const, coordinates: [...this.points] };
    return { type: "Feature", properties: {}, geometry };
  }
}
