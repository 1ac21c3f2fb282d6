import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveSocket, type SocketEvents } from "./socket";

class FakeSocket {
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: { type: string }[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  isClosed = false;

  constructor() {
    FakeSocket.all.push(this);
  }
  send(message: string) {
    this.sent.push(JSON.parse(message));
  }
  close() {
    this.isClosed = true;
  }
  accept() {
    this.readyState = 1;
    this.onopen?.();
  }
  say(frame: object) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  end(code: number) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

const latest = () => FakeSocket.all.at(-1) as FakeSocket;

function started() {
  const events: SocketEvents = {
    frame: vi.fn(),
    state: vi.fn(),
    ended: vi.fn(),
    refused: vi.fn(),
    position: () => ({ epoch: "e", seq: 4, alerts_after: 2 }),
  };
  const connect = () => new FakeSocket() as unknown as WebSocket;
  const socket = new LiveSocket("/ws/live/", events, connect, () => 1);
  socket.start();
  return { events, socket };
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
});
afterEach(() => vi.useRealTimers());

describe("live socket", () => {
  it("subscribes from where it was", () => {
    started();
    latest().accept();
    expect(latest().sent).toEqual([{ type: "subscribe", epoch: "e", seq: 4, alerts_after: 2 }]);
  });

  it("retries with growing waits between 0.5 and 10 s", () => {
    started();
    for (const wait of [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
      const before = FakeSocket.all.length;
      latest().end(1006);
      vi.advanceTimersByTime(wait - 1);
      expect(FakeSocket.all).toHaveLength(before);
      vi.advanceTimersByTime(1);
      expect(FakeSocket.all).toHaveLength(before + 1);
    }
  });

  it("takes 25 s of silence for a dead line", () => {
    const { events } = started();
    latest().accept();
    vi.advanceTimersByTime(20_000);
    latest().say({ type: "heartbeat", server_time: 1 });
    vi.advanceTimersByTime(24_999);
    expect(FakeSocket.all[0]?.isClosed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.all[0]?.isClosed).toBe(true);
    expect(events.state).toHaveBeenLastCalledWith("reconnecting");
  });

  it.each([
    [4401, "signed-out"],
    [4403, "forbidden"],
  ] as const)("stays closed after %i", (code, why) => {
    const { events } = started();
    latest().accept();
    latest().end(code);
    vi.advanceTimersByTime(60_000);
    expect(events.ended).toHaveBeenCalledWith(why);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it.each([4008, 4009])("comes back late after %i, which was its own fault", (code) => {
    started();
    latest().accept();
    latest().end(code);
    vi.advanceTimersByTime(9_999);
    expect(FakeSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it.each([4011, 4013])("comes back after %i, as from any failure", (code) => {
    const { events } = started();
    latest().accept();
    latest().end(code);
    vi.advanceTimersByTime(1_000);
    expect(events.ended).not.toHaveBeenCalled();
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("asks whether the session is over when the handshake fails", () => {
    const { events } = started();
    latest().end(1006);
    expect(events.refused).toHaveBeenCalledOnce();
  });

  it("pauses once, and tells a new socket that it is paused", () => {
    const { socket } = started();
    latest().accept();
    socket.pause(true);
    socket.pause(true);
    expect(latest().sent.map(({ type }) => type)).toEqual(["subscribe", "pause"]);
    latest().end(1006);
    vi.advanceTimersByTime(1_000);
    latest().accept();
    expect(latest().sent.map(({ type }) => type)).toEqual(["subscribe", "pause"]);
  });

  it("survives a frame that it does not understand", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const { events } = started();
    latest().accept();
    latest().say({ type: "surprise" });
    latest().say({ type: "changed", what: "assets" });
    expect(events.frame).toHaveBeenCalledExactlyOnceWith({ type: "changed", what: "assets" });
    expect(warn).toHaveBeenCalledOnce();
  });
});
