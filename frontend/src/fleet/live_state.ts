import type { Delta, List, Snapshot } from "../wire/live";
import type { Alert, Asset, Crossing } from "../wire/rest";
import { AlertBook } from "./alert_book";
import { LagMeter, type Link } from "./clock";
import { Pulse } from "./pulse";
import { Replica, type Taken } from "./replica";
import { type Entry, Roster } from "./roster";

export type Access = "granted" | "signed-out" | "forbidden";
/** Whether a list was read: what did not arrive is not what does not exist. */
export type Arrival = "waiting" | "there" | "failed";
export type ReadList = "assets" | "alerts";
export type News = { type: "crossing"; crossing: Crossing } | { type: "changed"; what: List };

/** Everything the views look at. Whoever changes it rings the pulse. */
export class LiveState {
  readonly replica = new Replica();
  readonly roster = new Roster();
  readonly alerts = new AlertBook();
  readonly lag = new LagMeter();
  readonly pulse = new Pulse(400);
  link: Link = "connecting";
  access: Access = "granted";
  /** How often the server sends to this page: seldom, when the page does not keep up. */
  tick_ms = 0;
  readonly arrival: Record<ReadList, Arrival> = { assets: "waiting", alerts: "waiting" };
  /** When the user stopped the picture, by our own clock; null while it moves. */
  held_at: number | null = null;
  private readonly readers = new Set<(news: News) => void>();
  private entriesAt: { beat: number; entries: Entry[] } | null = null;

  get fleet() {
    return this.replica.fleet;
  }

  take(frame: Snapshot | Delta, now: number): Taken {
    const newest = frame.assets.received_at.reduce<number>(
      (latest, at) => Math.max(latest, at ?? 0),
      0,
    );
    // A snapshot's rows may be days old; only what has just moved tells the lag.
    const isFresh = frame.type === "delta" && newest > 0;
    this.lag.frame(frame.server_time, isFresh ? newest : null, now);
    this.tick_ms = frame.tick_ms;
    const { membership } = this.fleet;
    const taken = this.replica.take(frame);
    if (membership === this.fleet.membership) this.pulse.ring();
    else this.pulse.hurry();
    return taken;
  }

  setAssets(assets: readonly Asset[]): void {
    this.roster.set(assets);
    this.arrival.assets = "there";
    this.fleet.touch(assets.map(({ id }) => id));
    this.pulse.hurry();
  }

  setAlerts(alerts: readonly Alert[]): void {
    this.alerts.replace(alerts);
    this.arrival.alerts = "there";
    this.alertsChanged();
  }

  takeAlerts(alerts: readonly Alert[]): void {
    for (const alert of alerts) this.alerts.take(alert);
    this.alertsChanged();
  }

  takeAlert(alert: Alert, number: number): void {
    this.alerts.take(alert, number);
    this.alertsChanged();
  }

  /** A list that arrived once stays shown; the next reading may succeed. */
  missed(list: ReadList): void {
    if (this.arrival[list] !== "there") this.arrival[list] = "failed";
    this.pulse.ring();
  }

  hold(now: number | null): void {
    this.held_at = now;
    this.pulse.ring();
  }

  setLink(link: Link): void {
    if (link === this.link) return;
    this.link = link;
    this.pulse.ring();
  }

  setAccess(access: Access): void {
    this.access = access;
    this.pulse.ring();
  }

  /** Every asset by name, as of the latest beat. */
  entries(): Entry[] {
    if (this.entriesAt?.beat !== this.pulse.beat) {
      const now = this.lag.serverNow(Date.now());
      this.entriesAt = { beat: this.pulse.beat, entries: this.roster.entries(this.fleet, now) };
    }
    return this.entriesAt.entries;
  }

  /** Every asset by name, as of now. */
  freshEntries(): Entry[] {
    this.entriesAt = null;
    return this.entries();
  }

  onNews(reader: (news: News) => void): () => void {
    this.readers.add(reader);
    return () => this.readers.delete(reader);
  }

  tell(news: News): void {
    for (const reader of this.readers) reader(news);
  }

  private alertsChanged(): void {
    this.roster.setAlerting(this.alerts.alertingAssets());
    this.pulse.ring();
  }
}
