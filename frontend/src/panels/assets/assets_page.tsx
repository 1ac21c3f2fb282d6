import { Button, Table, TextInput } from "@mantine/core";
import { useDeferredValue, useState } from "react";
import { LOOKS } from "../../fleet/look";
import { counts, type Entry, type Filter, matching } from "../../fleet/roster";
import { useEntries, useLive, useNow } from "../context";
import { Icon, StatusGlyph } from "../glyphs";
import { useIsPhone } from "../phone";
import { useSelected } from "../stage/selection";
import { ago, exactly, span, speed } from "../words";
import { AssetPanel, Loading, NoAssets } from "./asset_panel";
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
        <span className="state">
          <StatusGlyph status={entry.status} course_deg={entry.course_deg} />
          {LOOKS[entry.status].word}
        </span>
      </Table.Td>
      <Table.Td>{entry.speed_mms === null ? "–" : speed(entry.speed_mms)}</Table.Td>
      <Table.Td title={entry.fix_at === null ? "" : exactly(entry.fix_at)}>
        {ago(entry.fix_at, now)}
      </Table.Td>
      <Table.Td>{interval === null ? "–" : `every ${span(interval)}`}</Table.Td>
      <Table.Td>{entry.kind}</Table.Td>
      <Table.Td>{entry.tags.join(", ")}</Table.Td>
    </Table.Tr>
  );
}

const COLUMNS = ["Asset", "State", "Speed", "Last fix", "Reports", "Kind", "Tags"];

/** On a phone the list says it all; a table would only hide half of itself. */
export function AssetsPage() {
  return useIsPhone() ? <AssetPanel /> : <AssetTable />;
}

function AssetTable() {
  const live = useLive();
  const entries = useEntries();
  const now = useNow();
  const [text, setText] = useState("");
  const [states, setStates] = useState<Filter["states"]>(new Set());
  const [shown, setShown] = useState(PAGE);
  const found = matching(entries, { text: useDeferredValue(text), states, within: null });

  if (entries.length === 0) return live.isLoaded ? <NoAssets /> : <Loading />;
  return (
    <div className="page-body">
      <div className="page-filters">
        <TextInput
          type="search"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          placeholder="Find by name, kind or tag"
          aria-label="Find assets"
          leftSection={<Icon name="search" />}
        />
        <StateChips counts={counts(entries)} chosen={states} onChange={setStates} />
      </div>
      <Table.ScrollContainer minWidth={760} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table highlightOnHover className="wide-table">
          <Table.Thead>
            <Table.Tr>
              {COLUMNS.map((name) => (
                <Table.Th key={name}>{name}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {found.slice(0, shown).map((entry) => (
              <AssetRow key={entry.id} entry={entry} now={now} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {found.length === 0 && (
        <p className="nothing">No asset matches. Change the search or the filters.</p>
      )}
      {found.length > shown && (
        <Button variant="default" onClick={() => setShown(shown + PAGE)}>
          Show {Math.min(PAGE, found.length - shown)} more of {found.length}
        </Button>
      )}
    </div>
  );
}
