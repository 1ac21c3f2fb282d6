import { LOOKS } from "../../fleet/look";
import type { Counts, Filter } from "../../fleet/roster";
import { STATUSES } from "../../fleet/status";
import { SeverityGlyph, StatusGlyph } from "../glyphs";
import { whole } from "../words";

type Choice = Counts extends Record<infer K, number> ? Exclude<K, "all"> : never;
type Props = {
  counts: Counts;
  chosen: Filter["states"];
  onChange: (chosen: Filter["states"]) => void;
};

/** How many are in each state; pressing one shows only those. */
export function StateChips({ counts, chosen, onChange }: Props) {
  const toggle = (state: Choice) => {
    const next = new Set(chosen);
    if (!next.delete(state)) next.add(state);
    onChange(next);
  };
  // Always in the same places, so that the eye finds them; only "no fix" is rare enough to go.
  const shown: Choice[] = ["alerting", ...STATUSES].filter(
    (state): state is Choice => state !== "no-fix" || counts["no-fix"] > 0 || chosen.has("no-fix"),
  ) as Choice[];
  return (
    <fieldset className="chips">
      <legend className="unseen">Show only</legend>
      {shown.map((state) => (
        <button
          key={state}
          type="button"
          className={`chip chip-${state}${counts[state] === 0 ? " chip-none" : ""}`}
          aria-pressed={chosen.has(state)}
          title={state === "alerting" ? "Has an open alert" : LOOKS[state].meaning}
          onClick={() => toggle(state)}
        >
          {state === "alerting" ? (
            <SeverityGlyph severity="critical" />
          ) : (
            <StatusGlyph status={state} />
          )}
          <span>
            {state === "alerting" ? "Alerting" : (LOOKS[state].brief ?? LOOKS[state].word)}
          </span>
          <b>{whole(counts[state])}</b>
        </button>
      ))}
    </fieldset>
  );
}
