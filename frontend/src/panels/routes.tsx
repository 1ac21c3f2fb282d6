import { createRootRoute, createRoute, createRouter, Link, Navigate } from "@tanstack/react-router";
import { AlertsPage } from "./alerts/alerts_page";
import { AssetsPage } from "./assets/assets_page";
import { type FilterSearch, filterSearch } from "./filters";
import { GeofenceList } from "./geofences/geofence_list";
import { EditGeofencePage, GeofencePage, NewGeofencePage } from "./geofences/geofence_pages";
import { Shell } from "./shell/shell";
import { MapPage } from "./stage/map_page";

export type MapSearch = FilterSearch & {
  lon?: number;
  lat?: number;
  zoom?: number;
  selected?: number;
  still?: number;
  native?: number;
};

/** What is no number in the address is as good as absent. */
function mapSearch(search: Record<string, unknown>): MapSearch {
  const names = ["lon", "lat", "zoom", "selected", "still", "native"] as const;
  const given = names.filter((name) => typeof search[name] === "number");
  return {
    ...filterSearch(search),
    ...Object.fromEntries(given.map((name) => [name, search[name]])),
  };
}

/** Mails about an alert lead to it. */
function alertSearch({ alert }: Record<string, unknown>): { alert?: number } {
  return typeof alert === "number" ? { alert } : {};
}

function NotFound() {
  return (
    <div className="empty">
      <h2>There is no such page</h2>
      <p>The address may be mistyped or old.</p>
      <Link to="/map" className="link">
        To the live map
      </Link>
    </div>
  );
}

const id = {
  parse: ({ id: text }: { id: string }) => ({ id: Number(text) }),
  stringify: ({ id: number }: { id: number }) => ({ id: String(number) }),
};

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });
const under = <P extends string>(path: P) => ({ getParentRoute: () => root, path });

const tree = root.addChildren([
  createRoute({ ...under("/"), component: () => <Navigate to="/map" replace /> }),
  createRoute({ ...under("/map"), component: MapPage, validateSearch: mapSearch }),
  createRoute({ ...under("/assets"), component: AssetsPage, validateSearch: filterSearch }),
  createRoute({ ...under("/alerts"), component: AlertsPage, validateSearch: alertSearch }),
  createRoute({ ...under("/geofences"), component: GeofenceList }),
  createRoute({ ...under("/geofences/new"), component: NewGeofencePage }),
  createRoute({ ...under("/geofences/$id"), component: GeofencePage, params: id }),
  createRoute({ ...under("/geofences/$id/edit"), component: EditGeofencePage, params: id }),
]);

export function makeRouter() {
  return createRouter({ routeTree: tree, basepath: "/app" });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
