import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { LOOKS } from "../../fleet/look";
import type { Entry } from "../../fleet/roster";
import { useNow } from "../context";
import { SeverityGlyph, StatusGlyph } from "../glyphs";
import { age, speedTitle, speedWord } from "../words";

const ROW_PX = 48;
const PAGE = 10;

type Props = {
  entries: readonly Entry[];
  selected: number | null;
  onSelect: (id: number) => void;
};

/** How fast it moves says that it does. */
function Doing({ entry: { status, speed } }: { entry: Entry }) {
  const isShown = status === "moving" && speed !== null;
  return (
    <span
      className={`row-doing word-${status}`}
      title={isShown ? speedTitle(speed) : LOOKS[status].meaning}
    >
      {isShown ? speedWord(speed) : LOOKS[status].word}
    </span>
  );
}

function Row({ entry, now }: { entry: Entry; now: number }) {
  return (
    <>
      <StatusGlyph status={entry.status} course_deg={entry.course_deg} />
      <span className="row-name">{entry.name}</span>
      <Doing entry={entry} />
      <span className="row-kind">{[entry.kind, ...entry.tags].filter(Boolean).join(" · ")}</span>
      <span className="row-age">{entry.fix_at === null ? "" : age(entry.fix_at, now)}</span>
      {entry.is_alerting && (
        <span className="row-alert">
          <SeverityGlyph severity="critical" />
          <span className="unseen">alerting</span>
        </span>
      )}
    </>
  );
}

const STEPS: Record<string, (at: number, last: number) => number> = {
  ArrowDown: (at, last) => Math.min(last, at + 1),
  ArrowUp: (at) => Math.max(0, at - 1),
  PageDown: (at, last) => Math.min(last, at + PAGE),
  PageUp: (at) => Math.max(0, at - PAGE),
  Home: () => 0,
  End: (_, last) => last,
};

/** All assets found, however many: only the rows in sight are in the page. */
export function AssetList({ entries, selected, onSelect }: Props) {
  const now = useNow();
  const box = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 6,
  });
  const at = Math.min(active, entries.length - 1);

  useEffect(() => {
    const index = entries.findIndex(({ id }) => id === selected);
    if (index < 0) return;
    setActive(index);
    rows.scrollToIndex(index);
    // Only a new selection scrolls; a list that changes under the reader must not.
  }, [selected]);

  const press = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    const entry = entries[at];
    if (step) {
      const next = step(at, entries.length - 1);
      setActive(next);
      rows.scrollToIndex(next);
    } else if ((event.key === "Enter" || event.key === " ") && entry) onSelect(entry.id);
    else return;
    event.preventDefault();
  };

  return (
    <div
      ref={box}
      className="rows"
      role="listbox"
      aria-label="Assets"
      tabIndex={0}
      aria-activedescendant={entries[at] ? `asset-${entries[at].id}` : undefined}
      onKeyDown={press}
    >
      <div role="presentation" style={{ height: rows.getTotalSize(), position: "relative" }}>
        {rows.getVirtualItems().map(({ index, start }) => {
          const entry = entries[index];
          if (!entry) return null;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled by the listbox.
            <div
              key={entry.id}
              id={`asset-${entry.id}`}
              role="option"
              tabIndex={-1}
              aria-selected={entry.id === selected}
              aria-setsize={entries.length}
              aria-posinset={index + 1}
              className={`row${index === at ? " row-active" : ""}${entry.is_alerting ? " row-alerting" : ""}`}
              style={{ transform: `translateY(${start}px)` }}
              onClick={() => {
                setActive(index);
                onSelect(entry.id);
              }}
            >
              <Row entry={entry} now={now} />
            </div>
          );
        })}
      </div>
    </div>
  );
}
