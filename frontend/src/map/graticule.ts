import type { FeatureCollection } from "geojson";
import type { Box } from "./geometry";

const STEPS_DEG = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
const LINES_AT_MOST = 10;
const NOTHING: FeatureCollection = { type: "FeatureCollection", features: [] };

function multiples(from: number, to: number, step: number): number[] {
  const first = Math.ceil(from / step);
  const many = Math.max(0, Math.floor(to / step) - first + 1);
  return Array.from({ length: many }, (_, at) => (first + at) * step);
}

/** A grid for scales where the map itself has nothing to show. */
export function graticule({ west, south, east, north }: Box): FeatureCollection {
  const step = STEPS_DEG.find((deg) => (east - west) / deg <= LINES_AT_MOST);
  if (step === undefined) return NOTHING;
  const lines = [
    ...multiples(west, east, step).map((lon) => [
      [lon, south],
      [lon, north],
    ]),
    ...multiples(south, north, step).map((lat) => [
      [west, lat],
      [east, lat],
    ]),
  ];
  return {
    type: "FeatureCollection",
    features: lines.map((coordinates) => ({
      type: "Feature",
      properties: {},
      geometry: { type: "LineString", coordinates },
    })),
  };
}
