import type { Feature } from "geojson";
import type { LayerSpecification, Map as MapLibre } from "maplibre-gl";
import { ALERTING, LOOKS, lookName, type Theme, turn_deg } from "../fleet/look";
import { type AssetLayer, around, type Mark, REACH_PX } from "./asset_layer";
import { type Cluster, radius_px } from "./folding";
import { ALERT_BADGE, addIcons } from "./icons";
import { lonlatOf } from "./mercator";
import { sourceOf } from "./sources";

const SOURCE = "assets";
const CLUSTERS = "clusters";
const ICONS = "asset-icons";
const TONES = {
  light: { selected: "#005A9C", plate: "#FFFFFF" },
  dark: { selected: "#56B4E9", plate: "#16222E" },
};

export function feature(mark: Mark): Feature {
  const { id, lon_deg, lat_deg, status, course_deg } = mark;
  return {
    type: "Feature",
    id,
    properties: {
      id,
      status,
      look: lookName(status, course_deg),
      turn: turn_deg(status, course_deg),
      selected: mark.is_selected,
      alerting: mark.is_alerting,
      folded: mark.is_folded,
      order:
        Number(mark.is_selected) * 2 + Number(mark.is_alerting) + Number(status === "moving") / 2,
    },
    geometry: { type: "Point", coordinates: [lon_deg, lat_deg] },
  };
}

function clusterFeature({ x, y, count, parts }: Cluster): Feature {
  const [moving] = parts;
  return {
    type: "Feature",
    properties: { radius: radius_px(count), moves: moving > 0 },
    geometry: { type: "Point", coordinates: lonlatOf(x, y) },
  };
}

function layers(theme: Theme): LayerSpecification[] {
  const tones = TONES[theme];
  return [
    {
      id: CLUSTERS,
      type: "circle",
      source: CLUSTERS,
      paint: {
        "circle-radius": ["get", "radius"],
        "circle-color": tones.plate,
        "circle-stroke-width": 4,
        "circle-stroke-color": [
          "case",
          ["get", "moves"],
          LOOKS.moving[theme],
          LOOKS.resting[theme],
        ],
      },
    },
    {
      id: "asset-alerting",
      type: "circle",
      source: SOURCE,
      filter: ["get", "alerting"],
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 4, 17, 13, 26],
        "circle-color": ALERTING[theme],
        "circle-opacity": 0.22,
        "circle-stroke-color": ALERTING[theme],
        "circle-stroke-width": 2,
      },
    },
    {
      id: "asset-selected",
      type: "circle",
      source: SOURCE,
      filter: ["get", "selected"],
      paint: {
        "circle-radius": [
          "interpolate",
          ["linear"],
          ["zoom"],
          4,
          ["case", ["get", "alerting"], 21, 17],
          13,
          ["case", ["get", "alerting"], 32, 26],
        ],
        "circle-color": "transparent",
        "circle-stroke-color": tones.selected,
        "circle-stroke-width": 2.5,
      },
    },
    {
      id: ICONS,
      type: "symbol",
      source: SOURCE,
      filter: ["!", ["get", "folded"]],
      layout: {
        "icon-image": ["get", "look"],
        "icon-rotate": ["get", "turn"],
        "icon-rotation-alignment": "map",
        "icon-size": ["interpolate", ["linear"], ["zoom"], 4, 22 / 32, 13, 34 / 32],
        "icon-padding": 0,
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "symbol-sort-key": ["get", "order"],
      },
    },
    {
      id: "asset-badges",
      type: "symbol",
      source: SOURCE,
      filter: ["get", "alerting"],
      layout: {
        "icon-image": ALERT_BADGE,
        "icon-size": ["interpolate", ["linear"], ["zoom"], 4, 0.45, 13, 0.65],
        "icon-offset": [20, -20],
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
      },
    },
  ];
}

/** Draws with MapLibre's own layers from GeoJSON: where the card refuses our own, and to compare. */
export class NativeAssetLayer implements AssetLayer {
  readonly glides = false;
  private readonly map: MapLibre;
  private readonly features = new Map<number, Feature>();
  private readonly changed = new Set<number>();
  private readonly gone = new Set<number>();
  private clusters: Feature[] = [];
  private isUpdating = false;

  constructor(map: MapLibre) {
    this.map = map;
  }

  attach(theme: Theme): void {
    this.isUpdating = false;
    this.changed.clear();
    this.gone.clear();
    addIcons(this.map, theme);
    this.map.addSource(SOURCE, { type: "geojson", data: collection([...this.features.values()]) });
    this.map.addSource(CLUSTERS, { type: "geojson", data: collection(this.clusters) });
    for (const layer of layers(theme)) this.map.addLayer(layer);
  }

  put(marks: readonly Mark[], gone: readonly number[]): void {
    for (const id of gone) {
      this.features.delete(id);
      this.changed.delete(id);
      this.gone.add(id);
    }
    for (const mark of marks) {
      this.features.set(mark.id, feature(mark));
      this.changed.add(mark.id);
      this.gone.delete(mark.id);
    }
    this.flush();
  }

  cluster(clusters: readonly Cluster[]): void {
    this.clusters = clusters.map(clusterFeature);
    sourceOf(this.map, CLUSTERS)?.setData(collection(this.clusters));
  }

  pick(point: { x: number; y: number }): number | null {
    if (!this.map.getLayer(ICONS)) return null;
    const hits = this.map.queryRenderedFeatures(around(point, REACH_PX), { layers: [ICONS] });
    const ranked = hits
      .map(({ properties, geometry }) => ({
        id: Number(properties.id),
        away: this.away(geometry, point),
      }))
      .filter(({ away }) => away <= REACH_PX)
      .sort((a, b) => a.away - b.away);
    return ranked[0]?.id ?? null;
  }

  private away(geometry: Feature["geometry"], { x, y }: { x: number; y: number }): number {
    if (geometry.type !== "Point") return Number.POSITIVE_INFINITY;
    const [lon = 0, lat = 0] = geometry.coordinates;
    const at = this.map.project([lon, lat]);
    return Math.hypot(at.x - x, at.y - y);
  }

  /** One update in flight: feeding faster than the worker drains would pile up memory. */
  private flush(): void {
    const source = sourceOf(this.map, SOURCE);
    if (!source || this.isUpdating || this.changed.size + this.gone.size === 0) return;
    const add = [...this.changed].flatMap((id) => this.features.get(id) ?? []);
    const remove = [...this.gone];
    this.changed.clear();
    this.gone.clear();
    this.isUpdating = true;
    const done = () => {
      if (sourceOf(this.map, SOURCE) !== source) return;
      this.isUpdating = false;
      this.flush();
    };
    source.updateData({ add, remove }).then(done, done);
  }
}

function collection(features: Feature[]) {
  return { type: "FeatureCollection" as const, features };
}
