import type { LiveState, ReadList } from "./fleet/live_state";
import type { Api } from "./server/api";
import { Problem } from "./server/http";
import { LiveSocket } from "./server/socket";
import type { Delta, LiveFrame, Snapshot } from "./wire/live";
import { Unreadable } from "./wire/read";

const SOCKET_PATH = "/ws/live/";
const OFFLINE_AFTER_MS = 60_000;
const AGEING_EVERY_MS = 2_000;
const READ_AGAIN_MS = 10_000;

/** Keeps the live state fed: lists once by request, everything after by the socket. */
export class LiveSession {
  private readonly live: LiveState;
  private readonly api: Api;
  private readonly socket: LiveSocket;
  /** Assets seen live whose card was asked for, so that it is not asked for without end. */
  private readonly strangers = new Set<number>();
  private readonly reading = new Set<ReadList>();
  private readonly again = new Set<ReadList>();
  private readonly missed = new Set<ReadList>();
  private read_at = 0;

  constructor(live: LiveState, api: Api) {
    this.live = live;
    this.api = api;
    const address = new URL(SOCKET_PATH, location.href.replace(/^http/, "ws"));
    this.socket = new LiveSocket(address.href, {
      frame: (frame) => this.take(frame),
      state: (state) => this.live.setLink(state),
      ended: (why) => {
        this.live.setLink("offline");
        this.live.setAccess(why);
      },
      refused: () => this.probe(),
      position: () => ({ ...live.replica.position, alerts_after: live.alerts.lastNumber }),
    });
  }

  async start(): Promise<void> {
    document.addEventListener("visibilitychange", () => this.pauseIfUnseen());
    window.addEventListener("online", () => this.socket.hurry());
    setInterval(() => this.age(), AGEING_EVERY_MS);
    await this.readAll();
    this.socket.start();
  }

  /** After signing in again: take up where the session ended. */
  async resume(): Promise<void> {
    await this.api.whoAmI();
    this.live.setAccess("granted");
    await this.readAll();
    this.socket.start();
  }

  /** Stops the picture, or lets it go on; alerts come all the same. */
  hold(isHeld: boolean): void {
    this.live.hold(isHeld ? Date.now() : null);
    this.pauseIfUnseen();
  }

  /** Reads again what could not be read. */
  async readMissing(): Promise<void> {
    await Promise.all([...this.missed].map((list) => this.read(list)));
  }

  private async readAll(): Promise<void> {
    await Promise.all([this.read("assets"), this.read("alerts")]);
  }

  private async read(list: ReadList): Promise<void> {
    if (this.reading.has(list)) {
      this.again.add(list);
      return;
    }
    this.reading.add(list);
    this.read_at = Date.now();
    this.missed.delete(list);
    try {
      if (list === "assets") this.live.setAssets(await this.api.assets());
      else this.live.setAlerts(await this.api.alerts());
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreadable)) throw error;
      console.warn(`the list of ${list} could not be read:`, error.message);
      this.missed.add(list);
      this.live.missed(list);
    } finally {
      this.reading.delete(list);
    }
    // It changed while it was being read.
    if (this.again.delete(list)) await this.read(list);
  }

  private pauseIfUnseen(): void {
    this.socket.pause(document.hidden || this.live.held_at !== null);
  }

  private takeAssets(frame: Snapshot | Delta): void {
    const taken = this.live.take(frame, Date.now());
    if (taken === "gap") this.socket.subscribe();
    if (taken !== "applied") return;
    this.socket.ack(frame.seq);
    this.meet(frame.assets.id);
  }

  /** Reads the list of assets again when one reports that is not in it. */
  private meet(ids: readonly number[]): void {
    const { roster } = this.live;
    const fresh = ids.filter((id) => !roster.asset(id) && !this.strangers.has(id));
    if (fresh.length === 0) return;
    for (const id of fresh) this.strangers.add(id);
    void this.read("assets");
  }

  private take(frame: LiveFrame): void {
    switch (frame.type) {
      case "snapshot":
      case "delta":
        return this.takeAssets(frame);
      case "crossing":
        return this.live.tell(frame);
      case "alert":
        return this.live.takeAlert(frame.alert, frame.number);
      case "changed":
        if (frame.what === "assets" || frame.what === "alerts") void this.read(frame.what);
        return this.live.tell(frame);
      case "heartbeat":
        return this.live.lag.frame(frame.server_time, null, Date.now());
      case "error":
        console.warn("live: the server did not understand us:", frame.code, frame.detail);
        return;
      default:
        return frame satisfies never;
    }
  }

  /** Only a request can tell an ended session from a server that is away. */
  private probe(): void {
    this.api.whoAmI().catch((error: unknown) => {
      if (!(error instanceof Problem)) throw error;
    });
  }

  /** States age and the clock runs though nothing arrives. */
  private age(): void {
    const silence = this.live.lag.silence_ms(Date.now());
    const isGone = !navigator.onLine || (silence !== null && silence > OFFLINE_AFTER_MS);
    if (this.live.link === "reconnecting" && isGone) this.live.setLink("offline");
    if (Date.now() - this.read_at > READ_AGAIN_MS) void this.readMissing();
    this.live.pulse.ring();
  }
}
