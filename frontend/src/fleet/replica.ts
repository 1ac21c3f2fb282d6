import type { Delta, Snapshot } from "../wire/live";
import { Fleet } from "./fleet";

/** After a gap all is "waiting" until the snapshot comes, so that it is asked for once. */
export type Taken = "applied" | "gap" | "waiting";

/**
 * The server's fleet as seen from here: a snapshot and the deltas since, in
 * order. After a gap it keeps showing what it had and takes nothing until the
 * next snapshot.
 */
export class Replica {
  readonly fleet: Fleet;
  private at: { epoch: string; seq: number } | null = null;

  constructor(fleet = new Fleet()) {
    this.fleet = fleet;
  }

  /** Where to resume; `epoch` null asks for a snapshot. */
  get position(): { epoch: string | null; seq: number } {
    return this.at ?? { epoch: null, seq: 0 };
  }

  take(frame: Snapshot | Delta): Taken {
    if (frame.type === "delta" && this.at === null) return "waiting";
    if (frame.type === "delta" && !this.follows(frame)) {
      this.at = null;
      return "gap";
    }
    if (frame.type === "snapshot") this.fleet.replace(frame.assets);
    else {
      this.fleet.remove(frame.gone);
      this.fleet.upsert(frame.assets);
    }
    this.at = { epoch: frame.epoch, seq: frame.seq };
    return "applied";
  }

  private follows(delta: Delta): boolean {
    return this.at !== null && this.at.epoch === delta.epoch && this.at.seq === delta.prev;
  }
}
