import { describe, expect, it } from "vitest";
import { columnsOf } from "../fleet/columns";
import { Fleet } from "../fleet/fleet";
import { lookName } from "../fleet/look";
import { Roster } from "../fleet/roster";
import { seeded } from "../fleet/seeded";
import { STATUSES } from "../fleet/status";
import type { Columns } from "../wire/live";
import type { LonLat } from "../wire/rest";
import type { AssetLayer, Mark } from "./asset_layer";
import { AssetScene } from "./asset_scene";
import { type Cluster, FOLDS_FROM, type Foldable, folded } from "./folding";
import { lonlatOf, STEPS, stepsBetween, stepsOf } from "./mercator";
import { feature } from "./native_asset_layer";
import { EPOCH_LASTS_MS, Sprites, STRIDE_BYTES } from "./sprites";

const NOW = 1_732_300_000_000;
const SEEDS = [1, 2, 3, 4, 5];

function randomMark(id: number, random: () => number): Mark {
  const place = (): LonLat => [random() * 360 - 180, random() * 160 - 80];
  const [from, to] = [place(), place()];
  const isGliding = random() < 0.5;
  const glide = { from, to, started: NOW - 1_000 * random(), duration_ms: 1 + 10_000 * random() };
  return {
    id,
    lon_deg: to[0],
    lat_deg: to[1],
    glide: isGliding ? glide : null,
    status: STATUSES[Math.floor(random() * STATUSES.length)] ?? "moving",
    course_deg: random() < 0.2 ? null : random() * 360,
    is_selected: random() < 0.1,
    is_alerting: random() < 0.2,
    is_folded: random() < 0.3,
  };
}

/** Puts and removes at random; answers what should be there in the end. */
function played(seed: number, sprites: Sprites): Map<number, Mark> {
  const random = seeded(seed);
  const marks = new Map<number, Mark>();
  for (let step = 0; step < 4_000; step++) {
    const id = 1 + Math.floor(random() * 1_500);
    if (random() < 0.2) {
      sprites.remove(id);
      marks.delete(id);
    } else {
      const mark = randomMark(id, random);
      sprites.put(mark);
      marks.set(id, mark);
    }
  }
  return marks;
}

describe("the world in steps", () => {
  it("gives every place back to within a centimetre", () => {
    const random = seeded(1);
    for (let many = 0; many < 500; many++) {
      const [lon, lat] = [random() * 360 - 180, random() * 170 - 85] as const;
      const [back_lon, back_lat] = lonlatOf(...stepsOf([lon, lat]));
      expect(back_lon).toBeCloseTo(lon, 6);
      expect(back_lat).toBeCloseTo(lat, 6);
    }
  });

  it("goes the short way over the date line", () => {
    const [west] = stepsOf([179.9, 0]);
    const [east] = stepsOf([-179.9, 0]);
    expect(stepsBetween(west, east)).toBeCloseTo((0.2 / 360) * STEPS, -2);
    expect(stepsBetween(east, west)).toBeCloseTo((-0.2 / 360) * STEPS, -2);
  });
});

describe("sprites", () => {
  it.each(SEEDS)("hold the same state for each asset as MapLibre's layers (seed %i)", (seed) => {
    const sprites = new Sprites(NOW);
    const marks = played(seed, sprites);
    expect(sprites.size).toBe(marks.size);
    for (const mark of marks.values()) {
      const { look, alerting, selected, folded: isFolded } = feature(mark).properties ?? {};
      expect(look).toBe(lookName(mark.status, mark.course_deg));
      expect(sprites.lookOf(mark.id)).toEqual({
        name: look,
        is_alerting: alerting,
        is_selected: selected,
        is_folded: isFolded,
      });
    }
  });

  it.each(SEEDS)("are picked where they are drawn by now (seed %i)", (seed) => {
    const sprites = new Sprites(NOW);
    const marks = played(seed, sprites);
    const random = seeded(seed + 100);
    const [x, y] = stepsOf([10, 40]);
    const view = { x, y, px_per_step: 2_000 / STEPS };
    const away = (mark: Mark, point: { x: number; y: number }) => {
      const part = mark.glide
        ? Math.min(1, Math.max(0, (NOW + 500 - mark.glide.started) / mark.glide.duration_ms))
        : 1;
      const to = stepsOf([mark.lon_deg, mark.lat_deg]);
      const from = mark.glide ? stepsOf(mark.glide.from) : to;
      const along = (axis: 0 | 1) =>
        (stepsBetween(axis === 0 ? x : y, from[axis]) + part * stepsBetween(from[axis], to[axis])) *
        view.px_per_step;
      return Math.hypot(along(0) - point.x, along(1) - point.y);
    };
    for (let many = 0; many < 50; many++) {
      const point = { x: random() * 800 - 400, y: random() * 600 - 300 };
      const seen = [...marks.values()].filter((mark) => !mark.is_folded);
      const closest = Math.min(...seen.map((mark) => away(mark, point)));
      const picked = sprites.nearest(point, 14, view, NOW + 500);
      const found = picked === null ? undefined : marks.get(picked);
      if (closest > 14.01) expect(picked).toBeNull();
      else expect(found && away(found, point)).toBeCloseTo(closest, 1);
    }
  });

  it("upload only the stretch that changed, and all of it after a loss", () => {
    const sprites = new Sprites(NOW);
    const random = seeded(1);
    for (let id = 1; id <= 100; id++) sprites.put(randomMark(id, random));
    expect(sprites.takeDirty()?.bytes.byteLength).toBe(100 * STRIDE_BYTES);
    expect(sprites.takeDirty()).toBeNull();
    sprites.put(randomMark(11, random));
    sprites.remove(13);
    const dirty = sprites.takeDirty();
    expect([dirty?.from_row, dirty?.bytes.byteLength]).toEqual([10, 3 * STRIDE_BYTES]);
    sprites.touchAll();
    expect(sprites.takeDirty()?.bytes.byteLength).toBe(100 * STRIDE_BYTES);
  });

  it("are drawn in the same place after their clock began anew", () => {
    const sprites = new Sprites(NOW);
    const glide = { from: [0, 0], to: [1, 0], started: NOW, duration_ms: 10_000 };
    const mark = { ...randomMark(1, seeded(1)), is_folded: false, lon_deg: 1, lat_deg: 0 };
    sprites.put({ ...mark, glide: glide as Mark["glide"] });
    const [x, y] = stepsOf([0.5, 0]);
    const view = { x, y, px_per_step: 1e6 / STEPS };
    expect(sprites.nearest({ x: 0, y: 0 }, 2, view, NOW + 5_000)).toBe(1);
    sprites.renew(NOW + 2_000);
    expect(sprites.nearest({ x: 0, y: 0 }, 2, view, NOW + 5_000)).toBe(1);
    sprites.renew(NOW + 2 * EPOCH_LASTS_MS);
    const [end] = stepsOf([1, 0]);
    expect(sprites.nearest({ x: 0, y: 0 }, 2, { ...view, x: end }, NOW + 2 * EPOCH_LASTS_MS)).toBe(
      1,
    );
  });
});

describe("folding", () => {
  const crowd = (random: () => number): Foldable[] =>
    Array.from({ length: 3_000 }, (_, id) => {
      const [x, y] = stepsOf([10 + random() ** 3 * 8, 45 + random() ** 3 * 5]);
      return { x, y, status: STATUSES[id % STATUSES.length] ?? "moving", is_alone: id % 50 === 0 };
    });

  it.each(SEEDS)("loses nobody and counts nobody twice (seed %i)", (seed) => {
    const assets = crowd(seeded(seed));
    for (const zoom of [2, 5.5, 8, 11.9]) {
      const { clusters, is_folded } = folded(assets, zoom);
      const counted = clusters.reduce((sum, { count }) => sum + count, 0);
      expect(counted).toBe(is_folded.filter(Boolean).length);
      expect(assets.some(({ is_alone }, at) => is_alone && is_folded[at] === 1)).toBe(false);
      for (const { count, parts } of clusters) {
        expect(parts.reduce((sum, part) => sum + part)).toBe(count);
      }
    }
  });

  it.each(SEEDS)("leaves room between clusters, and enough of the picture (seed %i)", (seed) => {
    const assets = crowd(seeded(seed));
    const zoom = 7;
    const px = (512 * 2 ** zoom) / STEPS;
    const { clusters, is_folded } = folded(assets, zoom);
    const gaps = clusters.flatMap((a, index) =>
      clusters.slice(index + 1).map((b) => Math.hypot(a.x - b.x, a.y - b.y) * px),
    );
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(52);
    const drawn = is_folded.filter((folds) => folds === 0).length;
    expect(drawn + clusters.length).toBeLessThan(assets.length / 4);
  });

  it("gives each cluster the box of its members, to go there", () => {
    const places = [
      [10, 50],
      [10.01, 50.02],
      [10.02, 50.01],
      [10.005, 50.005],
    ] as const;
    const assets = places.map(([lon, lat]) => {
      const [x, y] = stepsOf([lon, lat]);
      return { x, y, status: "moving" as const, is_alone: false };
    });
    const [cluster] = folded(assets, 3).clusters;
    const { west = 0, north = 0, east = 0, south = 0 } = cluster?.box ?? {};
    const corners = [...lonlatOf(west, north), ...lonlatOf(east, south)];
    expect(corners.map((deg) => Number(deg.toFixed(4)))).toEqual([10, 50.02, 10.02, 50]);
  });
});

/** A layer that only remembers. */
class Remembering implements AssetLayer {
  readonly marks = new Map<number, Mark>();
  clusters: readonly Cluster[] = [];
  readonly glides: boolean;
  constructor(glides: boolean) {
    this.glides = glides;
  }
  attach(): void {}
  put(marks: readonly Mark[], gone: readonly number[]): void {
    for (const id of gone) this.marks.delete(id);
    for (const mark of marks) this.marks.set(mark.id, mark);
  }
  cluster(clusters: readonly Cluster[]): void {
    this.clusters = clusters;
  }
  pick(): null {
    return null;
  }
  looks() {
    return [...this.marks.values()]
      .sort((a, b) => a.id - b.id)
      .map(({ lon_deg, lat_deg, glide, ...look }) => ({
        ...look,
        at: glide?.to ?? [lon_deg, lat_deg],
      }));
  }
}

const WORLD = { box: { west: -180, south: -85, east: 180, north: 85 }, zoom: 6 };

function columns(ids: readonly number[], random: () => number, now: number): Columns {
  return columnsOf(
    ids.map((id) => ({
      id,
      lon_e7: random() < 0.05 ? null : Math.round(random() * 3e7),
      lat_e7: Math.round(45e7 + random() * 3e7),
      fix_at: now - Math.round(random() * 400_000),
      measured_at: now,
      received_at: now,
      motion: ([null, "moving", "resting"] as const)[Math.floor(random() * 3)] ?? null,
      course_cdeg: random() < 0.2 ? null : Math.round(random() * 35_999),
      accuracy_dm: 50,
      method: "gnss",
    })),
  );
}

const LABELS = { put: () => undefined, putCounts: () => undefined };

/** One scene for each kind of layer, each the one reader of its own fleet, over the same life. */
function lived(seed: number) {
  const random = seeded(seed);
  const roster = new Roster();
  const sides = [true, false].map((glides) => {
    const [fleet, layer] = [new Fleet(), new Remembering(glides)];
    return { fleet, layer, scene: new AssetScene(fleet, roster, layer, LABELS) };
  });
  let now = NOW;
  for (let tick = 0; tick < 60; tick++) {
    now += 1_000;
    const many = Math.floor(random() * 80);
    const ids = [...new Set(Array.from({ length: many }, () => 1 + Math.floor(random() * 600)))];
    const rows = columns(ids, random, now);
    if (tick % 7 === 0) roster.setAlerting(new Set(ids.slice(0, 5)));
    for (const { fleet, scene } of sides) {
      // Some go and come back at once, to another place in memory.
      fleet.remove(ids.filter((id) => id % 5 === 0));
      fleet.upsert(rows);
      fleet.remove(ids.filter((id) => id % 37 === 0));
      scene.refresh(WORLD, now);
      if (tick % 9 === 0) scene.select(ids[0] ?? null, WORLD, now);
    }
  }
  for (const { scene } of sides) {
    // As many calls as it takes to look at everyone once more.
    for (let call = 0; call < 12; call++) scene.refresh(WORLD, now);
    scene.look(WORLD, now);
  }
  return { roster, now, sides };
}

describe("the scene", () => {
  it.each(SEEDS)("shows after many changes what it would show at once (seed %i)", (seed) => {
    const { roster, now, sides } = lived(seed);
    const [own, native] = sides.map(({ layer }) => layer);
    const [fleet, layer] = [new Fleet(), new Remembering(true)];
    fleet.upsert(everything(sides[0]?.fleet ?? new Fleet()));
    const scene = new AssetScene(fleet, roster, layer, LABELS);
    scene.refresh(WORLD, now);
    scene.select(selectedOf(own ?? layer), WORLD, now);
    scene.look(WORLD, now);

    const wordsOf = (of = layer) => of.looks().map(({ at, ...look }) => look);
    expect(layer.marks.size).toBeGreaterThan(FOLDS_FROM);
    expect(own?.looks()).toEqual(layer.looks());
    expect(wordsOf(native)).toEqual(wordsOf());
    expect(own?.clusters).toHaveLength(layer.clusters.length);
  });
});

function selectedOf(layer: Remembering): number | null {
  return [...layer.marks.values()].find(({ is_selected }) => is_selected)?.id ?? null;
}

function everything(fleet: Fleet): Columns {
  const rows = [...fleet.idList()].map((id) => fleet.row(id)).filter((row) => row !== null);
  const names = Object.keys(rows[0] ?? {}) as (keyof Columns)[];
  return Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name])])) as Columns;
}
