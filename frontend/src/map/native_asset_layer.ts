import type { Feature } from "geojson";
import type { GeoJSONSource, LayerSpecification, Map as MapLibre } from "maplibre-gl";
import { ALERTING, type Theme } from "../fleet/look";
import { type AssetLayer, around, type Mark } from "./asset_layer";
import { MAP_FONT } from "./basemap_style";
import { ALERT_BADGE } from "./icons";

const SOURCE = "assets";
const ICONS = "asset-icons";
const REACH_PX = 12;
const TONES = {
  light: { text: "#1B2430", halo: "#FFFFFF", selected: "#005A9C" },
  dark: { text: "#F1F5F9", halo: "#0B141C", selected: "#56B4E9" },
};

function feature(mark: Mark): Feature {
  const { id, lon_deg, lat_deg, status, label } = mark;
  return {
    type: "Feature",
    id,
    properties: {
      id,
      status,
      label,
      turn: status === "moving" ? mark.course_deg : 0,
      selected: mark.is_selected,
      alerting: mark.is_alerting,
      order:
        Number(mark.is_selected) * 2 + Number(mark.is_alerting) + Number(status === "moving") / 2,
    },
    geometry: { type: "Point", coordinates: [lon_deg, lat_deg] },
  };
}

function layers(theme: Theme): LayerSpecification[] {
  const tones = TONES[theme];
  return [
    {
      id: "asset-alerting",
      type: "circle",
      source: SOURCE,
      filter: ["get", "alerting"],
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 3, 10, 9, 18],
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
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 3, 14, 9, 21],
        "circle-opacity": 0.14,
        "circle-color": tones.selected,
        "circle-stroke-color": tones.selected,
        "circle-stroke-width": 2.5,
      },
    },
    // Below the icons: those are placed first, and no label covers one.
    {
      id: "asset-labels",
      type: "symbol",
      source: SOURCE,
      filter: ["!=", ["get", "label"], ""],
      layout: {
        "text-field": ["get", "label"],
        "text-font": [MAP_FONT],
        "text-size": 12.5,
        "text-variable-anchor": ["top", "bottom", "left", "right"],
        // As far as the corner of a turned icon, or a label would give way to its own asset.
        "text-radial-offset": ["interpolate", ["linear"], ["zoom"], 8, 1.45, 13, 1.85],
        "text-padding": 1,
        "text-max-width": 14,
        "symbol-sort-key": ["-", 0, ["get", "order"]],
      },
      paint: { "text-color": tones.text, "text-halo-color": tones.halo, "text-halo-width": 1.8 },
    },
    {
      id: ICONS,
      type: "symbol",
      source: SOURCE,
      layout: {
        "icon-image": ["get", "status"],
        "icon-rotate": ["get", "turn"],
        "icon-rotation-alignment": "map",
        "icon-size": ["interpolate", ["linear"], ["zoom"], 3, 0.55, 8, 0.8, 13, 1],
        "icon-padding": 0,
        "icon-allow-overlap": true,
        "icon-ignore-placement": false,
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
        "icon-size": ["interpolate", ["linear"], ["zoom"], 3, 0.45, 9, 0.6],
        "icon-offset": [20, -20],
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
      },
    },
  ];
}

/** Draws with MapLibre's own layers from one GeoJSON source. */
export class NativeAssetLayer implements AssetLayer {
  private readonly map: MapLibre;
  private readonly features = new Map<number, Feature>();
  private readonly changed = new Set<number>();
  private readonly gone = new Set<number>();
  private isUpdating = false;

  constructor(map: MapLibre) {
    this.map = map;
  }

  attach(theme: Theme): void {
    this.isUpdating = false;
    this.changed.clear();
    this.gone.clear();
    this.map.addSource(SOURCE, {
      type: "geojson",
      data: { type: "FeatureCollection", features: [...this.features.values()] },
    });
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

  pick(point: { x: number; y: number }): number | null {
    if (!this.map.getLayer(ICONS)) return null;
    const hits = this.map.queryRenderedFeatures(around(point, REACH_PX), { layers: [ICONS] });
    const ranked = hits
      .map(({ properties, geometry }) => ({
        id: Number(properties.id),
        away: this.away(geometry, point),
      }))
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
    const source = this.map.getSource<GeoJSONSource>(SOURCE);
    if (!source || this.isUpdating || this.changed.size + this.gone.size === 0) return;
    const add = [...this.changed].flatMap((id) => this.features.get(id) ?? []);
    const remove = [...this.gone];
    this.changed.clear();
    this.gone.clear();
    this.isUpdating = true;
    const done = () => {
      if (this.map.getSource(SOURCE) !== source) return;
      this.isUpdating = false;
      this.flush();
    };
    source.updateData({ add, remove }).then(done, done);
  }
}
