import type { LonLat, Shape } from "../../wire/rest";
import type { DrawnKind } from "../ports";
import { metres } from "../words";

/** What the form holds: numbers as typed, so that half a number can stand there. */
export type ShapeDraft = {
  kind: DrawnKind;
  corners: string;
  lon: string;
  lat: string;
  radius_m: string;
  width_m: string;
};

export const EMPTY_SHAPE: ShapeDraft = {
  kind: "polygon",
  corners: "",
  lon: "",
  lat: "",
  radius_m: "200",
  width_m: "100",
};

const LINE = /^\s*(-?\d+(?:\.\d+)?)\s*[,;\s]\s*(-?\d+(?:\.\d+)?)\s*$/;

const lines = (points: readonly LonLat[]) =>
  points.map(([lon, lat]) => `${lon}, ${lat}`).join("\n");

function isOnEarth([lon, lat]: LonLat): boolean {
  return Math.abs(lon) <= 180 && Math.abs(lat) <= 90;
}

function points(text: string): LonLat[] | string {
  const found: LonLat[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const match = LINE.exec(line);
    const point: LonLat = [Number(match?.[1]), Number(match?.[2])];
    if (!match || !isOnEarth(point)) return `Line ${index + 1}: expected longitude, latitude.`;
    found.push(point);
  }
  return found;
}

function isSame(a: LonLat | undefined, b: LonLat | undefined): boolean {
  return a?.[0] === b?.[0] && a?.[1] === b?.[1];
}

export type Wrong = { error: string; field: "corners" | "center" | "size" };
export type Parsed = { shape: Shape } | Wrong;

/** The shape that the numbers describe, or what is wrong with them. */
export function parsed(draft: ShapeDraft): Parsed {
  return draft.kind === "circle" ? parsedCircle(draft) : parsedLine(draft);
}

function parsedCircle({ lon, lat, radius_m }: ShapeDraft): Parsed {
  const center: LonLat = [Number(lon), Number(lat)];
  const isGiven = lon.trim() !== "" && lat.trim() !== "";
  if (!isGiven || !isOnEarth(center)) {
    return { error: "Give the longitude and latitude of the centre, or draw it.", field: "center" };
  }
  const radius = Number(radius_m);
  if (!(radius > 0)) return { error: "Give a radius above 0 m.", field: "size" };
  return { shape: { type: "circle", center, radius_m: radius } };
}

function parsedLine({ kind, corners, width_m }: ShapeDraft): Parsed {
  const found = points(corners);
  if (typeof found === "string") return { error: found, field: "corners" };
  if (kind === "corridor") {
    if (found.length < 2)
      return { error: "A corridor needs two points or more.", field: "corners" };
    const width = Number(width_m);
    if (!(width > 0)) return { error: "Give a width above 0 m.", field: "size" };
    return { shape: { type: "corridor", coordinates: found, width_m: width } };
  }
  const ring = isSame(found[0], found.at(-1)) ? found.slice(0, -1) : found;
  if (ring.length < 3) return { error: "A polygon needs three corners or more.", field: "corners" };
  const [first] = ring;
  return { shape: { type: "polygon", coordinates: [first ? [...ring, first] : ring] } };
}

/** The numbers of a shape; null for what this form cannot hold without loss. */
export function draftOf(shape: Shape): ShapeDraft | null {
  switch (shape.type) {
    case "polygon":
      if (shape.coordinates.length !== 1) return null;
      return { ...EMPTY_SHAPE, corners: lines(shape.coordinates[0]?.slice(0, -1) ?? []) };
    case "circle":
      return {
        ...EMPTY_SHAPE,
        kind: "circle",
        lon: String(shape.center[0]),
        lat: String(shape.center[1]),
        radius_m: String(shape.radius_m),
      };
    case "corridor":
      return {
        ...EMPTY_SHAPE,
        kind: "corridor",
        corners: lines(shape.coordinates),
        width_m: String(shape.width_m),
      };
    case "multipolygon":
      return null;
    default:
      return shape satisfies never;
  }
}

export function described(shape: Shape): string {
  switch (shape.type) {
    case "polygon":
      return `Polygon, ${Math.max(0, (shape.coordinates[0]?.length ?? 1) - 1)} corners`;
    case "multipolygon":
      return `${shape.coordinates.length} polygons`;
    case "circle":
      return `Circle, ${metres(shape.radius_m)} radius`;
    case "corridor":
      return `Corridor, ${metres(shape.width_m)} wide`;
    default:
      return shape satisfies never;
  }
}
