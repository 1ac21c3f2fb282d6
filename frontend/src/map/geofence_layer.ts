import type { Feature, FeatureCollection } from "geojson";
import type { Map as MapLibre } from "maplibre-gl";
import { GEOFENCE_COLOURS, type Theme } from "../fleet/look";
import type { Geofence, Shape } from "../wire/rest";
import { MAP_FONT } from "./basemap_style";
import { cornersOf, metresPerPixel, outlineOf } from "./geometry";
import { sourceOf } from "./sources";

const SOURCE = "geofences";
const DRAFT = "geofence-draft";
const WHITENING = 0.4;
const DRAFT_COLOUR = { light: "#B45309", dark: "#F0B84A" };
const TEXT = {
  light: { text: "#36414E", halo: "#FFFFFF" },
  dark: { text: "#C3CEDA", halo: "#0B141C" },
};

function colourOf({ id, colour }: Geofence): string {
  if (/^#[0-9a-f]{6}$/i.test(colour)) return colour;
  return GEOFENCE_COLOURS[id % GEOFENCE_COLOURS.length] ?? "#0F766E";
}

/** On the dark map a colour chosen for the light one needs some white. */
function toned(colour: string, theme: Theme): string {
  if (theme === "light") return colour;
  const parts = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return `rgb(${parts.map((part) => Math.round(part + (255 - part) * WHITENING)).join(",")})`;
}

function features(geofence: Geofence, selected: number | null, theme: Theme): Feature[] {
  const { id, name } = geofence;
  const properties = {
    id,
    name,
    colour: toned(colourOf(geofence), theme),
    selected: id === selected,
  };
  const geometry = geofence.geometry ?? outlineOf(geofence.shape);
  const [top] = cornersOf(geofence.shape).sort((a, b) => b[1] - a[1]);
  const found: Feature[] = [];
  if (geometry) found.push({ type: "Feature", id, properties, geometry });
  if (top)
    found.push({ type: "Feature", properties, geometry: { type: "Point", coordinates: top } });
  return found;
}

function draftFeatures(shape: Shape | null): Feature[] {
  if (!shape) return [];
  const outline = outlineOf(shape);
  if (outline) return [{ type: "Feature", properties: { pixels: 0 }, geometry: outline }];
  if (shape.type !== "corridor") return [];
  const lat = shape.coordinates[0]?.[1] ?? 0;
  const pixels = shape.width_m / metresPerPixel(0, lat);
  const geometry = { type: "LineString" as const, coordinates: shape.coordinates };
  return [{ type: "Feature", properties: { pixels }, geometry }];
}

const collection = (list: Feature[]): FeatureCollection => ({
  type: "FeatureCollection",
  features: list,
});

/** Draws the geofences, and the one being made. */
export class GeofenceLayer {
  private readonly map: MapLibre;
  private geofences: readonly Geofence[] = [];
  private selected: number | null = null;
  private draft: Shape | null = null;
  private theme: Theme = "light";

  constructor(map: MapLibre) {
    this.map = map;
  }

  attach(theme: Theme): void {
    this.theme = theme;
    this.map.addSource(SOURCE, { type: "geojson", data: collection(this.all()) });
    this.map.addSource(DRAFT, { type: "geojson", data: collection(draftFeatures(this.draft)) });
    this.addSaved(theme);
    this.addDraft(DRAFT_COLOUR[theme]);
  }

  show(geofences: readonly Geofence[], selected: number | null): void {
    this.geofences = geofences;
    this.selected = selected;
    sourceOf(this.map, SOURCE)?.setData(collection(this.all()));
  }

  showDraft(shape: Shape | null): void {
    this.draft = shape;
    sourceOf(this.map, DRAFT)?.setData(collection(draftFeatures(shape)));
  }

  private all(): Feature[] {
    return this.geofences.flatMap((geofence) => features(geofence, this.selected, this.theme));
  }

  private addSaved(theme: Theme): void {
    const colour = ["get", "colour"] as ["get", string];
    const ifSelected = (yes: number, no: number) =>
      ["case", ["get", "selected"], yes, no] as unknown as number;
    this.map.addLayer({
      id: "geofence-fill",
      type: "fill",
      source: SOURCE,
      filter: ["!=", ["geometry-type"], "Point"],
      paint: {
        "fill-color": colour,
        "fill-opacity": ifSelected(0.24, theme === "dark" ? 0.16 : 0.09),
      },
    });
    this.map.addLayer({
      id: "geofence-line",
      type: "line",
      source: SOURCE,
      filter: ["!=", ["geometry-type"], "Point"],
      paint: {
        "line-color": colour,
        "line-width": ifSelected(3, 1.5),
        "line-opacity": ifSelected(1, 0.8),
      },
    });
    this.map.addLayer({
      id: "geofence-label",
      type: "symbol",
      source: SOURCE,
      minzoom: 7,
      filter: ["==", ["geometry-type"], "Point"],
      layout: {
        "text-field": ["get", "name"],
        "text-font": [MAP_FONT],
        "text-size": 12,
        "text-anchor": "bottom",
        "text-offset": [0, -0.3],
        "text-letter-spacing": 0.03,
      },
      paint: {
        "text-color": TEXT[theme].text,
        "text-halo-color": TEXT[theme].halo,
        "text-halo-width": 1.8,
      },
    });
  }

  private addDraft(colour: string): void {
    this.map.addLayer({
      id: "draft-fill",
      type: "fill",
      source: DRAFT,
      filter: ["!=", ["geometry-type"], "LineString"],
      paint: { "fill-color": colour, "fill-opacity": 0.2 },
    });
    this.map.addLayer({
      id: "draft-corridor",
      type: "line",
      source: DRAFT,
      filter: ["==", ["geometry-type"], "LineString"],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: {
        "line-color": colour,
        "line-opacity": 0.25,
        // A width in metres: pixels double with each zoom.
        "line-width": [
          "interpolate",
          ["exponential", 2],
          ["zoom"],
          0,
          ["get", "pixels"],
          22,
          ["*", ["get", "pixels"], 2 ** 22],
        ],
      },
    });
    this.map.addLayer({
      id: "draft-line",
      type: "line",
      source: DRAFT,
      paint: { "line-color": colour, "line-width": 2.5, "line-dasharray": [2, 1.4] },
    });
  }
}
