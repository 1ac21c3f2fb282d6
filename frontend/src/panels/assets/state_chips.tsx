import { LOOKS } from "../../fleet/look";
import type { Counts, Filter } from "../../fleet/roster";
import { STATUSES } from "../../fleet/status";
import { SeverityGlyph, StatusGlyph } from "../glyphs";

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
  // A state that nobody is in takes no room, unless it is what the filter asks for.
  const states: Choice[] = ["alerting", ...STATUSES];
  const shown = states.filter((state) => counts[state] > 0 || chosen.has(state));
  return (
    <fieldset className="chips">
      <legend className="unseen">Show only</legend>
      {shown.map((state) => (
        <button
          key={state}
          type="button"
          className={`chip chip-${state}`}
          aria-pressed={chosen.has(state)}
          onClick={() => toggle(state)}
        >
          {state === "alerting" ? (
            <SeverityGlyph severity="critical" />
          ) : (
            <StatusGlyph status={state} />
          )}
          {state === "alerting" ? "Alerting" : LOOKS[state].word}
          <b>{counts[state]}</b>
        </button>
      ))}
    </fieldset>
  );
}
