import type { Columns } from "../wire/live";

/** Stands for "not reported" in the integer columns; no real value reaches it. */
const ABSENT = -2_147_483_648;
const FIRST_CAPACITY = 1024;

/** One asset as last reported, in the units of the wire; null is "not reported". */
export type Row = {
  id: number;
  lon_e7: number | null;
  lat_e7: number | null;
  fix_at: number | null;
  measured_at: number | null;
  received_at: number | null;
  speed_mms: number | null;
  course_cdeg: number | null;
  accuracy_dm: number | null;
  method: string | null;
  battery: number | null;
};

type Store = Int32Array | Float64Array;
const INT_COLUMNS = [
  "lon_e7",
  "lat_e7",
  "speed_mms",
  "course_cdeg",
  "accuracy_dm",
  "battery",
] as const;
const TIME_COLUMNS = ["fix_at", "measured_at", "received_at"] as const;
type IntColumn = (typeof INT_COLUMNS)[number];
type TimeColumn = (typeof TIME_COLUMNS)[number];

function stores<K extends string, S>(names: readonly K[], make: () => S): Record<K, S> {
  return Object.fromEntries(names.map((name) => [name, make()])) as Record<K, S>;
}

/**
 * The newest state of every asset, as a struct of arrays. Each asset has a
 * dense slot that stays its own until it is gone; slots of the gone are used
 * again. Nothing here knows of React, the map or the network.
 */
export class Fleet {
  private capacity = FIRST_CAPACITY;
  private ids = new Uint32Array(FIRST_CAPACITY);
  private versions = new Uint32Array(FIRST_CAPACITY);
  private ints = stores(INT_COLUMNS, () => new Int32Array(FIRST_CAPACITY));
  private times = stores(TIME_COLUMNS, () => new Float64Array(FIRST_CAPACITY));
  private methods: (string | null)[] = [];
  private slotOf = new Map<number, number>();
  private free: number[] = [];
  private readonly dirty = new Set<number>();
  private readonly lost = new Set<number>();
  private top = 0;
  /** Grows with each change, so that a view can tell whether to look again. */
  version = 0;
  /** Grows when an asset comes or goes. */
  membership = 0;
  /** Whether a snapshot has said what there is: until then nothing is not "none". */
  isKnown = false;

  get size(): number {
    return this.slotOf.size;
  }

  /** Slots are below this; some of them may be empty. */
  get slots(): number {
    return this.top;
  }

  slot(id: number): number | undefined {
    return this.slotOf.get(id);
  }

  idList(): IterableIterator<number> {
    return this.slotOf.keys();
  }

  /** Id of the asset in a slot, 0 when the slot is empty. */
  idAt(slot: number): number {
    return this.ids[slot] ?? 0;
  }

  /** The fleet's version when the row of a slot was last set. */
  versionAt(slot: number): number {
    return this.versions[slot] ?? 0;
  }

  int(column: IntColumn, slot: number): number | null {
    const value = this.ints[column][slot];
    return value === undefined || value === ABSENT ? null : value;
  }

  time(column: TimeColumn, slot: number): number | null {
    const value = this.times[column][slot];
    return value === undefined || Number.isNaN(value) ? null : value;
  }

  row(id: number): Row | null {
    const slot = this.slotOf.get(id);
    if (slot === undefined) return null;
    return {
      id,
      lon_e7: this.int("lon_e7", slot),
      lat_e7: this.int("lat_e7", slot),
      fix_at: this.time("fix_at", slot),
      measured_at: this.time("measured_at", slot),
      received_at: this.time("received_at", slot),
      speed_mms: this.int("speed_mms", slot),
      course_cdeg: this.int("course_cdeg", slot),
      accuracy_dm: this.int("accuracy_dm", slot),
      method: this.methods[slot] ?? null,
      battery: this.int("battery", slot),
    };
  }

  /** Makes the fleet exactly what a snapshot says. */
  replace(columns: Columns): void {
    this.isKnown = true;
    const kept = new Set(columns.id);
    this.remove([...this.slotOf.keys()].filter((id) => !kept.has(id)));
    this.upsert(columns);
  }

  /** Sets whole rows, as a delta brings them. */
  upsert(columns: Columns): void {
    this.version += 1;
    const slots = Int32Array.from(columns.id, (id) => this.slotOf.get(id) ?? this.claim(id));
    columns.id.forEach((id, row) => {
      const slot = slots[row] ?? 0;
      this.versions[slot] = this.version;
      this.methods[slot] = columns.method[row] ?? null;
      this.dirty.add(id);
    });
    for (const name of INT_COLUMNS) scatter(columns[name], ABSENT, slots, this.ints[name]);
    for (const name of TIME_COLUMNS) scatter(columns[name], Number.NaN, slots, this.times[name]);
  }

  remove(ids: readonly number[]): void {
    for (const id of ids) {
      const slot = this.slotOf.get(id);
      if (slot === undefined) continue;
      this.slotOf.delete(id);
      this.ids[slot] = 0;
      this.free.push(slot);
      this.dirty.delete(id);
      this.lost.add(id);
      this.membership += 1;
    }
    this.version += 1;
  }

  /** Asks for a redraw of assets whose look changed without a new row. */
  touch(ids: Iterable<number>): void {
    for (const id of ids) if (this.slotOf.has(id)) this.dirty.add(id);
    this.version += 1;
  }

  /** Ids changed and ids gone since the last call; there is one reader, the map. */
  takeChanges(): { changed: number[]; gone: number[] } {
    const changes = { changed: [...this.dirty], gone: [...this.lost] };
    this.dirty.clear();
    this.lost.clear();
    return changes;
  }

  private claim(id: number): number {
    const slot = this.free.pop() ?? this.top++;
    if (slot >= this.capacity) this.grow();
    this.ids[slot] = id;
    this.slotOf.set(id, slot);
    this.lost.delete(id);
    this.membership += 1;
    return slot;
  }

  private grow(): void {
    this.capacity *= 2;
    this.ids = larger(this.ids, new Uint32Array(this.capacity));
    this.versions = larger(this.versions, new Uint32Array(this.capacity));
    for (const name of INT_COLUMNS) {
      this.ints[name] = larger(this.ints[name], new Int32Array(this.capacity));
    }
    for (const name of TIME_COLUMNS) {
      this.times[name] = larger(this.times[name], new Float64Array(this.capacity));
    }
  }
}

/** Puts the values of a column where their assets are. */
function scatter(
  values: readonly (number | null)[],
  absent: number,
  slots: Int32Array,
  into: Store,
): void {
  for (let row = 0; row < slots.length; row++) into[slots[row] ?? 0] = values[row] ?? absent;
}

function larger<S extends Store | Uint32Array>(from: S, to: S): S {
  to.set(from);
  return to;
}
