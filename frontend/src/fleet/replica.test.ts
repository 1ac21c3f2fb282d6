import { describe, expect, it } from "vitest";
import type { Delta } from "../wire/live";
import { CHOICES, type LiveRow, NAMES, QUANTITIES, TIMES } from "../wire/live_columns";
import { columnsOf } from "./columns";
import { Fleet } from "./fleet";
import { Replica } from "./replica";
import { seeded } from "./seeded";

/** Something in each column, whatever columns there are, and a place that fits the globe. */
function randomRow(id: number, random: () => number): LiveRow {
  const some = (top: number) => (random() < 0.2 ? null : Math.floor(random() * top));
  const columns = [
    ...QUANTITIES.map((name) => [name, some(40_000)]),
    ...TIMES.map((name) => [name, some(2e12)]),
    ...CHOICES.map((name) => [name, NAMES[name][some(NAMES[name].length) ?? -1] ?? null]),
  ];
  const has_fix = random() < 0.8;
  return {
    ...(Object.fromEntries(columns) as LiveRow),
    id,
    lon_e7: has_fix ? Math.floor((random() - 0.5) * 3.6e9) : null,
    lat_e7: has_fix ? Math.floor((random() - 0.5) * 1.8e9) : null,
    fix_at: has_fix ? 1_732_300_000_000 + Math.floor(random() * 1e6) : null,
  };
}

const snapshot = (rows: LiveRow[], seq: number, epoch = "a") => ({
  type: "snapshot" as const,
  epoch,
  seq,
  server_time: 0,
  tick_ms: 250,
  assets: columnsOf(rows),
});
const delta = (rows: LiveRow[], gone: number[], prev: number, seq: number, epoch = "a"): Delta => ({
  type: "delta",
  epoch,
  prev,
  seq,
  server_time: 0,
  tick_ms: 250,
  assets: columnsOf(rows),
  gone,
});

function contents(fleet: Fleet): (LiveRow | null)[] {
  return [...fleet.idList()].sort((a, b) => a - b).map((id) => fleet.row(id));
}

/** The server's side of the law: a plain map that makes frames as it changes. */
function changeSome(
  world: Map<number, LiveRow>,
  random: () => number,
): { rows: LiveRow[]; gone: number[] } {
  const known = [...world.keys()];
  const gone = known.filter(() => random() < 0.05);
  for (const id of gone) world.delete(id);
  const touched = new Set(
    Array.from({ length: 1 + Math.floor(random() * 30) }, () => 1 + Math.floor(random() * 3000)),
  );
  const rows = [...touched].filter((id) => !gone.includes(id)).map((id) => randomRow(id, random));
  for (const row of rows) world.set(row.id, row);
  return { rows, gone };
}

describe("a snapshot and the deltas since", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("equal a fresh snapshot (seed %i)", (seed) => {
    const random = seeded(seed);
    const world = new Map<number, LiveRow>();
    for (let id = 1; id <= 1500; id++) world.set(id, randomRow(id, random));
    const follower = new Replica();
    follower.take(snapshot([...world.values()], 1));
    // The count is of all viewers' ticks: one viewer's frames skip numbers.
    for (let seq = 1; seq < 80; ) {
      const { rows, gone } = changeSome(world, random);
      const prev = seq;
      seq += 1 + Math.floor(random() * 3);
      expect(follower.take(delta(rows, gone, prev, seq))).toBe("applied");
    }
    const fresh = new Replica();
    fresh.take(snapshot([...world.values()], 80));
    expect(contents(follower.fleet)).toEqual(contents(fresh.fleet));
    expect(follower.fleet.size).toBe(world.size);
  });
});

describe("gaps", () => {
  const one = randomRow(1, seeded(1));

  it("are seen in the sequence and in the epoch", () => {
    for (const broken of [delta([], [], 6, 7), delta([], [], 4, 6), delta([], [], 5, 6, "b")]) {
      const replica = new Replica();
      replica.take(snapshot([one], 5));
      expect(replica.take(broken)).toBe("gap");
      expect(replica.position).toEqual({ epoch: null, seq: 0 });
    }
  });

  it("keep what was there and take nothing until a snapshot comes", () => {
    const replica = new Replica();
    replica.take(snapshot([one], 5));
    replica.take(delta([], [1], 8, 9));
    expect(replica.take(delta([], [1], 5, 6))).toBe("waiting");
    expect(replica.fleet.row(1)).toEqual(one);
    expect(replica.take(snapshot([], 10, "b"))).toBe("applied");
    expect(replica.position).toEqual({ epoch: "b", seq: 10 });
    expect(replica.fleet.size).toBe(0);
  });
});

describe("a name that this console does not know yet", () => {
  it("is not reported", () => {
    const fleet = new Fleet();
    fleet.upsert({ ...columnsOf([{ id: 1 }, { id: 2 }]), method: ["telepathy", "gnss"] });
    expect(fleet.row(1)?.method).toBeNull();
    expect(fleet.row(2)?.method).toBe("gnss");
  });
});

describe("changes for the map", () => {
  it("name each asset once and forget the gone", () => {
    const fleet = new Fleet();
    const rows = [randomRow(1, seeded(1)), randomRow(2, seeded(2))];
    fleet.replace(columnsOf(rows));
    fleet.upsert(columnsOf(rows));
    fleet.remove([2]);
    expect(fleet.takeChanges()).toEqual({ changed: [1], gone: [2] });
    expect(fleet.takeChanges()).toEqual({ changed: [], gone: [] });
  });

  it("gives a freed slot to the next asset", () => {
    const fleet = new Fleet();
    fleet.replace(columnsOf([randomRow(1, seeded(1))]));
    fleet.remove([1]);
    fleet.upsert(columnsOf([randomRow(9, seeded(2))]));
    expect(fleet.slot(9)).toBe(0);
    expect(fleet.slots).toBe(1);
  });
});
