import { Button, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { GEOFENCE_COLOURS } from "../../fleet/look";
import type { Geofence } from "../../wire/rest";
import { Loading } from "../assets/asset_panel";
import { useCanOperate } from "../context";
import { Icon } from "../glyphs";
import { GeofencesOnMap } from "../stage/map_page";
import { useGeofences } from "./queries";
import { described } from "./shapes";

const SEARCH_FROM = 8;

export function colourOf({ id, colour }: Geofence): string {
  return colour || (GEOFENCE_COLOURS[id % GEOFENCE_COLOURS.length] ?? "");
}

export function Swatch({ colour }: { colour: string }) {
  return (
    <svg className="swatch" viewBox="0 0 16 16" aria-hidden="true">
      <rect
        x="1.5"
        y="1.5"
        width="13"
        height="13"
        rx="4"
        stroke={colour}
        fill={colour}
        fillOpacity="0.3"
      />
    </svg>
  );
}

function NoGeofences({ canOperate }: { canOperate: boolean }) {
  return (
    <div className="empty">
      <Icon name="geofences" />
      <h2>No geofences yet</h2>
      <p>
        A geofence is a place on the map. When an asset enters or leaves it, whoever you name is
        told.
      </p>
      {!canOperate && <p>An operator of your organisation can draw one.</p>}
    </div>
  );
}

function Rows({ geofences }: { geofences: readonly Geofence[] }) {
  return (
    <ul className="fences">
      {geofences.map((geofence) => (
        <li key={geofence.id}>
          <Link to="/geofences/$id" params={{ id: geofence.id }} className="fence">
            <Swatch colour={colourOf(geofence)} />
            <span className="row-name">{geofence.name}</span>
            <span className="row-kind">{described(geofence.shape)}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

export function GeofenceList() {
  const { data, isError, error, isFetching, refetch } = useGeofences();
  const canOperate = useCanOperate();
  const [text, setText] = useState("");
  const found = (data ?? []).filter(({ name }) =>
    name.toLowerCase().includes(text.trim().toLowerCase()),
  );
  return (
    <section className="panel panel-left" aria-label="Geofences">
      <GeofencesOnMap selected={null} />
      {canOperate && (
        <div className="panel-head">
          <Button
            renderRoot={(props) => <Link to="/geofences/new" {...props} />}
            leftSection={<Icon name="plus" />}
          >
            New geofence
          </Button>
          {(data?.length ?? 0) >= SEARCH_FROM && (
            <TextInput
              type="search"
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              placeholder="Find by name"
              aria-label="Find geofences"
              leftSection={<Icon name="search" />}
            />
          )}
        </div>
      )}
      {isError && (
        <div className="not-read" role="alert">
          <p>
            <b>The geofences could not be loaded.</b> {error.message}
          </p>
          <Button size="xs" variant="default" loading={isFetching} onClick={() => void refetch()}>
            Try again
          </Button>
        </div>
      )}
      {!data && !isError && <Loading rows={4} />}
      {data?.length === 0 && <NoGeofences canOperate={canOperate} />}
      {data && data.length > 0 && found.length === 0 && (
        <div className="nothing" role="status">
          <p>No geofence has “{text.trim()}” in its name.</p>
          <button type="button" className="link" onClick={() => setText("")}>
            Clear the search
          </button>
        </div>
      )}
      {found.length > 0 && <Rows geofences={found} />}
    </section>
  );
}
