import { Button, Table } from "@mantine/core";
import { useDeferredValue, useState } from "react";
import { LOOKS } from "../../fleet/look";
import { counts, type Entry, matching, type Roster } from "../../fleet/roster";
import { STATUSES } from "../../fleet/status";
import { NotRead } from "../arrival";
import { useEntries, useLive, useNow } from "../context";
import { useFilters } from "../filters";
import { FindField } from "../find_field";
import { SeverityGlyph, StatusGlyph } from "../glyphs";
import { useIsPhone } from "../phone";
import { useSelected } from "../stage/selection";
import { ago, exactly, span, speedTitle, speedWord, stateWords } from "../words";
import { AssetPanel, Loading, NoAssets, NoMatch } from "./asset_panel";
import { StateChips } from "./state_chips";

const PAGE = 100;

function AssetRow({ entry, now }: { entry: Entry; now: number }) {
  const { roster } = useLive();
  const { select } = useSelected();
  const interval = roster.interval(entry.id);
  return (
    <Table.Tr>
      <Table.Td>
        <button type="button" className="link" onClick={() => select(entry.id)}>
          {entry.name}
        </button>
      </Table.Td>
      <Table.Td>
        <span className="state" title={stateWords(entry, now)}>
          <StatusGlyph status={entry.status} course_deg={entry.course_deg} />
          {LOOKS[entry.status].word}
          {entry.is_alerting && (
            <span className="state severity-critical">
              <SeverityGlyph severity="critical" />
              Alerting
            </span>
          )}
        </span>
      </Table.Td>
      <Table.Td {...(entry.speed && { title: speedTitle(entry.speed) })}>
        {entry.speed ? speedWord(entry.speed) : "–"}
      </Table.Td>
      <Table.Td title={entry.fix_at === null ? "" : exactly(entry.fix_at)}>
        {ago(entry.fix_at, now)}
      </Table.Td>
      <Table.Td>{interval === null ? "–" : `every ${span(interval)}`}</Table.Td>
      <Table.Td>{entry.kind}</Table.Td>
      <Table.Td>{entry.tags.join(", ")}</Table.Td>
    </Table.Tr>
  );
}

type By = "name" | "state" | "speed" | "fix" | "reports" | "kind";
const COLUMNS: readonly [By | null, string][] = [
  ["name", "Asset"],
  ["state", "State"],
  ["speed", "Speed"],
  ["fix", "Last fix"],
  ["reports", "Reports"],
  ["kind", "Kind"],
  [null, "Tags"],
];

const value: Record<By, (entry: Entry, interval_s: number | null) => number | string> = {
  name: () => 0,
  // Who needs a person first.
  state: ({ status, is_alerting }) => (is_alerting ? -1 : STATUSES.indexOf(status)),
  speed: ({ speed }) => -(speed?.mms ?? -1),
  fix: ({ fix_at }) => -(fix_at ?? 0),
  reports: (_, interval_s) => interval_s ?? Number.POSITIVE_INFINITY,
  kind: ({ kind }) => kind,
};

/** Sorts what is sorted by name already; equal ones stay so. */
function sorted(entries: readonly Entry[], by: By, isDown: boolean, roster: Roster): Entry[] {
  const keys = new Map(entries.map((one) => [one.id, value[by](one, roster.interval(one.id))]));
  const key = ({ id }: Entry) => keys.get(id) ?? 0;
  const found = entries.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
  return isDown ? found.reverse() : found;
}

function Head({ by, isDown, onSort }: { by: By; isDown: boolean; onSort: (by: By) => void }) {
  const direction = isDown ? "descending" : "ascending";
  return (
    <Table.Tr>
      {COLUMNS.map(([column, name]) => (
        <Table.Th key={name} {...(column === by ? { "aria-sort": direction } : {})}>
          {column === null ? (
            name
          ) : (
            <button type="button" className="sort" onClick={() => onSort(column)}>
              {name}
              <span aria-hidden="true">{column === by ? (isDown ? "↓" : "↑") : ""}</span>
            </button>
          )}
        </Table.Th>
      ))}
    </Table.Tr>
  );
}

/** On a phone the list says it all; a table would only hide half of itself. */
export function AssetsPage() {
  return useIsPhone() ? <AssetPanel /> : <AssetTable />;
}

function AssetTable() {
  const live = useLive();
  const entries = useEntries();
  const now = useNow();
  const { find, states, setFind, setStates } = useFilters();
  const [shown, setShown] = useState(PAGE);
  const [order, setOrder] = useState<{ by: By; isDown: boolean }>({ by: "name", isDown: false });
  const matched = matching(entries, { text: useDeferredValue(find), states, within: null });
  const found = sorted(matched, order.by, order.isDown, live.roster);
  const sort = (by: By) => setOrder({ by, isDown: by === order.by && !order.isDown });

  if (entries.length === 0) {
    if (live.arrival.assets === "failed") return <NotRead list="assets" />;
    return live.arrival.assets === "there" ? <NoAssets /> : <Loading />;
  }
  return (
    <div className="page-body">
      <div className="page-filters">
        <FindField value={find} onChange={setFind} label="Find assets" hint="Name, kind or tag" />
        <StateChips counts={counts(entries)} chosen={states} onChange={setStates} />
      </div>
      {live.arrival.assets === "failed" && <NotRead list="assets" />}
      <Table.ScrollContainer minWidth={760} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table highlightOnHover className="wide-table">
          <Table.Thead>
            <Head by={order.by} isDown={order.isDown} onSort={sort} />
          </Table.Thead>
          <Table.Tbody>
            {found.slice(0, shown).map((entry) => (
              <AssetRow key={entry.id} entry={entry} now={now} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {found.length === 0 && <NoMatch />}
      {found.length > shown && (
        <Button variant="default" onClick={() => setShown(shown + PAGE)}>
          Show {Math.min(PAGE, found.length - shown)} more of {found.length}
        </Button>
      )}
    </div>
  );
}
