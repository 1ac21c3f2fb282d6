import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveState } from "./fleet/live_state";
import { LiveSession } from "./live_session";
import { Api } from "./server/api";
import { Http } from "./server/http";

const VAN = { id: 1, organisation: 1, name: "Van", kind: "", tags: [], expected_interval_s: 60 };
let isAway = true;
let asked: string[] = [];

function answer(path: string): Response {
  asked.push(path);
  if (isAway) return new Response("{}", { status: 503 });
  const results = path.includes("/assets/") ? [VAN] : [];
  return Response.json({ next: null, previous: null, results });
}

/** A socket that never opens: here it is about lists. */
class Silent {
  readyState = 0;
  close(): void {}
}

function session(): { live: LiveState; session: LiveSession } {
  const live = new LiveState();
  const http = new Http({ csrf_cookie: "csrftoken", onSignedOut: () => undefined });
  return { live, session: new LiveSession(live, new Api(http)) };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", async (path: string) => answer(path));
  vi.stubGlobal("WebSocket", Silent);
  vi.spyOn(console, "warn").mockReturnValue();
  [isAway, asked] = [true, []];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("lists", () => {
  it("that could not be read are not empty, and are read again by themselves", async () => {
    const { live, session: one } = session();
    expect(live.arrival).toEqual({ assets: "waiting", alerts: "waiting" });
    await one.start();
    expect(live.arrival).toEqual({ assets: "failed", alerts: "failed" });

    isAway = false;
    await vi.advanceTimersByTimeAsync(13_000);

    expect(live.arrival).toEqual({ assets: "there", alerts: "there" });
    expect(live.roster.name(1)).toBe("Van");
  });

  it("are not asked for more often than every 10 s while the server is away", async () => {
    const { session: one } = session();
    await one.start();
    asked = [];
    await vi.advanceTimersByTimeAsync(30_000);
    expect(asked.filter((path) => path.includes("/assets/")).length).toBeLessThanOrEqual(3);
  });

  it("that were there stay there when a later reading fails", async () => {
    const { live, session: one } = session();
    isAway = false;
    await one.start();
    live.missed("assets");
    expect(live.arrival.assets).toBe("there");
  });
});
