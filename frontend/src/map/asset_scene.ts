import type { Fleet } from "../fleet/fleet";
import type { Roster } from "../fleet/roster";
import { type Status, statusOf } from "../fleet/status";
import type { LonLat } from "../wire/rest";
import type { AssetLayer, Mark } from "./asset_layer";
import { type Cluster, FOLDS_BELOW_ZOOM, FOLDS_FROM, folded } from "./folding";
import type { Box } from "./geometry";
import type { Label, LabelLayer } from "./label_layer";
import { STEPS, stepsBetween, stepsOf } from "./mercator";
import { type Course, Motion, placeOf } from "./motion";

const LABELS_AT_MOST = 300;
const AGED_WITHIN_TICKS = 5;
const AGED_AT_LEAST = 500;
/** Folding looks at everyone: the more there are, the more seldom. */
const FOLD_AT_MOST_EVERY_MS = 1_000;
const FOLD_MS_PER_ASSET = 0.04;
/** Half of the picture, and a whole one on each side of it. */
const MARGIN = 1.5;
const LABEL_EVERY_MS = 1_000;

/** An asset as it was last handed to the layer. One object for as long as it is there. */
type Drawn = {
  readonly id: number;
  readonly slot: number;
  readonly course: Course;
  interval_s: number | null;
  x: number;
  y: number;
  status: Status;
  is_alerting: boolean;
  is_folded: boolean;
  /** Never folds. */
  is_alone: boolean;
};

export type Look = { box: Box; zoom: number };
export type Labels = Pick<LabelLayer, "put" | "putCounts">;

/** Decides how each asset is drawn, and hands the layers only what changed. */
export class AssetScene {
  readonly motion = new Motion();
  private readonly fleet: Fleet;
  private readonly roster: Roster;
  private readonly layer: AssetLayer;
  private readonly labels: Labels;
  private readonly drawn = new Map<number, Drawn>();
  private all: Drawn[] | null = null;
  private aged_to = 0;
  private labelled: readonly number[] = [];
  private clusters: readonly Cluster[] = [];
  private selected: number | null = null;
  private folded_at = 0;
  private labelled_at = 0;
  private roster_version = -1;

  constructor(fleet: Fleet, roster: Roster, layer: AssetLayer, labels: Labels) {
    this.fleet = fleet;
    this.roster = roster;
    this.layer = layer;
    this.labels = labels;
  }

  /** Takes what changed in the fleet since the last call. */
  refresh(look: Look, now: number): void {
    const { changed, gone } = this.fleet.takeChanges();
    for (const id of gone) this.forget(id);
    const moved: Drawn[] = [];
    const unplaced: number[] = [];
    for (const id of changed) {
      const one = this.noteFix(id, now);
      if (one) moved.push(one);
      else unplaced.push(id);
    }
    this.draw([...moved, ...this.aged(now)], [...gone, ...unplaced], now);
    if (this.layer.glides) this.motion.arrive(now);
    const fold_every_ms = Math.max(FOLD_AT_MOST_EVERY_MS, this.drawn.size * FOLD_MS_PER_ASSET);
    if (now - this.folded_at >= fold_every_ms) this.fold(look, now);
    if (now - this.labelled_at >= LABEL_EVERY_MS) this.label(look, now);
  }

  select(id: number | null, look: Look, now: number): void {
    const before = this.selected;
    this.selected = id;
    const both = [before, id].map((one) => (one === null ? undefined : this.drawn.get(one)));
    for (const one of both) {
      if (!one) continue;
      one.is_alone = one.is_alerting || one.id === id;
      one.is_folded = one.is_folded && !one.is_alone;
    }
    this.draw(
      both.filter((one) => one !== undefined),
      [],
      now,
    );
    this.label(look, now);
  }

  /** Draws those under way where they are by now. */
  glide(now: number): void {
    const isUnderWay = this.layer.glides ? null : new Set(this.motion.underWay(now));
    if (isUnderWay) {
      const marks = [...isUnderWay].map((id) => this.drawn.get(id));
      this.draw(
        marks.filter((one) => one !== undefined),
        [],
        now,
      );
    }
    const isGliding = (id: number) => this.drawn.get(id)?.course.glide !== null;
    if (this.labelled.some((id) => isUnderWay?.has(id) ?? isGliding(id)))
      this.labels.put(this.labelled.flatMap((id) => this.labelOf(id, now)));
  }

  /** The view changed: other assets stand close, and others are labelled. */
  look(look: Look, now: number): void {
    this.fold(look, now);
    this.label(look, now);
  }

  place(id: number, now: number): LonLat | null {
    return this.motion.at(id, now);
  }

  /** Where the newest fix of each asset is. */
  *places(): Generator<LonLat> {
    for (const { course } of this.drawn.values()) yield course.at;
  }

  /** The cluster drawn at a point of the world, in steps, if its middle is so near. */
  clusterAt(x: number, y: number, within_steps: number): Cluster | null {
    const away = (one: Cluster) => Math.hypot(one.x - x, one.y - y);
    const [nearest] = [...this.clusters].sort((a, b) => away(a) - away(b));
    return nearest && away(nearest) <= within_steps ? nearest : null;
  }

  private everyone(): readonly Drawn[] {
    this.all ??= [...this.drawn.values()];
    return this.all;
  }

  private forget(id: number): void {
    this.motion.forget(id);
    if (this.drawn.delete(id)) this.all = null;
  }

  /** What is to be drawn of an asset whose row is new; null if it has no place. */
  private noteFix(id: number, now: number): Drawn | null {
    const slot = this.fleet.slot(id) ?? -1;
    // It may have gone and come back since the last call.
    if (this.drawn.get(id)?.slot !== slot) this.forget(id);
    const [lon_e7, lat_e7] = [this.fleet.int("lon_e7", slot), this.fleet.int("lat_e7", slot)];
    if (lon_e7 === null || lat_e7 === null) {
      this.forget(id);
      return null;
    }
    const course = this.motion.moved(
      id,
      [lon_e7 / 1e7, lat_e7 / 1e7],
      this.fleet.time("fix_at", slot) ?? 0,
      now,
    );
    const one = this.drawn.get(id) ?? this.meet(id, slot, course);
    [one.x, one.y] = stepsOf(course.at);
    this.judge(one, now);
    return one;
  }

  private meet(id: number, slot: number, course: Course): Drawn {
    const interval_s = this.roster.interval(id);
    const flags = { is_alerting: false, is_folded: false, is_alone: id === this.selected };
    const one: Drawn = { id, slot, course, interval_s, x: 0, y: 0, status: "no-fix", ...flags };
    this.drawn.set(id, one);
    this.all = null;
    return one;
  }

  /** Those whose state aged or whose alert changed. A part of all is looked at in each call. */
  private aged(now: number): Drawn[] {
    const all = this.everyone();
    if (this.roster_version !== this.roster.version) {
      this.roster_version = this.roster.version;
      for (const one of all) one.interval_s = this.roster.interval(one.id);
      return all.filter((one) => this.judge(one, now));
    }
    const part = Math.max(AGED_AT_LEAST, Math.ceil(all.length / AGED_WITHIN_TICKS));
    const from = this.aged_to < all.length ? this.aged_to : 0;
    this.aged_to = from + part;
    return all.slice(from, this.aged_to).filter((one) => this.judge(one, now));
  }

  /** Whether the state or the alert of an asset changed. */
  private judge(one: Drawn, now: number): boolean {
    const status = statusOf(this.fleet, one.slot, one.interval_s, now);
    const is_alerting = this.roster.isAlerting(one.id);
    if (status === one.status && is_alerting === one.is_alerting) return false;
    one.status = status;
    one.is_alerting = is_alerting;
    one.is_alone = is_alerting || one.id === this.selected;
    one.is_folded = one.is_folded && !one.is_alone;
    return true;
  }

  /** Folds those that stand close, in the picture and around it. */
  private fold({ box, zoom }: Look, now: number): void {
    this.folded_at = now;
    const isNeeded = this.drawn.size >= FOLDS_FROM && zoom < FOLDS_BELOW_ZOOM;
    if (!isNeeded && this.clusters.length === 0) return;
    const isNear = isNeeded ? around(box) : () => false;
    const near: Drawn[] = [];
    const others: Drawn[] = [];
    for (const one of this.everyone()) {
      if (isNear(one)) near.push(one);
      else if (one.is_folded) others.push(one);
    }
    const { clusters, is_folded } = folded(near, zoom);
    for (const one of others) one.is_folded = false;
    for (let at = 0; at < near.length; at++) {
      const one = near[at];
      if (!one || one.is_folded === (is_folded[at] === 1)) continue;
      one.is_folded = !one.is_folded;
      others.push(one);
    }
    this.clusters = clusters;
    this.layer.cluster(clusters);
    this.labels.putCounts(clusters);
    this.draw(others, [], now);
  }

  /** Chooses who is labelled: the selected one, the alerting, then who else is in view. */
  private label({ box }: Look, now: number): void {
    this.labelled_at = now;
    const urgent: number[] = [];
    const others: number[] = [];
    for (const one of this.everyone()) {
      if (one.id === this.selected) urgent.unshift(one.id);
      else if (one.is_folded || !isWithin(one.course.at, box)) continue;
      else if (one.is_alerting) urgent.push(one.id);
      else if (others.length < LABELS_AT_MOST) others.push(one.id);
    }
    this.labelled = [...urgent, ...others].slice(0, LABELS_AT_MOST);
    this.labels.put(this.labelled.flatMap((id) => this.labelOf(id, now)));
  }

  private labelOf(id: number, now: number): Label[] {
    const one = this.drawn.get(id);
    if (!one) return [];
    const at = placeOf(one.course, now);
    const order = Number(id === this.selected) * 2 + Number(one.is_alerting);
    const isSilent = one.status === "stale" || one.status === "offline";
    const fix_at = isSilent ? this.fleet.time("fix_at", one.slot) : null;
    const silent_s = fix_at === null ? null : (now - fix_at) / 1000;
    return [{ id, at, name: this.roster.name(id), silent_s, order }];
  }

  private draw(assets: readonly Drawn[], gone: readonly number[], now: number): void {
    if (assets.length + gone.length === 0) return;
    const marks: Mark[] = [];
    for (const { id, slot, course, status, is_alerting, is_folded } of assets) {
      const at = placeOf(course, now);
      const course_cdeg = this.fleet.int("course_cdeg", slot);
      marks.push({
        id,
        lon_deg: at[0],
        lat_deg: at[1],
        glide: course.glide,
        status,
        course_deg: course_cdeg === null ? null : course_cdeg / 100,
        is_selected: id === this.selected,
        is_alerting,
        is_folded,
      });
    }
    this.layer.put(marks, gone);
  }
}

/** The view may reach over the date line: its longitudes then run past ±180. */
function isWithin(place: LonLat, { west, south, east, north }: Box): boolean {
  const lon_deg = place[0];
  if (place[1] < south || place[1] > north) return false;
  if (lon_deg >= west && lon_deg <= east) return true;
  if (lon_deg + 360 >= west && lon_deg + 360 <= east) return true;
  return lon_deg - 360 >= west && lon_deg - 360 <= east;
}

/** Says of a place, in steps, whether it is in the box or not further from it than it is wide. */
function around(box: Box): (place: { x: number; y: number }) => boolean {
  const middle: LonLat = [(box.west + box.east) / 2, (box.north + box.south) / 2];
  const [x, y] = stepsOf(middle);
  const reach_x = ((box.east - box.west) / 360) * STEPS * MARGIN;
  const reach_y = Math.abs(stepsOf([0, box.south])[1] - stepsOf([0, box.north])[1]) * MARGIN;
  return (place) =>
    Math.abs(stepsBetween(x, place.x)) <= reach_x && Math.abs(place.y - y) <= reach_y;
}
