import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Delta, Snapshot } from "../wire/live";
import { columnsOf } from "./columns";
import { LiveState } from "./live_state";

const columns = (ids: number[]) =>
  columnsOf(ids.map((id) => ({ id, measured_at: 1, received_at: 1, method: "gnss" })));

const snapshot: Snapshot = {
  type: "snapshot",
  epoch: "e",
  seq: 1,
  server_time: 0,
  tick_ms: 250,
  assets: columns([1]),
};
const delta = (prev: number, id: number[]): Delta => ({
  ...snapshot,
  type: "delta",
  prev,
  seq: prev + 1,
  gone: [],
  assets: columns(id),
});

describe("the beat of the views", () => {
  let live: LiveState;
  let beats: number;

  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
    live = new LiveState();
    live.take(snapshot, 0);
    vi.advanceTimersByTime(1);
    beats = live.pulse.beat;
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("waits with what moves", () => {
    live.take(delta(1, [1]), 0);
    vi.advanceTimersByTime(300);

    expect(live.pulse.beat).toBe(beats);
    vi.advanceTimersByTime(100);
    expect(live.pulse.beat).toBe(beats + 1);
  });

  it("does not wait with an asset never seen before, nor with its name", () => {
    live.take(delta(1, [2]), 0);
    vi.advanceTimersByTime(1);
    expect(live.pulse.beat).toBe(beats + 1);

    live.setAssets([]);
    vi.advanceTimersByTime(1);
    expect(live.pulse.beat).toBe(beats + 2);
  });
});
