import type {
  DataDrivenPropertyValueSpecification,
  LayerSpecification,
  StyleSpecification,
} from "maplibre-gl";
import type { Theme } from "../fleet/look";

export const MAP_FONT = "Noto Sans";
/** Above this the bundled world has nothing more to say. */
export const DETAIL_ENDS_AT_ZOOM = 10;

type Tones = Record<
  "water" | "land" | "lake" | "river" | "border" | "country" | "place" | "halo" | "grid",
  string
>;

const TONES: Record<Theme, Tones> = {
  light: {
    water: "#CBDCE6",
    land: "#F4F3EF",
    lake: "#CBDCE6",
    river: "#B9CFDC",
    border: "#B7B2C4",
    country: "#6B6678",
    place: "#4A4E57",
    halo: "#F8F7F4",
    grid: "#C3CBD1",
  },
  dark: {
    water: "#0E1822",
    land: "#1C2733",
    lake: "#0E1822",
    river: "#14212D",
    border: "#3D4A5A",
    country: "#8D9AAA",
    place: "#B4BFCC",
    halo: "#131D27",
    grid: "#2B3947",
  },
};

function byZoom(...stops: number[]): DataDrivenPropertyValueSpecification<number> {
  return [
    "interpolate",
    ["linear"],
    ["zoom"],
    ...stops,
  ] as unknown as DataDrivenPropertyValueSpecification<number>;
}

function ground(tones: Tones): LayerSpecification[] {
  const world = { source: "world" };
  return [
    { id: "water", type: "background", paint: { "background-color": tones.water } },
    {
      id: "land",
      type: "fill",
      ...world,
      "source-layer": "land",
      paint: { "fill-color": tones.land },
    },
    {
      id: "lakes",
      type: "fill",
      ...world,
      "source-layer": "lakes",
      paint: { "fill-color": tones.lake },
    },
    {
      id: "rivers",
      type: "line",
      ...world,
      "source-layer": "rivers",
      minzoom: 3,
      paint: { "line-color": tones.river, "line-width": byZoom(3, 0.4, 8, 1.6, 12, 3) },
    },
    {
      id: "boundaries",
      type: "line",
      ...world,
      "source-layer": "boundaries",
      paint: {
        "line-color": tones.border,
        "line-width": byZoom(1, 0.5, 6, 1.2, 12, 2),
        "line-dasharray": [3, 2],
      },
    },
    {
      id: "graticule",
      type: "line",
      source: "graticule",
      paint: { "line-color": tones.grid, "line-width": 1, "line-opacity": 0.7 },
    },
  ];
}

function labels(tones: Tones): LayerSpecification[] {
  return [
    {
      id: "places",
      type: "symbol",
      source: "world",
      "source-layer": "places",
      minzoom: 3,
      layout: {
        "text-field": ["get", "name"],
        "text-font": [MAP_FONT],
        "text-size": byZoom(3, 10.5, 8, 13, 12, 15),
        "text-max-width": 8,
        "text-padding": 6,
        "symbol-sort-key": ["get", "rank"],
      },
      paint: { "text-color": tones.place, "text-halo-color": tones.halo, "text-halo-width": 1.4 },
    },
    {
      id: "countries",
      type: "symbol",
      source: "world",
      "source-layer": "countries",
      maxzoom: 7,
      layout: {
        "text-field": ["upcase", ["get", "name"]],
        "text-font": [MAP_FONT],
        "text-size": byZoom(1, 9, 5, 13),
        "text-letter-spacing": 0.12,
        "text-max-width": 7,
        "text-padding": 8,
        "symbol-sort-key": ["get", "rank"],
      },
      paint: { "text-color": tones.country, "text-halo-color": tones.halo, "text-halo-width": 1.2 },
    },
  ];
}

/** The bundled world. No glyphs address: MapLibre then draws with the page's own fonts. */
export function basemapStyle(theme: Theme, url: string, attribution: string): StyleSpecification {
  const tones = TONES[theme];
  return {
    version: 8,
    sources: {
      world: { type: "vector", url: `pmtiles://${new URL(url, location.origin)}`, attribution },
      graticule: { type: "geojson", data: { type: "FeatureCollection", features: [] } },
    },
    layers: [...ground(tones), ...labels(tones)],
    transition: { duration: 0, delay: 0 },
  };
}
