import type { Crossing } from "../../wire/rest";
import { Loading } from "../assets/asset_panel";
import { useNow } from "../context";
import { useSelected } from "../stage/selection";
import { crossingVerb, exactly, span, when, whenEach } from "../words";
import { useCorrections, useCrossings } from "./queries";

const WAYS: Record<Crossing["kind"], string> = {
  enter: "→|",
  exit: "|→",
  pass: "|→|",
  found: "•|",
  lost: "|•",
};

/** Within what time the crossing must have happened, where that is not sharp. */
function doubt({ not_before, not_after }: Crossing): string | null {
  if (!not_before || !not_after) return null;
  const half_s = (Date.parse(not_after) - Date.parse(not_before)) / 2000;
  return half_s >= 1 ? `± ${span(half_s)}` : null;
}

/** What a late report changed: the new time beside the one that was told before. */
function Correction({ crossing }: { crossing: Crossing }) {
  const now = useNow();
  const { kind, at, correction } = crossing;
  const { data } = useCorrections(crossing);
  if (correction === "withdrawn") {
    return <span className="mark mark-withdrawn">withdrawn: did not happen</span>;
  }
  if (correction === "added") return <span className="mark">added by a late report</span>;
  if (correction === null) return null;
  const before = data?.find(({ change }) => change === "moved")?.before?.at;
  if (!before) return <span className="mark mark-moved">time corrected</span>;
  const [right, wrong] = whenEach(at, before, now);
  return (
    <span className="mark mark-moved">
      {`corrected: ${crossingVerb(kind)} ${right} instead of ${wrong}`}
    </span>
  );
}

function CrossingItem({ crossing }: { crossing: Crossing }) {
  const now = useNow();
  const { select } = useSelected();
  const uncertain = doubt(crossing);
  const { kind, correction, at } = crossing;
  return (
    <li className={correction === "withdrawn" ? "crossing crossing-withdrawn" : "crossing"}>
      <span className={`way way-${kind}`} aria-hidden="true">
        {WAYS[kind]}
      </span>
      <p>
        <button type="button" className="link" onClick={() => select(crossing.asset)}>
          {crossing.asset_name}
        </button>{" "}
        {crossingVerb(kind)}
        {crossing.inferred && " (inferred)"}
      </p>
      <p className="alert-about">
        <time dateTime={at} title={exactly(at)}>
          {when(at, now)}
          {uncertain && ` ${uncertain}`} · {span((now - Date.parse(at)) / 1000)} ago
        </time>
        <Correction crossing={crossing} />
        {crossing.is_late && correction === null && <span className="mark">late report</span>}
      </p>
    </li>
  );
}

export function CrossingFeed({ geofence }: { geofence: number }) {
  const { data, isError } = useCrossings(geofence);
  if (isError) return <p className="refused">Crossings could not be loaded.</p>;
  if (!data) return <Loading rows={3} />;
  if (data.length === 0) return <p className="nothing">Nobody has entered or left yet.</p>;
  return (
    <ol className="crossings" aria-label="Crossings, newest first">
      {data.map((crossing) => (
        <CrossingItem key={crossing.id} crossing={crossing} />
      ))}
    </ol>
  );
}
