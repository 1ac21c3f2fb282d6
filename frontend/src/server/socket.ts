import { type ClientFrame, type LiveFrame, readFrame } from "../wire/live";
import { Unreadable } from "../wire/read";

const SUB_PROTOCOL = "live.v1.json";
const SILENCE_AT_MOST_MS = 25_000;
const RETRY_FIRST_MS = 500;
const RETRY_AT_MOST_MS = 10_000;
const SIGNED_OUT = 4401;
const FORBIDDEN = 4403;
/** What we sent was wrong, and would be wrong again soon. */
const OUR_FAULT = new Set([4008, 4009]);

export type SocketState = "connecting" | "live" | "reconnecting";
export type Ending = "signed-out" | "forbidden";

export type SocketEvents = {
  frame(frame: LiveFrame): void;
  state(state: SocketState): void;
  /** Access ended; the socket stays closed until `start` is called again. */
  ended(why: Ending): void;
  /** The handshake failed: perhaps the session is over, which only a request can tell. */
  refused(): void;
  /** Where to resume from. */
  position(): { epoch: string | null; seq: number; alerts_after: number | null };
};

export type Connect = (url: string, protocol: string) => WebSocket;

/** One live socket that keeps itself open. What frames mean is not its business. */
export class LiveSocket {
  private socket: WebSocket | null = null;
  private retries = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private silenceTimer: ReturnType<typeof setTimeout> | undefined;
  private isPaused = false;
  private readonly url: string;
  private readonly events: SocketEvents;
  private readonly connect: Connect;
  private readonly random: () => number;

  constructor(
    url: string,
    events: SocketEvents,
    connect: Connect = (address, protocol) => new WebSocket(address, protocol),
    random: () => number = Math.random,
  ) {
    this.url = url;
    this.events = events;
    this.connect = connect;
    this.random = random;
  }

  start(): void {
    this.drop();
    this.retries = 0;
    this.open("connecting");
  }

  stop(): void {
    this.drop();
  }

  /** Connects at once if a retry is pending: the network is back, or the tab is. */
  hurry(): void {
    if (this.socket === null && this.retryTimer !== undefined) this.open("reconnecting");
  }

  subscribe(): void {
    this.send({ type: "subscribe", ...this.events.position() });
  }

  ack(seq: number): void {
    this.send({ type: "ack", seq });
  }

  pause(isPaused: boolean): void {
    if (isPaused === this.isPaused) return;
    this.isPaused = isPaused;
    this.send({ type: isPaused ? "pause" : "resume" });
  }

  private open(state: SocketState): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = undefined;
    this.events.state(state);
    const socket = this.connect(this.url, SUB_PROTOCOL);
    let wasOpen = false;
    this.socket = socket;
    socket.onopen = () => {
      wasOpen = true;
      this.subscribe();
      if (this.isPaused) this.send({ type: "pause" });
      this.listen();
    };
    socket.onmessage = (event) => this.receive(String(event.data));
    socket.onclose = (event) => {
      if (this.socket === socket) this.closed(event.code, wasOpen);
    };
    // A server that neither answers nor refuses must not hold us either.
    this.listen();
  }

  private receive(message: string): void {
    this.listen();
    try {
      const frame = readFrame(message);
      if (frame.type === "snapshot" || frame.type === "delta") {
        this.retries = 0;
        this.events.state("live");
      }
      this.events.frame(frame);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      console.warn("live: a frame was not understood:", error.message);
    }
  }

  /** Silence longer than any heartbeat means that the line is dead. */
  private listen(): void {
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => {
      const socket = this.socket;
      if (!socket) return;
      this.socket = null;
      socket.close();
      this.retry();
    }, SILENCE_AT_MOST_MS);
  }

  private closed(code: number, wasOpen: boolean): void {
    this.socket = null;
    clearTimeout(this.silenceTimer);
    if (code === SIGNED_OUT) return this.events.ended("signed-out");
    if (code === FORBIDDEN) return this.events.ended("forbidden");
    if (!wasOpen) this.events.refused();
    if (OUR_FAULT.has(code)) this.retries = Number.POSITIVE_INFINITY;
    this.retry();
  }

  private retry(): void {
    this.events.state("reconnecting");
    const ceiling = Math.min(RETRY_AT_MOST_MS, RETRY_FIRST_MS * 2 ** (this.retries + 1));
    this.retries += 1;
    const wait = RETRY_FIRST_MS + this.random() * (ceiling - RETRY_FIRST_MS);
    this.retryTimer = setTimeout(() => this.open("reconnecting"), wait);
  }

  private drop(): void {
    clearTimeout(this.retryTimer);
    clearTimeout(this.silenceTimer);
    this.retryTimer = undefined;
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private send(frame: ClientFrame): void {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(frame));
  }
}
