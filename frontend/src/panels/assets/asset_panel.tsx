import { Skeleton, Switch } from "@mantine/core";
import { useDeferredValue } from "react";
import { counts, matching } from "../../fleet/roster";
import { NotRead } from "../arrival";
import { useBounds, useEntries, useLive, usePorts } from "../context";
import { useFilters } from "../filters";
import { FindField } from "../find_field";
import { Icon } from "../glyphs";
import { useSelected } from "../stage/selection";
import { plural, whole } from "../words";
import { AssetList } from "./asset_list";
import { StateChips } from "./state_chips";

export function NoAssets() {
  const { user } = usePorts().boot;
  return (
    <div className="empty">
      <Icon name="assets" />
      <h2>No assets yet</h2>
      <p>
        An asset appears here, and on the map, within a second of the first report of its device.
      </p>
      {user.role === "admin" ? (
        <a className="link" href="/admin/">
          Add an asset and its device in the administration
        </a>
      ) : (
        <p>Whoever runs this server adds assets and their devices.</p>
      )}
    </div>
  );
}

/** Says which of the choices may be why, and takes all of them back. */
export function NoMatch() {
  const { isInView, clear } = useFilters();
  return (
    <div className="nothing" role="status">
      <p>
        No asset matches the search and the filters
        {isInView ? " in the part of the map that is in view" : ""}.
      </p>
      <button type="button" className="link" onClick={clear}>
        Clear search and filters
      </button>
    </div>
  );
}

export function Loading({ rows = 8 }: { rows?: number }) {
  return (
    <div className="loading" role="status">
      <span className="unseen">Loading</span>
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} height={36} radius="md" />
      ))}
    </div>
  );
}

/** Search, filters and the list: everything that the map shows, in words. */
export function AssetPanel() {
  const live = useLive();
  const entries = useEntries();
  const bounds = useBounds();
  const { selected, select } = useSelected();
  const { find, states, isInView, setFind, setStates, setInView } = useFilters();
  const within = isInView ? bounds : null;
  const found = matching(entries, { text: useDeferredValue(find), states, within });

  if (entries.length === 0) {
    if (live.arrival.assets === "failed") return <NotRead list="assets" />;
    return live.arrival.assets === "there" ? <NoAssets /> : <Loading />;
  }
  return (
    <div className="asset-panel">
      <div className="panel-head">
        <FindField value={find} onChange={setFind} label="Find assets" hint="Name, kind or tag" />
        <StateChips counts={counts(entries)} chosen={states} onChange={setStates} />
        <div className="panel-count">
          <span role="status">
            {found.length === entries.length
              ? plural(entries.length, "asset")
              : `${whole(found.length)} of ${plural(entries.length, "asset")}`}
          </span>
          <Switch
            size="sm"
            label="In view only"
            labelPosition="left"
            checked={isInView}
            onChange={(event) => setInView(event.currentTarget.checked)}
          />
        </div>
      </div>
      {live.arrival.assets === "failed" && <NotRead list="assets" />}
      {found.length === 0 ? (
        <NoMatch />
      ) : (
        <AssetList entries={found} selected={selected} onSelect={select} />
      )}
    </div>
  );
}
