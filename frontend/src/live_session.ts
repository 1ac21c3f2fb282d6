import type { LiveState } from "./fleet/live_state";
import type { Api } from "./server/api";
import { Problem } from "./server/http";
import { LiveSocket } from "./server/socket";
import type { Delta, LiveFrame, Snapshot } from "./wire/live";

const SOCKET_PATH = "/ws/live/";
const OFFLINE_AFTER_MS = 60_000;
const AGEING_EVERY_MS = 2_000;

/** Keeps the live state fed: lists once by request, everything after by the socket. */
export class LiveSession {
  private readonly live: LiveState;
  private readonly api: Api;
  private readonly socket: LiveSocket;
  /** Assets seen live whose card was asked for, so that it is not asked for without end. */
  private readonly strangers = new Set<number>();

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
    document.addEventListener("visibilitychange", () => this.socket.pause(document.hidden));
    window.addEventListener("online", () => this.socket.hurry());
    setInterval(() => this.age(), AGEING_EVERY_MS);
    await Promise.allSettled([this.readAssets(), this.readAlerts()]);
    this.socket.start();
  }

  /** After signing in again: take up where the session ended. */
  async resume(): Promise<void> {
    await this.api.whoAmI();
    this.live.setAccess("granted");
    await Promise.allSettled([this.readAssets(), this.readAlerts()]);
    this.socket.start();
  }

  async readAssets(): Promise<void> {
    this.live.setAssets(await this.api.assets());
  }

  private async readAlerts(): Promise<void> {
    this.live.setAlerts(await this.api.alerts());
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
    this.readAssets().catch((error) => {
      for (const id of fresh) this.strangers.delete(id);
      this.failed(error);
    });
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
        if (frame.what === "assets") void this.readAssets().catch(this.failed);
        if (frame.what === "alerts") void this.readAlerts().catch(this.failed);
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
    this.api.whoAmI().catch(this.failed);
  }

  private failed = (error: unknown): void => {
    if (!(error instanceof Problem)) throw error;
  };

  /** States age and the clock runs though nothing arrives. */
  private age(): void {
    const silence = this.live.lag.silence_ms(Date.now());
    const isGone = !navigator.onLine || (silence !== null && silence > OFFLINE_AFTER_MS);
    if (this.live.link === "reconnecting" && isGone) this.live.setLink("offline");
    this.live.pulse.ring();
  }
}
