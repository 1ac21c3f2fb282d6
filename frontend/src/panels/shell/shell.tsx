import { Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect } from "react";
import { useGeofenceNews } from "../geofences/queries";
import { MapStage, StageProvider } from "../stage/map_stage";
import { AccessDialog } from "./access_dialog";
import { LinkAnnouncer } from "./clock";
import { Rail } from "./rail";
import { Spoken } from "./spoken";
import { TopBar } from "./top_bar";

const TITLES: Record<string, string> = {
  map: "Live map",
  assets: "Assets",
  alerts: "Alerts",
  geofences: "Geofences",
};

export function Shell() {
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const page = path.split("/").find((part) => part in TITLES) ?? "";
  const title = TITLES[page] ?? "Tracker";
  const hasMap = page === "map" || page === "geofences";
  useEffect(() => {
    document.title = page === "" ? title : `${title} · Tracker`;
  }, [page, title]);
  useGeofenceNews();
  return (
    <StageProvider>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <div className="shell">
        <Rail />
        <TopBar title={title} />
        <main id="main" tabIndex={-1} className={hasMap ? `stage stage-${page}` : "page"}>
          <MapStage isShown={hasMap} />
          <Outlet />
        </main>
      </div>
      <LinkAnnouncer />
      <Spoken />
      <AccessDialog />
    </StageProvider>
  );
}
