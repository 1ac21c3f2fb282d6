import type { Columns } from "../wire/live";
import {
  CHOICES,
  type Choice,
  type LiveRow,
  NAMES,
  type Named,
  QUANTITIES,
  type Quantity,
  TIMES,
  type Time,
} from "../wire/live_columns";

/** Stands for "not reported" in the integer columns; no real value reaches it. */
const ABSENT = -2_147_483_648;
const FIRST_CAPACITY = 1024;

type Store = Int32Array | Float64Array | Uint8Array;

function stores<K extends string, S>(names: readonly K[], make: (name: K) => S): Record<K, S> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<K, S>;
}

/** Names of choices are stored by their place, from 1; 0 is "not reported", or new to us. */
const PLACE_OF = stores(
  CHOICES,
  (column) => new Map<string, number>(NAMES[column].map((name, at) => [name, at + 1])),
);

/**
 * The newest state of every asset, as a struct of arrays. Each asset has a
 * dense slot that stays its own until it is gone; slots of the gone are used
 * again. Nothing here knows of React, the map or the network.
 */
export class Fleet {
  private capacity = FIRST_CAPACITY;
  private ids = new Uint32Array(FIRST_CAPACITY);
  private versions = new Uint32Array(FIRST_CAPACITY);
  private ints = stores(QUANTITIES, () => new Int32Array(FIRST_CAPACITY));
  private times = stores(TIMES, () => new Float64Array(FIRST_CAPACITY));
  private places = stores(CHOICES, () => new Uint8Array(FIRST_CAPACITY));
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

  int(column: Quantity, slot: number): number | null {
    const value = this.ints[column][slot];
    return value === undefined || value === ABSENT ? null : value;
  }

  time(column: Time, slot: number): number | null {
    const value = this.times[column][slot];
    return value === undefined || Number.isNaN(value) ? null : value;
  }

  choice<C extends Choice>(column: C, slot: number): Named<C> | null {
    const names: readonly Named<C>[] = NAMES[column];
    return names[(this.places[column][slot] ?? 0) - 1] ?? null;
  }

  row(id: number): LiveRow | null {
    const slot = this.slotOf.get(id);
    if (slot === undefined) return null;
    return {
      id,
      ...stores(QUANTITIES, (name) => this.int(name, slot)),
      ...stores(TIMES, (name) => this.time(name, slot)),
      ...this.choices(slot),
    };
  }

  private choices(slot: number): Pick<LiveRow, Choice> {
    return stores(CHOICES, (name) => this.choice(name, slot)) as Pick<LiveRow, Choice>;
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
      this.dirty.add(id);
    });
    for (const name of QUANTITIES) scatter(columns[name], ABSENT, slots, this.ints[name]);
    for (const name of TIMES) scatter(columns[name], Number.NaN, slots, this.times[name]);
    for (const name of CHOICES) {
      const values = columns[name].map((value) => PLACE_OF[name].get(value ?? "") ?? null);
      scatter(values, 0, slots, this.places[name]);
    }
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
    for (const name of QUANTITIES) {
      this.ints[name] = larger(this.ints[name], new Int32Array(this.capacity));
    }
    for (const name of TIMES) {
      this.times[name] = larger(this.times[name], new Float64Array(this.capacity));
    }
    for (const name of CHOICES) {
      this.places[name] = larger(this.places[name], new Uint8Array(this.capacity));
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
