/** The real engine under a fleet that never was: what each tick costs the page's main thread. */
import "../src/panels/styles";
import { columnsOf } from "../src/fleet/columns";
import { LiveState } from "../src/fleet/live_state";
import { counts, matching } from "../src/fleet/roster";
import { seeded } from "../src/fleet/seeded";
import { LiveMap } from "../src/map/live_map";
import { readFrame } from "../src/wire/live";

const STEP_DEG = 0.002;
const TOWNS = 300;
const WARM_UP = 12;
const NO_FILTER = { text: "", states: new Set<never>(), within: null };

type Scene = { assets: number; changes: number; ticks: number; is_native: boolean; zoom: number };
/** Milliseconds, one for each tick. */
type Costs = Record<"decode" | "apply" | "map" | "list", number[]>;
type Step = "engine" | "list";

/** Assets around towns, as they are, and not spread evenly. */
class World {
  private readonly random = seeded(7);
  private readonly lon_deg: Float64Array;
  private readonly lat_deg: Float64Array;
  private readonly course_deg: Float64Array;
  now = Date.now() - 1_000;
  seq = 1;

  constructor(assets: number) {
    this.lon_deg = new Float64Array(assets);
    this.lat_deg = new Float64Array(assets);
    this.course_deg = new Float64Array(assets);
    const towns = Array.from({ length: TOWNS }, () => [
      this.random() * 30 - 5,
      40 + this.random() * 18,
    ]);
    const apart = () => (this.random() - 0.5) * this.random() * 1.2;
    for (let at = 0; at < assets; at++) {
      const [lon = 0, lat = 0] = towns[Math.floor(this.random() ** 2 * TOWNS)] ?? [];
      this.lon_deg[at] = lon + apart();
      this.lat_deg[at] = lat + apart();
      this.course_deg[at] = this.random() * 360;
    }
  }

  snapshot(): string {
    return this.frame("snapshot", [...this.lon_deg.keys()]);
  }

  /** The text of a delta in which so many assets moved on by some 200 m. */
  delta(changes: number): string {
    const moved = new Set<number>();
    while (moved.size < changes) moved.add(Math.floor(this.random() * this.lon_deg.length));
    for (const at of moved) {
      const course = ((this.course_deg[at] ?? 0) * Math.PI) / 180;
      this.lon_deg[at] = (this.lon_deg[at] ?? 0) + Math.sin(course) * STEP_DEG;
      this.lat_deg[at] = (this.lat_deg[at] ?? 0) + Math.cos(course) * STEP_DEG;
    }
    this.seq += 1;
    return this.frame("delta", [...moved]);
  }

  private frame(type: "snapshot" | "delta", rows: number[]): string {
    const time = Math.round(this.now);
    const assets = columnsOf(
      rows.map((at) => ({
        id: at + 1,
        lon_e7: Math.round((this.lon_deg[at] ?? 0) * 1e7),
        lat_e7: Math.round((this.lat_deg[at] ?? 0) * 1e7),
        fix_at: time,
        measured_at: time,
        received_at: time,
        speed_mms: at % 3 === 0 ? 0 : 8_000 + at,
        motion: at % 3 === 0 ? "resting" : "moving",
        motion_since: time,
        course_cdeg: Math.round((this.course_deg[at] ?? 0) * 100),
        accuracy_dm: 50,
        method: "gnss",
        battery: at % 100,
      })),
    );
    const common = { epoch: "a", seq: this.seq, server_time: time, tick_ms: 1_000, assets };
    return JSON.stringify({ type, ...common, prev: this.seq - 1, gone: [] });
  }
}

const frames = (many: number) =>
  new Promise<void>((done) => {
    const wait = (left: number) =>
      left === 0 ? done() : requestAnimationFrame(() => wait(left - 1));
    wait(many);
  });

const timed = <T>(into: number[], work: () => T): T => {
  const begun = performance.now();
  const made = work();
  into.push(performance.now() - begun);
  return made;
};

async function opened(live: LiveState, is_native: boolean, isStill: boolean): Promise<LiveMap> {
  const map = await LiveMap.create({
    fleet: live.fleet,
    roster: live.roster,
    basemap: { url: "/basemap/world.pmtiles", attribution: "" },
    theme: "light",
    isStill,
    isNative: is_native,
  });
  const host = document.createElement("div");
  host.className = "map-host";
  host.style.cssText = "position:relative;inset:auto;width:640px;height:400px";
  document.getElementById("map")?.append(host);
  const nothing = () => undefined;
  map.mount(host, { picked: nothing, moved: nothing, detail: nothing, lost: nothing });
  return map;
}

function peopled(scene: Pick<Scene, "assets">): { live: LiveState; world: World } {
  const live = new LiveState();
  const world = new World(scene.assets);
  live.setAssets(
    Array.from({ length: scene.assets }, (_, at) => ({
      id: at + 1,
      organisation: 1,
      name: `Van ${at + 1}`,
      kind: "van",
      tags: [],
      expected_interval_s: 60,
    })),
  );
  const frame = readFrame(world.snapshot());
  if (frame.type === "snapshot") live.take(frame, Date.now());
  return { live, world };
}

/** A fleet on a map, ready for its ticks; their frames are made beforehand. */
class Stage {
  private readonly live: LiveState;
  private readonly map: LiveMap;
  private readonly texts: string[];
  private readonly costs: Costs = { decode: [], apply: [], map: [], list: [] };
  private readonly drawn: number[] = [];
  private clock = Date.now();

  private constructor(live: LiveState, map: LiveMap, texts: string[]) {
    this.live = live;
    this.map = map;
    this.texts = texts;
    // Each tick is a second, however fast they follow each other here.
    Date.now = () => this.clock;
    map.onDrawn = (ms) => this.drawn.push(ms);
  }

  static async set(scene: Scene): Promise<Stage> {
    const { live, world } = peopled(scene);
    const map = await opened(live, scene.is_native, false);
    map.setView({ lon_deg: 10, lat_deg: 49, zoom: scene.zoom });
    await map.settled();
    map.refresh();
    await frames(4);
    const texts = Array.from({ length: scene.ticks + WARM_UP }, () => {
      world.now += 1_000;
      return world.delta(scene.changes);
    });
    const stage = new Stage(live, map, texts);
    stage.play("engine", WARM_UP);
    for (const list of Object.values(stage.costs)) list.length = 0;
    await frames(4);
    stage.drawn.length = 0;
    return stage;
  }

  /** One tick after the other, and nothing else: no frame comes between. */
  play(step: Step, ticks: number): void {
    for (let tick = 0; tick < ticks; tick++) {
      if (step === "engine") this.tick(this.texts.shift() ?? "");
      else timed(this.costs.list, () => this.look());
    }
  }

  /** What each step took by the clock on the wall, and our share of a frame. */
  async end(): Promise<Costs & { draw: number[] }> {
    for (let many = 0; many < 5; many++) {
      this.map.refresh();
      await frames(2);
    }
    this.map.remove();
    document.getElementById("map")?.replaceChildren();
    return { ...this.costs, draw: this.drawn };
  }

  private tick(text: string): void {
    this.clock += 1_000;
    const frame = timed(this.costs.decode, () => readFrame(text));
    if (frame.type !== "delta") throw new Error("a delta was made");
    timed(this.costs.apply, () => this.live.take(frame, Date.now()));
    timed(this.costs.map, () => this.map.refresh());
  }

  private look(): void {
    const entries = this.live.freshEntries();
    counts(entries);
    matching(entries, NO_FILTER);
  }
}

let stage: Stage | null = null;

/** Points at random places of the same picture with both layers; answers how often they agree. */
async function picks(
  assets: number,
  points: number,
): Promise<{ agree: number; hits: number; own: number }> {
  const { live } = peopled({ assets });
  const twin = peopled({ assets }).live;
  const [own, native] = [await opened(live, false, true), await opened(twin, true, true)];
  for (const map of [own, native]) {
    map.setView({ lon_deg: 10, lat_deg: 49, zoom: 4.5 });
    await map.settled();
    map.refresh();
    await map.settled();
  }
  const random = seeded(3);
  let [agree, hits, own_hits] = [0, 0, 0];
  for (let many = 0; many < points; many++) {
    const point = { x: random() * 640, y: random() * 400 };
    const [mine, theirs] = [own.pick(point), native.pick(point)];
    if (mine === theirs) agree += 1;
    if (theirs !== null) hits += 1;
    if (mine !== null) own_hits += 1;
  }
  for (const map of [own, native]) map.remove();
  document.getElementById("map")?.replaceChildren();
  return { agree, hits, own: own_hits };
}

const bench = {
  async set(scene: Scene) {
    stage = await Stage.set(scene);
  },
  play: (step: Step, ticks: number) => stage?.play(step, ticks),
  end: () => stage?.end(),
  picks,
};
export type Bench = typeof bench;
(globalThis as unknown as { bench: Bench }).bench = bench;
