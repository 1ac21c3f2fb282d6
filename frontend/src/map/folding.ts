import type { Status } from "../fleet/status";
import { STEPS } from "./mercator";

/** Fewer assets than this are drawn one by one at every scale. */
export const FOLDS_FROM = 200;
export const FOLDS_BELOW_ZOOM = 13;
const STEP_BITS = 32;
/** At zoom 0 the world is eight cells of 64 pixels wide; with each zoom twice as many. */
const CELLS_BITS = 3;
const WORLD_PX = 512;
const FOLDED_FROM = 4;
/** Clusters nearer than this to each other become one. */
const APART_PX = 52;

export type Foldable = { x: number; y: number; status: Status; is_alone: boolean };

/** Assets that would hide each other at this scale, drawn as one. Places in steps of the world. */
export type Cluster = {
  x: number;
  y: number;
  count: number;
  /** How many of each: moving, resting, of unknown motion, silent. */
  parts: [number, number, number, number];
  box: { west: number; north: number; east: number; south: number };
};
/** The clusters, and for each asset whether it is in one. */
export type Folding = { clusters: Cluster[]; is_folded: Uint8Array };

const PART: Record<Status, 0 | 1 | 2 | 3> = {
  moving: 0,
  resting: 1,
  unknown: 2,
  stale: 3,
  offline: 3,
  "no-fix": 3,
};

/**
 * Folds assets that stand close. The cells lie fast on the ground and halve with each whole
 * zoom, so that moving the map changes nothing. Those that are `is_alone` never fold.
 */
export function folded(assets: readonly Foldable[], zoom: number): Folding {
  const whole_zoom = Math.max(0, Math.floor(zoom));
  const shift = STEP_BITS - CELLS_BITS - whole_zoom;
  const numberOf = new Map<number, number>();
  const cells: Cluster[] = [];
  // Of each asset, counted from 1; 0 is nowhere.
  const cellOf = new Int32Array(assets.length);
  for (let at = 0; at < assets.length; at++) {
    const asset = assets[at];
    if (!asset || asset.is_alone) continue;
    // Below the zoom where folding ends this is a small whole number, which maps find fastest.
    const key = ((asset.y >>> shift) << (CELLS_BITS + whole_zoom)) | (asset.x >>> shift);
    let number = numberOf.get(key);
    if (number === undefined) {
      number = cells.push(nobody());
      numberOf.set(key, number);
    }
    cellOf[at] = number;
    take(cells[number - 1] as Cluster, asset);
  }
  const crowded = cells.filter(({ count }) => count >= FOLDED_FROM);
  for (const one of crowded) {
    one.x /= one.count;
    one.y /= one.count;
  }
  const is_folded = new Uint8Array(assets.length);
  for (let at = 0; at < assets.length; at++) {
    is_folded[at] = Number((cells[(cellOf[at] ?? 0) - 1]?.count ?? 0) >= FOLDED_FROM);
  }
  return { clusters: apart(crowded, (APART_PX / WORLD_PX) * (STEPS / 2 ** zoom)), is_folded };
}

function nobody(): Cluster {
  const box = { west: STEPS, north: STEPS, east: 0, south: 0 };
  return { x: 0, y: 0, count: 0, parts: [0, 0, 0, 0], box };
}

/** Counts an asset in. Until all are in, the place of a cluster is the sum of their places. */
function take(cluster: Cluster, { x, y, status }: Foldable): void {
  cluster.count += 1;
  cluster.x += x;
  cluster.y += y;
  cluster.parts[PART[status]] += 1;
  const { box } = cluster;
  if (x < box.west) box.west = x;
  if (x > box.east) box.east = x;
  if (y < box.north) box.north = y;
  if (y > box.south) box.south = y;
}

/** Joins clusters that would overlap, the larger ones first. */
function apart(clusters: readonly Cluster[], apart_steps: number): Cluster[] {
  const kept = new Map<number, Cluster>();
  // So small a square holds no two that stand apart.
  const square = apart_steps / 1.5;
  const at = (value: number) => Math.floor(value / square);
  const columns = at(STEPS) + 5;
  const near = ({ x, y }: Cluster): number | null => {
    for (let row = at(y) - 2; row <= at(y) + 2; row++) {
      for (let column = at(x) - 2; column <= at(x) + 2; column++) {
        const key = row * columns + column;
        const other = kept.get(key);
        if (other && Math.hypot(other.x - x, other.y - y) < apart_steps) return key;
      }
    }
    return null;
  };
  for (const cluster of [...clusters].sort((a, b) => b.count - a.count || a.x - b.x)) {
    const key = near(cluster);
    const other = key === null ? undefined : kept.get(key);
    if (key !== null && other) kept.set(key, joined(other, cluster));
    else kept.set(at(cluster.y) * columns + at(cluster.x), cluster);
  }
  return [...kept.values()];
}

/** The larger one stays where it is: what jumps is hard to follow with the eye. */
function joined(larger: Cluster, smaller: Cluster): Cluster {
  return {
    x: larger.x,
    y: larger.y,
    count: larger.count + smaller.count,
    parts: larger.parts.map((many, at) => many + (smaller.parts[at] ?? 0)) as Cluster["parts"],
    box: {
      west: Math.min(larger.box.west, smaller.box.west),
      east: Math.max(larger.box.east, smaller.box.east),
      north: Math.min(larger.box.north, smaller.box.north),
      south: Math.max(larger.box.south, smaller.box.south),
    },
  };
}

/** How large a cluster is drawn. */
export function radius_px(count: number): number {
  return Math.min(30, 15 + 4.2 * Math.log10(count));
}

const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export function countWord(count: number): string {
  return short.format(count);
}
