import { Link, useParams } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import type { Geofence } from "../../wire/rest";
import { Loading } from "../assets/asset_panel";
import { useMap } from "../context";
import { Icon } from "../glyphs";
import { GeofencesOnMap } from "../stage/map_page";
import { GeofenceDetail } from "./geofence_detail";
import { GeofenceForm } from "./geofence_form";
import { useGeofence, useGeofences } from "./queries";
import { draftOf } from "./shapes";

function Panel({ children }: { children: ReactNode }) {
  return (
    <section className="panel panel-left" aria-label="Geofence">
      <nav className="panel-back" aria-label="Back">
        <Link to="/geofences" className="link">
          <Icon name="back" />
          All geofences
        </Link>
      </nav>
      <div className="panel-scroll">{children}</div>
    </section>
  );
}

export function NewGeofencePage() {
  return (
    <Panel>
      <GeofencesOnMap selected={null} />
      <GeofenceForm geofence={null} />
    </Panel>
  );
}

/** Finds the geofence of the address, shows it on the map, and what `children` makes of it. */
type OneProps = { isDrawn?: boolean; children: (geofence: Geofence) => ReactNode };
function One({ isDrawn = false, children }: OneProps) {
  const { id } = useParams({ strict: false });
  const geofence = useGeofence(id ?? 0);
  const { isPending } = useGeofences();
  const map = useMap();
  const shape = geofence?.shape;
  useEffect(() => {
    if (shape) map?.fitShape(shape);
  }, [map, shape]);
  return (
    <Panel>
      <GeofencesOnMap
        selected={id ?? null}
        hidden={isDrawn && shape && draftOf(shape) ? id : undefined}
      />
      {geofence && children(geofence)}
      {!geofence && isPending && <Loading rows={4} />}
      {!geofence && !isPending && (
        <p className="nothing">This geofence is gone, or not yours to see.</p>
      )}
    </Panel>
  );
}

export function GeofencePage() {
  return <One>{(geofence) => <GeofenceDetail key={geofence.id} geofence={geofence} />}</One>;
}

export function EditGeofencePage() {
  return <One isDrawn>{(geofence) => <GeofenceForm key={geofence.id} geofence={geofence} />}</One>;
}
