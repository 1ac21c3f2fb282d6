import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
} from "react";
import type { LiveState } from "../fleet/live_state";
import type { Bounds, Entry } from "../fleet/roster";
import type { MapPort, Ports } from "./ports";

const PortsContext = createContext<Ports | null>(null);

export function PortsProvider({ ports, children }: { ports: Ports; children: ReactNode }) {
  return <PortsContext value={ports}>{children}</PortsContext>;
}

export function usePorts(): Ports {
  const ports = useContext(PortsContext);
  if (!ports) throw new Error("no ports above this view");
  return ports;
}

/** The live state; the view is drawn again on each beat. */
export function useLive(): LiveState {
  const { live } = usePorts();
  useSyncExternalStore(live.pulse.subscribe, () => live.pulse.beat);
  return live;
}

export function useEntries(): Entry[] {
  return useLive().entries();
}

/** The present, in ms since 1970 by the server's clock, once a second. */
export function useNow(): number {
  const { live } = usePorts();
  const [now, setNow] = useState(() => live.lag.serverNow(Date.now()));
  useEffect(() => {
    const timer = setInterval(() => setNow(live.lag.serverNow(Date.now())), 1_000);
    return () => clearInterval(timer);
  }, [live]);
  return now;
}

/** May this user change things of the organisation, or of any when none is named? */
export function useCanOperate(organisation?: number): boolean {
  const { user, organisations } = usePorts().boot;
  if (user.role === "admin" || user.role === "dispatcher") return true;
  return organisations.some(
    ({ id, role }) => (organisation === undefined || id === organisation) && role !== "viewer",
  );
}

/** The map that all map pages share: its port once there, and what it shows. */
export type Stage = {
  map: MapPort | "loading" | "unavailable" | "not-arrived";
  /** Tries once more where the map has not arrived. */
  load(): void;
  bounds: Bounds | null;
  setBounds(bounds: Bounds): void;
  /** The asset that was chosen away from the map, and that the map is to go to. */
  approach: { current: number | null };
};
export const StageContext = createContext<Stage>({
  map: "loading",
  load: () => undefined,
  bounds: null,
  setBounds: () => undefined,
  approach: { current: null },
});

export function useMap(): MapPort | null {
  const { map } = useContext(StageContext);
  return typeof map === "string" ? null : map;
}

export function useBounds(): Bounds | null {
  return useContext(StageContext).bounds;
}
