import type { LiveState } from "../fleet/live_state";
import type { Theme } from "../fleet/look";
import type { Bounds } from "../fleet/roster";
import type { Boot } from "../wire/boot";
import type * as wire from "../wire/rest";

/** What the views need from outside; `main` brings it, so that no view fetches. */
export type View = { lon_deg: number; lat_deg: number; zoom: number };
export type DrawnKind = "polygon" | "circle" | "corridor";

export type MapPort = {
  mount(
    host: HTMLElement,
    events: {
      picked(id: number | null): void;
      moved(view: View, bounds: Bounds): void;
      detail(isMissing: boolean): void;
      lost(isLost: boolean): void;
    },
  ): () => void;
  setTheme(theme: Theme): void;
  select(id: number | null): void;
  startFollowing(onEnd: () => void): void;
  stopFollowing(): void;
  flyToAsset(id: number): void;
  reveal(id: number): void;
  fitAll(): void;
  fitShape(shape: wire.Shape): void;
  setView(view: View): void;
  setCovered(covered: { left_px: number; bottom_px: number }): void;
  setGeofences(geofences: readonly wire.Geofence[], selected: number | null): void;
  showTrack(points: readonly wire.LonLat[]): void;
  showDraft(shape: wire.Shape | null): void;
  draw(kind: DrawnKind, done: (shape: wire.Shape) => void): Promise<void>;
  cancelDrawing(): void;
};

export type Backend = {
  assetState(id: number): Promise<wire.AssetState>;
  track(id: number): Promise<wire.LonLat[]>;
  geofences(): Promise<wire.Geofence[]>;
  createGeofence(draft: wire.GeofenceDraft): Promise<wire.Geofence>;
  changeGeofence(id: number, change: wire.GeofenceChange): Promise<wire.Geofence>;
  deleteGeofence(id: number): Promise<void>;
  crossings(of: { geofence?: number; asset?: number }): Promise<wire.Crossing[]>;
  corrections(crossing: number): Promise<wire.Correction[]>;
  presence(geofence: number): Promise<wire.Presence[]>;
  rejudgings(organisation: number): Promise<wire.Rejudging[]>;
  rules(): Promise<wire.Rule[]>;
  createRule(draft: wire.RuleDraft): Promise<wire.Rule>;
  changeRule(id: number, change: wire.RuleChange): Promise<wire.Rule>;
  retireRule(id: number): Promise<void>;
  alerts(state?: string | null): Promise<wire.Alert[]>;
  acknowledge(alert: number): Promise<wire.Alert>;
};

/** What a refused request says; `status` 0 when the server was not reached. */
export type Refusal = Error & { status: number; details: wire.ProblemDetails };

export type Ports = {
  boot: Boot;
  live: LiveState;
  backend: Backend;
  /** Null where the browser cannot draw a map; raises where its code did not arrive. */
  loadMap(theme: Theme): Promise<MapPort | null>;
  /** Raises until there is a session again. */
  resume(): Promise<void>;
  /** Stops the live picture, or lets it go on. */
  hold(isHeld: boolean): void;
  /** Reads again the lists that could not be read. */
  readMissing(): Promise<void>;
  signOut(): Promise<void>;
  login_url: string;
  nonce: string;
};
