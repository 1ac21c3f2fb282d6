import type { Asset } from "../wire/rest";
import type { Fleet } from "./fleet";
import { type Speed, speedOf } from "./speed";
import { STATUSES, type Status, statusOf } from "./status";

/** An asset as lists show it: its card from the server joined with its live row. */
export type Entry = {
  id: number;
  name: string;
  kind: string;
  tags: readonly string[];
  status: Status;
  is_alerting: boolean;
  motion_since: number | null;
  speed: Speed | null;
  course_deg: number | null;
  fix_at: number | null;
  lon_deg: number | null;
  lat_deg: number | null;
};

export type Counts = Record<Status | "all" | "alerting", number>;
export type Bounds = { west: number; south: number; east: number; north: number };

/** All ids by name, and what was made of each when its row had that version. */
type Ordered = {
  version: number;
  membership: number;
  ids: number[];
  slots: Int32Array;
  intervals: (number | null)[];
  versions: Uint32Array;
  made: Entry[];
};

/** Who is in the fleet: names and reporting intervals, and who has an open alert. */
export class Roster {
  private assets = new Map<number, Asset>();
  private alerting: ReadonlySet<number> = new Set();
  private ordered: Ordered | null = null;
  version = 0;

  set(assets: readonly Asset[]): void {
    this.assets = new Map(assets.map((asset) => [asset.id, asset]));
    this.version += 1;
  }

  setAlerting(ids: ReadonlySet<number>): void {
    this.alerting = ids;
    this.version += 1;
  }

  get size(): number {
    return this.assets.size;
  }

  asset(id: number): Asset | undefined {
    return this.assets.get(id);
  }

  name(id: number): string {
    return this.assets.get(id)?.name ?? `Asset ${id}`;
  }

  interval(id: number): number | null {
    return this.assets.get(id)?.expected_interval_s ?? null;
  }

  isAlerting(id: number): boolean {
    return this.alerting.has(id);
  }

  /** Every asset known from either side, by name. What did not change is the same object. */
  entries(fleet: Fleet, now: number): Entry[] {
    const { ids, slots, intervals, versions, made } = this.order(fleet);
    for (let at = 0; at < ids.length; at++) {
      const slot = slots[at] ?? -1;
      const version = fleet.versionAt(slot);
      const known = made[at];
      const isSame = known && versions[at] === version;
      if (isSame && statusOf(fleet, slot, intervals[at] ?? null, now) === known.status) continue;
      versions[at] = version;
      made[at] = this.entry(fleet, ids[at] ?? 0, now);
    }
    return [...made];
  }

  /** Sorting thousands of names is dear, and they seldom change. */
  private order(fleet: Fleet): Ordered {
    const known = this.ordered;
    const isFresh = known?.version === this.version && known.membership === fleet.membership;
    if (known && isFresh) return known;
    const ids = [...new Set([...this.assets.keys(), ...fleet.idList()])];
    const names = new Map(ids.map((id) => [id, this.name(id)]));
    const nameOf = (id: number) => names.get(id) ?? "";
    ids.sort((a, b) => byName.compare(nameOf(a), nameOf(b)) || a - b);
    this.ordered = {
      version: this.version,
      membership: fleet.membership,
      ids,
      slots: Int32Array.from(ids, (id) => fleet.slot(id) ?? -1),
      intervals: ids.map((id) => this.interval(id)),
      versions: new Uint32Array(ids.length),
      made: [],
    };
    return this.ordered;
  }

  entry(fleet: Fleet, id: number, now: number): Entry {
    const asset = this.assets.get(id);
    const slot = fleet.slot(id) ?? -1;
    const lon_e7 = fleet.int("lon_e7", slot);
    const lat_e7 = fleet.int("lat_e7", slot);
    const course_cdeg = fleet.int("course_cdeg", slot);
    return {
      id,
      name: this.name(id),
      kind: asset?.kind ?? "",
      tags: asset?.tags ?? [],
      status: statusOf(fleet, slot, this.interval(id), now),
      is_alerting: this.alerting.has(id),
      motion_since: fleet.time("motion_since", slot),
      speed: speedOf(fleet, slot),
      course_deg: course_cdeg === null ? null : course_cdeg / 100,
      fix_at: fleet.time("fix_at", slot),
      lon_deg: lon_e7 === null ? null : lon_e7 / 1e7,
      lat_deg: lat_e7 === null ? null : lat_e7 / 1e7,
    };
  }
}

const byName = new Intl.Collator(undefined, { numeric: true });

export function counts(entries: readonly Entry[]): Counts {
  const zero = Object.fromEntries(STATUSES.map((name) => [name, 0])) as Record<Status, number>;
  const found: Counts = { ...zero, all: entries.length, alerting: 0 };
  for (const entry of entries) {
    found[entry.status] += 1;
    if (entry.is_alerting) found.alerting += 1;
  }
  return found;
}

export type Filter = {
  text: string;
  states: ReadonlySet<Status | "alerting">;
  within: Bounds | null;
};

export function matching(entries: readonly Entry[], filter: Filter): Entry[] {
  const words = filter.text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter(
    (entry) =>
      hasState(entry, filter.states) &&
      (filter.within === null || isWithin(entry, filter.within)) &&
      words.every((word) => says(entry, word)),
  );
}

function hasState(entry: Entry, states: Filter["states"]): boolean {
  if (states.size === 0) return true;
  return states.has(entry.status) || (entry.is_alerting && states.has("alerting"));
}

function says(entry: Entry, word: string): boolean {
  return [entry.name, entry.kind, ...entry.tags].some((text) => text.toLowerCase().includes(word));
}

export function isWithin(entry: Entry, { west, south, east, north }: Bounds): boolean {
  if (entry.lon_deg === null || entry.lat_deg === null) return false;
  if (entry.lat_deg < south || entry.lat_deg > north) return false;
  // The view may reach over the date line: its longitudes then run past ±180.
  return [-360, 0, 360].some(
    (turn) =>
      entry.lon_deg !== null && entry.lon_deg + turn >= west && entry.lon_deg + turn <= east,
  );
}
