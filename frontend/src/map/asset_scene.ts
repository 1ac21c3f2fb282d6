import type { Fleet } from "../fleet/fleet";
import type { Roster } from "../fleet/roster";
import { type Status, statusOf } from "../fleet/status";
import type { LonLat } from "../wire/rest";
import type { AssetLayer, Mark } from "./asset_layer";
import type { Box } from "./geometry";
import { Motion } from "./motion";

const LABELS_AT_MOST = 300;
const AGEING_EVERY_MS = 2_000;

/** Decides how each asset is drawn, and hands the layer only what changed. */
export class AssetScene {
  readonly motion = new Motion();
  private readonly fleet: Fleet;
  private readonly roster: Roster;
  private readonly layer: AssetLayer;
  private readonly shown = new Map<
    number,
    { status: Status; label: string; is_alerting: boolean }
  >();
  private labelled: ReadonlySet<number> = new Set();
  private selected: number | null = null;
  private aged_at = 0;

  constructor(fleet: Fleet, roster: Roster, layer: AssetLayer) {
    this.fleet = fleet;
    this.roster = roster;
    this.layer = layer;
  }

  /** Takes what changed in the fleet since the last call. */
  refresh(view: Box | null, now: number): void {
    const { changed, gone } = this.fleet.takeChanges();
    for (const id of gone) {
      this.motion.forget(id);
      this.shown.delete(id);
    }
    for (const id of changed) this.noteFix(id, now);
    const others = now - this.aged_at >= AGEING_EVERY_MS ? this.changedLooks(view, now) : [];
    this.draw(new Set([...changed, ...others]), gone, now);
  }

  select(id: number | null, now: number): void {
    const before = this.selected;
    this.selected = id;
    this.draw(
      [before, id].filter((one) => one !== null),
      [],
      now,
    );
  }

  /** Draws those under way where they are by now. */
  glide(now: number): void {
    this.draw(this.motion.underWay(now), [], now);
  }

  /** Chooses who is labelled in this view. */
  look(view: Box, now: number): void {
    this.draw(this.changedLooks(view, now), [], now);
  }

  place(id: number, now: number): LonLat | null {
    return this.motion.at(id, now);
  }

  *places(now: number): Generator<LonLat> {
    for (const id of this.fleet.idList()) {
      const at = this.motion.at(id, now);
      if (at) yield at;
    }
  }

  private noteFix(id: number, now: number): void {
    const slot = this.fleet.slot(id) ?? -1;
    const [lon, lat] = [this.fleet.int("lon_e7", slot), this.fleet.int("lat_e7", slot)];
    if (lon === null || lat === null) return this.motion.forget(id);
    this.motion.moved(id, [lon / 1e7, lat / 1e7], this.fleet.time("fix_at", slot) ?? 0, now);
  }

  /** Ids whose state aged, whose alert changed or whose label came or went. */
  private changedLooks(view: Box | null, now: number): number[] {
    this.aged_at = now;
    if (view) this.labelled = this.toLabel(view, now);
    return [...this.fleet.idList()].filter((id) => {
      const before = this.shown.get(id);
      if (!before) return this.motion.at(id, now) !== null;
      const look = this.lookOf(id, now);
      return (
        before.status !== look.status ||
        before.label !== look.label ||
        before.is_alerting !== look.is_alerting
      );
    });
  }

  private toLabel(view: Box, now: number): Set<number> {
    const found = new Set<number>();
    for (const id of this.fleet.idList()) {
      const at = this.motion.at(id, now);
      if (
        at &&
        at[0] >= view.west &&
        at[0] <= view.east &&
        at[1] >= view.south &&
        at[1] <= view.north
      ) {
        found.add(id);
        if (found.size > LABELS_AT_MOST) return new Set();
      }
    }
    return found;
  }

  private lookOf(id: number, now: number) {
    const isLabelled = id === this.selected || this.labelled.has(id);
    return {
      status: statusOf(this.fleet, this.fleet.slot(id) ?? -1, this.roster.interval(id), now),
      label: isLabelled ? this.roster.name(id) : "",
      is_alerting: this.roster.isAlerting(id),
    };
  }

  private draw(ids: Iterable<number>, gone: readonly number[], now: number): void {
    const marks: Mark[] = [];
    const unplaced: number[] = [...gone];
    for (const id of ids) {
      const at = this.motion.at(id, now);
      if (!at) {
        unplaced.push(id);
        continue;
      }
      const look = this.lookOf(id, now);
      this.shown.set(id, look);
      const course_deg = (this.fleet.int("course_cdeg", this.fleet.slot(id) ?? -1) ?? 0) / 100;
      marks.push({
        id,
        lon_deg: at[0],
        lat_deg: at[1],
        course_deg,
        is_selected: id === this.selected,
        ...look,
      });
    }
    if (marks.length + unplaced.length > 0) this.layer.put(marks, unplaced);
  }
}
