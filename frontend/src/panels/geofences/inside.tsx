import type { Geofence, Rejudging } from "../../wire/rest";
import { Loading } from "../assets/asset_panel";
import { useNow } from "../context";
import { useSelected } from "../stage/selection";
import { exactly, plural, span, whole } from "../words";
import { usePresence, useRejudgings } from "./queries";

/** Who is inside now, and since when. */
export function Inside({ geofence }: { geofence: number }) {
  const { data, isError } = usePresence(geofence);
  const { select } = useSelected();
  const now = useNow();
  if (isError) return <p className="refused">Who is inside could not be loaded.</p>;
  if (!data) return <Loading rows={1} />;
  if (data.length === 0) return <p className="nothing">No asset is inside.</p>;
  return (
    <ul className="inside" aria-label="Inside now">
      {data.map(({ asset, asset_name, since }) => (
        <li key={asset}>
          <button type="button" className="link" onClick={() => select(asset)}>
            {asset_name}
          </button>
          <span title={exactly(since)}>for {span((now - Date.parse(since)) / 1000)}</span>
        </li>
      ))}
    </ul>
  );
}

/** How far it is with what is judged again, over all that waits. */
export function progress(rejudgings: readonly Rejudging[]): string {
  const total = rejudgings.reduce((sum, { assets_total }) => sum + (assets_total ?? 0), 0);
  const done = rejudgings.reduce((sum, { assets_done }) => sum + assets_done, 0);
  return total === 0 ? "about to begin" : `${whole(done)} of ${plural(total, "asset")}`;
}

/** A change is at work on the past: what stands below is not the last word yet. */
export function BeingJudged({ geofence }: { geofence: Geofence }) {
  const { data } = useRejudgings(geofence.organisation);
  if (!data || data.length === 0) return null;
  return (
    <p className="being-judged" role="status">
      <b>The past is being judged again:</b> {progress(data)}. Crossings may still change.
    </p>
  );
}
