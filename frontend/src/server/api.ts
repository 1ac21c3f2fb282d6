import { object } from "../wire/read";
import * as wire from "../wire/rest";
import type { Http } from "./http";

const LARGEST_PAGE = 1_000;
const CROSSINGS_AT_MOST = 100;
const ALERTS_AT_MOST = 500;

/** The requests of the console, each by name. */
export class Api {
  private readonly http: Http;

  constructor(http: Http) {
    this.http = http;
  }

  /** Answers if there is a session; raises Problem 401 if not. */
  async whoAmI(): Promise<void> {
    await this.http.get("me/", object({}));
  }

  assets(): Promise<wire.Asset[]> {
    return this.http.rows(`assets/?page_size=${LARGEST_PAGE}`, wire.asset);
  }

  assetState(id: number): Promise<wire.AssetState> {
    return this.http.get(`assets/${id}/state/`, wire.assetState);
  }

  /** The way of the last 24 hours, simplified by the server. */
  async track(id: number): Promise<wire.LonLat[]> {
    const { geometry } = await this.http.get(
      `assets/${id}/track/`,
      wire.track,
      "application/geo+json",
    );
    return geometry?.coordinates ?? [];
  }

  geofences(): Promise<wire.Geofence[]> {
    return this.http.rows(`geofences/?page_size=${LARGEST_PAGE}`, wire.geofence);
  }

  createGeofence(draft: wire.GeofenceDraft): Promise<wire.Geofence> {
    return this.http.write("POST", "geofences/", draft, wire.geofence);
  }

  changeGeofence(id: number, change: wire.GeofenceChange): Promise<wire.Geofence> {
    return this.http.write("PATCH", `geofences/${id}/`, change, wire.geofence);
  }

  deleteGeofence(id: number): Promise<void> {
    return this.http.remove(`geofences/${id}/`);
  }

  crossings(of: { geofence?: number; asset?: number }): Promise<wire.Crossing[]> {
    // What was withdrawn stays in sight, as what did not happen.
    const query = new URLSearchParams({ corrections: "true" });
    if (of.geofence !== undefined) query.set("geofence", String(of.geofence));
    if (of.asset !== undefined) query.set("asset", String(of.asset));
    return this.http.rows(`crossings/?${query}`, wire.crossing, CROSSINGS_AT_MOST);
  }

  /** What a late fact made of a crossing, the latest correction first. */
  async corrections(crossing: number): Promise<wire.Correction[]> {
    const { corrections } = await this.http.get(`crossings/${crossing}/`, wire.correctedCrossing);
    return corrections.toSorted((a, b) => b.id - a.id);
  }

  presence(geofence: number): Promise<wire.Presence[]> {
    return this.http.rows(
      `geofences/${geofence}/presence/?page_size=${LARGEST_PAGE}`,
      wire.presence,
    );
  }

  /** What is still being judged again. */
  rejudgings(organisation: number): Promise<wire.Rejudging[]> {
    const query = `finished=false&organisation=${organisation}&page_size=${LARGEST_PAGE}`;
    return this.http.rows(`rejudgings/?${query}`, wire.rejudging);
  }

  rules(): Promise<wire.Rule[]> {
    return this.http.rows(`rules/?page_size=${LARGEST_PAGE}`, wire.rule);
  }

  createRule(draft: wire.RuleDraft): Promise<wire.Rule> {
    return this.http.write("POST", "rules/", draft, wire.rule);
  }

  changeRule(id: number, change: wire.RuleChange): Promise<wire.Rule> {
    return this.http.write("PATCH", `rules/${id}/`, change, wire.rule);
  }

  retireRule(id: number): Promise<void> {
    return this.http.remove(`rules/${id}/`);
  }

  alerts(state: string | null = null): Promise<wire.Alert[]> {
    const query = state === null ? "" : `?state=${encodeURIComponent(state)}`;
    return this.http.rows(`alerts/${query}`, wire.alert, ALERTS_AT_MOST);
  }

  acknowledge(alert: number): Promise<wire.Alert> {
    return this.http.write("POST", `alerts/${alert}/acknowledge/`, {}, wire.alert);
  }
}
