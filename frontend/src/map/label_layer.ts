import type { Map as MapLibre } from "maplibre-gl";
import type { Theme } from "../fleet/look";
import { lengthOfTime } from "../fleet/time_words";
import type { LonLat } from "../wire/rest";
import { MAP_FONT } from "./basemap_style";
import { type Cluster, countWord } from "./folding";
import { lonlatOf } from "./mercator";
import { SteadySource } from "./steady_source";

const LABELS = "asset-labels";
const COUNTS = "cluster-counts";
const BOX = "asset-box";
const BOX_PX = 26;
const TONES = {
  light: { text: "#17202B", soft: "#4A5563", halo: "#FFFFFF", count: "#17202B" },
  dark: { text: "#F1F5F9", soft: "#B4BFCC", halo: "#0B141C", count: "#F1F5F9" },
};

export type Label = {
  id: number;
  at: LonLat;
  name: string;
  /** How long nothing was heard, for those from whom something should have been. */
  silent_s: number | null;
  /** Who is more important is placed first. */
  order: number;
};

/** Names of assets and counts of clusters: few, so that MapLibre can keep them apart. */
export class LabelLayer {
  private readonly map: MapLibre;
  private readonly labels: SteadySource;
  private readonly counts: SteadySource;

  constructor(map: MapLibre) {
    this.map = map;
    this.labels = new SteadySource(map, LABELS);
    this.counts = new SteadySource(map, COUNTS);
  }

  attach(theme: Theme): void {
    this.addBox();
    this.labels.attach();
    this.counts.attach();
    this.addLabels(theme);
    this.addCounts(theme);
  }

  put(labels: readonly Label[]): void {
    this.labels.put(
      labels.map(({ id, at, name, silent_s, order }) => ({
        type: "Feature",
        id,
        properties: { name, age: silent_s === null ? "" : lengthOfTime(silent_s), order },
        geometry: { type: "Point", coordinates: at },
      })),
    );
  }

  putCounts(clusters: readonly Cluster[]): void {
    this.counts.put(
      clusters.map((cluster) => ({
        type: "Feature",
        properties: { count: countWord(cluster.count) },
        geometry: { type: "Point", coordinates: lonlatOf(cluster.x, cluster.y) },
      })),
    );
  }

  /** Stands where each labelled asset is drawn, unseen, so that no label covers one. */
  private addBox(): void {
    if (this.map.hasImage(BOX)) this.map.removeImage(BOX);
    const data = new Uint8Array(BOX_PX * BOX_PX * 4);
    this.map.addImage(BOX, { width: BOX_PX, height: BOX_PX, data });
  }

  private addLabels(theme: Theme): void {
    const tones = TONES[theme];
    this.map.addLayer({
      id: LABELS,
      type: "symbol",
      source: LABELS,
      layout: {
        "text-field": [
          "case",
          ["==", ["get", "age"], ""],
          ["get", "name"],
          [
            "format",
            ["get", "name"],
            {},
            "\n",
            {},
            ["get", "age"],
            { "font-scale": 0.84, "text-color": tones.soft },
          ],
        ],
        "text-font": [MAP_FONT],
        "text-size": 12.5,
        "text-variable-anchor": ["top", "bottom", "left", "right"],
        // Past the halo of those that have one.
        "text-radial-offset": [
          "interpolate",
          ["linear"],
          ["zoom"],
          4,
          ["case", [">", ["get", "order"], 0], 1.7, 1],
          13,
          ["case", [">", ["get", "order"], 0], 2.5, 1.4],
        ],
        "text-justify": "auto",
        "text-padding": 2,
        "text-max-width": 14,
        "symbol-sort-key": ["-", 0, ["get", "order"]],
      },
      paint: { "text-color": tones.text, "text-halo-color": tones.halo, "text-halo-width": 1.8 },
    });
    // Above the labels, since the upper layer is placed first.
    this.map.addLayer({
      id: "asset-boxes",
      type: "symbol",
      source: LABELS,
      layout: { "icon-image": BOX, "icon-padding": 0, "icon-allow-overlap": true },
    });
  }

  private addCounts(theme: Theme): void {
    this.map.addLayer({
      id: COUNTS,
      type: "symbol",
      source: COUNTS,
      layout: {
        "text-field": ["get", "count"],
        "text-font": [MAP_FONT],
        "text-size": 12.5,
        "text-allow-overlap": true,
        "text-padding": 12,
      },
      paint: { "text-color": TONES[theme].count },
    });
  }
}
