import "./panels/styles";
import { LiveState } from "./fleet/live_state";
import type { Theme } from "./fleet/look";
import { LiveSession } from "./live_session";
import { mountConsole } from "./panels/console";
import type { MapPort } from "./panels/ports";
import { Api } from "./server/api";
import { cookie, Http } from "./server/http";
import { type Boot, boot as readBoot } from "./wire/boot";

const LOGIN_URL = "/accounts/login/";
const LOGOUT_URL = "/accounts/logout/";

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

function isAsked(name: string): boolean {
  return new URLSearchParams(location.search).get(name) === "1";
}

function isStill(): boolean {
  return isAsked("still") || matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Raises where the code of the map could not be fetched. */
async function loadMap(
  live: LiveState,
  boot: Boot,
  theme: Theme,
  still: boolean,
): Promise<MapPort | null> {
  const { hasWebGl2, LiveMap } = await import("./map/live_map");
  if (!hasWebGl2()) return null;
  const map = await LiveMap.create({
    fleet: live.fleet,
    roster: live.roster,
    basemap: boot.basemap,
    theme,
    isStill: still,
    isNative: isAsked("native"),
  }).catch((error: unknown) => {
    console.warn("map: the graphics card refuses it:", error);
    return null;
  });
  if (!map) return null;
  live.pulse.subscribe(() => {
    map.refresh();
    if (live.link === "live") map.mend();
  });
  return map;
}

async function signOut(csrf_cookie: string): Promise<void> {
  const headers = { "X-CSRFToken": cookie(csrf_cookie) };
  await fetch(LOGOUT_URL, { method: "POST", headers, credentials: "same-origin" });
  location.assign(LOGIN_URL);
}

function start(): void {
  const boot = readBoot(JSON.parse(element("boot").textContent ?? ""), "boot");
  const still = isStill();
  const live = new LiveState();
  const http = new Http({
    csrf_cookie: boot.csrf_cookie,
    onSignedOut: () => live.setAccess("signed-out"),
  });
  const api = new Api(http);
  const session = new LiveSession(live, api);
  mountConsole(element("console"), {
    boot,
    live,
    backend: api,
    loadMap: (theme) => loadMap(live, boot, theme, still),
    resume: () => session.resume(),
    hold: (isHeld) => session.hold(isHeld),
    readMissing: () => session.readMissing(),
    signOut: () => signOut(boot.csrf_cookie),
    login_url: LOGIN_URL,
    nonce: document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce ?? "",
  });
  void session.start();
}

start();
