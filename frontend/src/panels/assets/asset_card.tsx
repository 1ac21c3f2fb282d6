import { Button, CloseButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { LOOKS } from "../../fleet/look";
import type { Entry } from "../../fleet/roster";
import type { LiveRow } from "../../wire/live_columns";
import type { AssetState } from "../../wire/rest";
import { AlertItem } from "../alerts/alert_item";
import { useLive, useMap, useNow, usePorts } from "../context";
import { Icon, StatusGlyph } from "../glyphs";
import { useSelected } from "../stage/selection";
import {
  ago,
  coordinates,
  course,
  exactly,
  methodWord,
  metres,
  reading,
  span,
  speedTitle,
  speedWord,
  stateWords,
} from "../words";
import { TrackToggle } from "./track_toggle";

/** Presence and readings are read again soon after something came, and now and then. */
const STATE_EVERY_MS = 15_000;
const STATE_WHEN_BEHIND_MS = 2_000;

type FactProps = { name: string; title?: string | undefined; children: string };

function Fact({ name, title, children }: FactProps) {
  return (
    <div className="fact" title={title}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function SpeedFact({ speed }: Pick<Entry, "speed">) {
  if (speed === null) return <Fact name="Speed">not reported</Fact>;
  return (
    <Fact name={speed.is_estimated ? "Speed, estimated" : "Speed"} title={speedTitle(speed)}>
      {speedWord(speed)}
    </Fact>
  );
}

function Facts({ row, speed, now }: Pick<Entry, "speed"> & { row: LiveRow; now: number }) {
  const { lon_e7, lat_e7, fix_at, course_cdeg, accuracy_dm, battery, method } = row;
  return (
    <dl className="facts">
      <SpeedFact speed={speed} />
      <Fact name="Course">{course_cdeg === null ? "not reported" : course(course_cdeg / 100)}</Fact>
      <Fact name="Fix" {...(fix_at === null ? {} : { title: exactly(fix_at) })}>
        {ago(fix_at, now)}
      </Fact>
      <Fact name="Accuracy">
        {accuracy_dm === null
          ? "not reported"
          : `± ${metres(accuracy_dm / 10)}${method ? ` · ${methodWord(method)}` : ""}`}
      </Fact>
      {lon_e7 !== null && lat_e7 !== null && (
        <Fact name="Latitude, longitude">{coordinates(lon_e7 / 1e7, lat_e7 / 1e7)}</Fact>
      )}
      {battery !== null && <Fact name="Battery">{`${battery} %`}</Fact>}
    </dl>
  );
}

const isAboutRadio = (key: string) => /^(link\.|hdop|satellites)/.test(key);

function Readings({ of }: { of: [string, AssetState["readings"][string]][] }) {
  return (
    <dl className="facts">
      {of.map(([key, value]) => {
        const said = reading(key, value);
        return (
          <Fact key={key} name={said.name}>
            {said.value}
          </Fact>
        );
      })}
    </dl>
  );
}

function Conditions({ state, now }: { state: AssetState; now: number }) {
  const all = Object.entries(state.readings).filter(([key]) => key !== "battery.level");
  const readings = all.filter(([key]) => !isAboutRadio(key));
  const radio = all.filter(([key]) => isAboutRadio(key));
  return (
    <>
      {state.presence.length > 0 && (
        <>
          <h3>Inside</h3>
          <ul className="presence">
            {state.presence.map(({ geofence, name, since }) => (
              <li key={geofence}>
                <Icon name="geofences" />
                {name}
                {since && (
                  <span title={exactly(since)}>for {span((now - Date.parse(since)) / 1000)}</span>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
      {readings.length > 0 && (
        <>
          <h3>Readings</h3>
          <Readings of={readings} />
        </>
      )}
      {radio.length > 0 && (
        <details className="radio">
          <summary>Radio and receiver</summary>
          <Readings of={radio} />
        </details>
      )}
    </>
  );
}

function CardActions({ id, hasFix }: { id: number; hasFix: boolean }) {
  const map = useMap();
  const [isFollowing, setFollowing] = useState(false);
  useEffect(() => {
    if (!map || !isFollowing) return;
    map.startFollowing(() => setFollowing(false));
    return () => map.stopFollowing();
  }, [map, isFollowing]);
  if (!map || !hasFix) return null;
  return (
    <div className="card-actions">
      <Button
        size="xs"
        variant="default"
        leftSection={<Icon name="fit" />}
        onClick={() => map.flyToAsset(id)}
      >
        Go there
      </Button>
      <Button
        size="xs"
        variant={isFollowing ? "filled" : "default"}
        aria-pressed={isFollowing}
        leftSection={<Icon name="follow" />}
        onClick={() => setFollowing(!isFollowing)}
      >
        {isFollowing ? "Following" : "Follow"}
      </Button>
      <TrackToggle id={id} />
    </div>
  );
}

function isBehind(state: AssetState | undefined, row: LiveRow | null): boolean {
  return Date.parse(state?.received_at ?? "1970-01-01") < (row?.received_at ?? 0);
}

/** All that is known of one asset now. */
export function AssetCard({ id }: { id: number }) {
  const live = useLive();
  const now = useNow();
  const { backend } = usePorts();
  const { select } = useSelected();
  const row = live.fleet.row(id);
  const state = useQuery({
    queryKey: ["asset-state", id],
    queryFn: () => backend.assetState(id),
    refetchInterval: ({ state: { data } }) =>
      isBehind(data, row) ? STATE_WHEN_BEHIND_MS : STATE_EVERY_MS,
  });
  const entry = live.roster.entry(live.fleet, id, now);
  const alerts = live.alerts.open().filter(({ asset }) => asset === id);
  const isKnown = live.arrival.assets === "there";
  const isUnknown = row === null && live.roster.asset(id) === undefined;

  return (
    <article className="card">
      <header className="card-head">
        {!isUnknown && <StatusGlyph status={entry.status} course_deg={entry.course_deg} />}
        <div>
          <h2>{isUnknown && isKnown ? "Not found" : entry.name}</h2>
          {!isUnknown && (
            <p>
              <b className={`word-${entry.status}`} title={LOOKS[entry.status].meaning}>
                {stateWords(entry, now)}
              </b>
              {entry.is_alerting && <b className="severity-critical"> · Alerting</b>}
              {[entry.kind, ...entry.tags].filter(Boolean).map((word) => ` · ${word}`)}
            </p>
          )}
        </div>
        <CloseButton aria-label="Close" size="lg" onClick={() => select(null)} />
      </header>
      {isUnknown && isKnown && <p className="nothing">This asset is gone, or not yours to see.</p>}
      {alerts.map((alert) => (
        <AlertItem key={alert.id} alert={alert} isBrief />
      ))}
      <CardActions key={id} id={id} hasFix={entry.lon_deg !== null} />
      {row && <Facts row={row} speed={entry.speed} now={now} />}
      {state.data && <Conditions state={state.data} now={now} />}
      {state.isError && !isUnknown && <p className="nothing">Readings could not be loaded.</p>}
    </article>
  );
}
