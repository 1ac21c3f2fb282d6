import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Crossing, Geofence } from "../../wire/rest";
import { usePorts } from "../context";

const CROSSINGS_KEPT = 100;
const PRESENCE_EVERY_MS = 30_000;
const REJUDGING_EVERY_MS = 2_000;

export function useGeofences() {
  const { backend } = usePorts();
  return useQuery({ queryKey: ["geofences"], queryFn: () => backend.geofences() });
}

export function useGeofence(id: number): Geofence | undefined {
  return useGeofences().data?.find((geofence) => geofence.id === id);
}

export function useRules() {
  const { backend } = usePorts();
  return useQuery({ queryKey: ["rules"], queryFn: () => backend.rules() });
}

export function usePresence(geofence: number) {
  const { backend } = usePorts();
  return useQuery({
    queryKey: ["presence", geofence],
    queryFn: () => backend.presence(geofence),
    refetchInterval: PRESENCE_EVERY_MS,
  });
}

export function useRejudgings(organisation: number) {
  const { backend } = usePorts();
  return useQuery({
    queryKey: ["rejudgings", organisation],
    queryFn: () => backend.rejudgings(organisation),
    staleTime: 0,
    refetchInterval: ({ state: { data } }) =>
      data && data.length > 0 ? REJUDGING_EVERY_MS : PRESENCE_EVERY_MS,
  });
}

export function useCrossings(geofence: number) {
  const { backend } = usePorts();
  return useQuery({
    queryKey: ["crossings", geofence],
    queryFn: () => backend.crossings({ geofence }),
  });
}

/** The corrections of a crossing whose time was moved; of others nothing more needs telling. */
export function useCorrections({ id, correction, at }: Crossing) {
  const { backend } = usePorts();
  return useQuery({
    queryKey: ["corrections", id, at],
    queryFn: () => backend.corrections(id),
    enabled: correction === "moved",
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** A correction replaces the crossing that it corrects; all else comes on top. */
export function withCrossing(known: readonly Crossing[], fresh: Crossing): Crossing[] {
  const others = known.filter(({ id }) => id !== fresh.id);
  return [fresh, ...others]
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at) || b.id - a.id)
    .slice(0, CROSSINGS_KEPT);
}

/** Keeps what was read fresh with what the socket tells. */
export function useGeofenceNews(): void {
  const { live } = usePorts();
  const client = useQueryClient();
  useEffect(
    () =>
      live.onNews((news) => {
        if (news.type === "changed") {
          void client.invalidateQueries({ queryKey: [news.what] });
          return;
        }
        const { crossing } = news;
        client.setQueryData<Crossing[]>(
          ["crossings", crossing.geofence],
          (known) => known && withCrossing(known, crossing),
        );
        void client.invalidateQueries({ queryKey: ["asset-state", crossing.asset] });
        void client.invalidateQueries({ queryKey: ["presence", crossing.geofence] });
      }),
    [live, client],
  );
}
