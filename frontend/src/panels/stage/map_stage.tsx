import { useComputedColorScheme } from "@mantine/core";
import { useNavigate, useRouterState } from "@tanstack/react-router";
import {
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Bounds } from "../../fleet/roster";
import { type Stage, StageContext, useLive, useMap, usePorts } from "../context";
import { Icon } from "../glyphs";
import type { MapPort, View } from "../ports";
import { useShortcut } from "../shortcuts";
import { useSelected } from "./selection";

const SETTLE_MS = 400;
const LOAD_AGAIN_MS = 3_000;
const round = (value: number, digits: number) => Number(value.toFixed(digits));

/** Loads the one map and keeps it for as long as the page lives. */
export function StageProvider({ children }: { children: ReactNode }) {
  const { loadMap } = usePorts();
  const theme = useComputedColorScheme("light");
  const [map, setMap] = useState<Stage["map"]>("loading");
  const [bounds, setBounds] = useState<Bounds | null>(null);
  const isAsked = useRef(false);
  const approach = useRef<number | null>(null);

  const load = useCallback(() => {
    if (isAsked.current) return;
    isAsked.current = true;
    loadMap(theme)
      .then((loaded) => setMap(loaded ?? "unavailable"))
      .catch((error: unknown) => {
        console.warn("map: its code did not arrive:", error);
        isAsked.current = false;
        setMap("not-arrived");
      });
  }, [loadMap, theme]);
  useEffect(load, [load]);
  useEffect(() => {
    if (typeof map !== "string") map.setTheme(theme);
  }, [map, theme]);

  const stage = useMemo(() => ({ map, load, bounds, setBounds, approach }), [map, load, bounds]);
  return <StageContext value={stage}>{children}</StageContext>;
}

/** The view of the map in the address, so that it can be shared. */
function useViewInAddress() {
  const navigate = useNavigate();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  return ({ lon_deg, lat_deg, zoom }: View) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      if (!location.pathname.endsWith("/map")) return;
      const view = { lon: round(lon_deg, 5), lat: round(lat_deg, 5), zoom: round(zoom, 2) };
      void navigate({
        to: "/map",
        search: (last: object) => ({ ...last, ...view }),
        replace: true,
      });
    }, SETTLE_MS);
  };
}

function viewOf(search: Record<string, unknown>): View | null {
  const { lon, lat, zoom } = search;
  if (typeof lon !== "number" || typeof lat !== "number" || typeof zoom !== "number") return null;
  return { lon_deg: lon, lat_deg: lat, zoom };
}

/** Shows the map where the address says, and tells the address where it went. */
function MapHost({ map }: { map: MapPort }) {
  const host = useRef<HTMLDivElement>(null);
  const { setBounds } = useContext(StageContext);
  const { select } = useSelected();
  const search = useRouterState({
    select: ({ location }) => location.search as Record<string, unknown>,
  });
  const keepView = useViewInAddress();
  const [isMissingDetail, setMissingDetail] = useState(false);
  const [isLost, setLost] = useState(false);
  const latest = useRef({ select, keepView, search });
  latest.current = { select, keepView, search };

  useEffect(() => {
    if (!host.current) return;
    const view = viewOf(latest.current.search);
    if (view) map.setView(view);
    return map.mount(host.current, {
      picked: (id) => latest.current.select(id, { isOnMap: true }),
      moved: (at, bounds) => {
        setBounds(bounds);
        latest.current.keepView(at);
      },
      detail: setMissingDetail,
      lost: setLost,
    });
  }, [map, setBounds]);

  return (
    <>
      <div ref={host} className="map-host" />
      {isLost && (
        <div className="map-message map-lost" role="alert">
          <strong>The graphics card lost the map.</strong>
          <p>It comes back by itself when the card does. The list stays live.</p>
        </div>
      )}
      {isMissingDetail && <p className="map-hint">No street detail at this scale</p>}
    </>
  );
}

function NotArrived() {
  const { load } = useContext(StageContext);
  const { link } = useLive();
  useEffect(() => {
    if (link !== "live") return;
    const timer = setInterval(load, LOAD_AGAIN_MS);
    return () => clearInterval(timer);
  }, [link, load]);
  return (
    <div className="map-message" role="alert">
      <strong>The map has not arrived.</strong>
      <p>It appears by itself once the server can be reached. The list needs no map.</p>
    </div>
  );
}

function MapTools() {
  const map = useMap();
  const hasKey = useShortcut("f", () => map?.fitAll());
  if (!map) return null;
  return (
    <div className="map-tools">
      <button
        type="button"
        className="map-tool"
        onClick={() => map.fitAll()}
        aria-label="Show all assets"
        title={hasKey ? "Show all assets (F)" : "Show all assets"}
      >
        <Icon name="fit" />
      </button>
    </div>
  );
}

/** Keeps the map's selection the same as the address's. */
function SelectionOnMap() {
  const map = useMap();
  const { selected } = useSelected();
  useEffect(() => map?.select(selected), [map, selected]);
  return null;
}

export function MapStage({ isShown }: { isShown: boolean }) {
  const { map } = useContext(StageContext);
  return (
    <section className="map-stage" aria-label="Map" hidden={!isShown}>
      {map === "loading" && <p className="map-message">Loading the map…</p>}
      {map === "not-arrived" && <NotArrived />}
      {map === "unavailable" && (
        <div className="map-message">
          <strong>The map cannot be drawn here.</strong>
          <p>This browser offers no WebGL 2. The list holds the same information and stays live.</p>
        </div>
      )}
      {typeof map !== "string" && <MapHost map={map} />}
      <MapTools />
      <SelectionOnMap />
    </section>
  );
}
