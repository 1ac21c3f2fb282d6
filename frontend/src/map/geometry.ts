import type { LonLat, Outline, Shape } from "../wire/rest";

const EARTH_RADIUS_M = 6_371_008.8;
const CIRCLE_CORNERS = 64;
const radians = (deg: number) => (deg * Math.PI) / 180;
const degrees = (rad: number) => (rad * 180) / Math.PI;

export type Box = { west: number; south: number; east: number; north: number };

/** Metres along the great circle. */
export function distance_m([lon0, lat0]: LonLat, [lon1, lat1]: LonLat): number {
  const half =
    Math.sin(radians(lat1 - lat0) / 2) ** 2 +
    Math.cos(radians(lat0)) * Math.cos(radians(lat1)) * Math.sin(radians(lon1 - lon0) / 2) ** 2;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(half)));
}

/** The closed ring of points at `radius_m` from `center`. */
export function circleRing([lon, lat]: LonLat, radius_m: number): LonLat[] {
  const angle = radius_m / EARTH_RADIUS_M;
  const from = radians(lat);
  const ring = Array.from({ length: CIRCLE_CORNERS }, (_, corner): LonLat => {
    const bearing = (2 * Math.PI * corner) / CIRCLE_CORNERS;
    const to = Math.asin(
      Math.sin(from) * Math.cos(angle) + Math.cos(from) * Math.sin(angle) * Math.cos(bearing),
    );
    const turn = Math.atan2(
      Math.sin(bearing) * Math.sin(angle) * Math.cos(from),
      Math.cos(angle) - Math.sin(from) * Math.sin(to),
    );
    return [lon + degrees(turn), degrees(to)];
  });
  return ring[0] ? [...ring, ring[0]] : ring;
}

export function boxOf(points: Iterable<LonLat>): Box | null {
  let box: Box | null = null;
  for (const [lon, lat] of points) {
    box ??= { west: lon, south: lat, east: lon, north: lat };
    box.west = Math.min(box.west, lon);
    box.east = Math.max(box.east, lon);
    box.south = Math.min(box.south, lat);
    box.north = Math.max(box.north, lat);
  }
  return box;
}

/** The corners of a shape; for a circle its ring. */
export function cornersOf(shape: Shape): LonLat[] {
  switch (shape.type) {
    case "polygon":
      return shape.coordinates.flat();
    case "multipolygon":
      return shape.coordinates.flat(2);
    case "circle":
      return circleRing(shape.center, shape.radius_m);
    case "corridor":
      return [...shape.coordinates];
    default:
      return shape satisfies never;
  }
}

/** What can be filled; a corridor has no outline until the server widens it. */
export function outlineOf(shape: Shape): Outline | null {
  switch (shape.type) {
    case "polygon":
      return { type: "Polygon", coordinates: shape.coordinates };
    case "multipolygon":
      return { type: "MultiPolygon", coordinates: shape.coordinates };
    case "circle":
      return { type: "Polygon", coordinates: [circleRing(shape.center, shape.radius_m)] };
    case "corridor":
      return null;
    default:
      return shape satisfies never;
  }
}

/** Metres that one pixel covers, for tiles of 512 pixels. */
export function metresPerPixel(zoom: number, lat_deg: number): number {
  return (78_271.517 * Math.cos(radians(lat_deg))) / 2 ** zoom;
}
