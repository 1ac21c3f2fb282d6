import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useMap, usePorts } from "../context";
import { Icon } from "../glyphs";

const TRACK_EVERY_MS = 30_000;

/** Shows and hides the way of the last 24 hours. */
export function TrackToggle({ id }: { id: number }) {
  const map = useMap();
  const { backend } = usePorts();
  const [isShown, setShown] = useState(false);
  const { data, isFetching, isError } = useQuery({
    queryKey: ["track", id],
    queryFn: () => backend.track(id),
    enabled: isShown,
    refetchInterval: TRACK_EVERY_MS,
  });
  useEffect(() => {
    if (!map || !isShown || !data) return;
    map.showTrack(data);
    return () => map.showTrack([]);
  }, [map, isShown, data]);
  return (
    <>
      <Button
        size="xs"
        variant={isShown ? "filled" : "default"}
        aria-pressed={isShown}
        leftSection={<Icon name="track" />}
        loading={isShown && isFetching && !data}
        onClick={() => setShown(!isShown)}
      >
        Last 24 h
      </Button>
      {isShown && isError && <p className="refused">The track could not be loaded.</p>}
      {isShown && data && data.length < 2 && (
        <p className="nothing">It did not move in the last 24 hours.</p>
      )}
    </>
  );
}
