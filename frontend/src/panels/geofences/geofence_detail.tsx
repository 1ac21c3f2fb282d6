import { Button, Group, Modal, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { SEVERITIES } from "../../fleet/look";
import type { Geofence, Rule } from "../../wire/rest";
import { useCanOperate, useMap, usePorts } from "../context";
import { Icon, SeverityGlyph } from "../glyphs";
import { isolated } from "../words";
import { CrossingFeed } from "./crossing_feed";
import { colourOf, Swatch } from "./geofence_list";
import { BeingJudged, Inside } from "./inside";
import { useRules } from "./queries";
import { toTheMinute } from "./rule_steps";
import { described } from "./shapes";

const TRIGGERS: Record<Rule["trigger"], string> = {
  enter: "an asset enters",
  exit: "an asset leaves",
  enter_or_exit: "an asset enters or leaves",
  pass: "an asset passes through",
};

function Rules({ geofence }: { geofence: Geofence }) {
  const { data } = useRules();
  const rules = (data ?? []).filter((rule) => rule.geofence === geofence.id);
  if (rules.length === 0)
    return <p className="nothing">No alert. Crossings are kept all the same.</p>;
  return (
    <ul className="rules">
      {rules.map((rule) => (
        <li key={rule.id}>
          <SeverityGlyph severity={rule.severity} />
          <span>
            {SEVERITIES[rule.severity].word} when {TRIGGERS[rule.trigger]}
            {rule.recipients.length > 0 && <small>to {rule.recipients.join(", ")}</small>}
            {rule.quiet_from && (
              <small>
                not from {toTheMinute(rule.quiet_from)} to {toTheMinute(rule.quiet_until)},{" "}
                {rule.time_zone}
              </small>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Delete({ geofence }: { geofence: Geofence }) {
  const { backend } = usePorts();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [isAsking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => backend.deleteGeofence(geofence.id),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["geofences"] });
      void navigate({ to: "/geofences" });
    },
  });
  return (
    <>
      <Button
        size="xs"
        variant="default"
        leftSection={<Icon name="trash" />}
        onClick={() => setAsking(true)}
      >
        Delete
      </Button>
      <Modal
        opened={isAsking}
        onClose={() => setAsking(false)}
        closeButtonProps={{ "aria-label": "Close" }}
        attributes={{ header: { role: "presentation" } }}
        title={`Delete “${isolated(geofence.name)}”?`}
        centered
      >
        <Text size="sm">
          Its alerts stop at once. Crossings and alerts so far are kept. This cannot be undone.
        </Text>
        {remove.isError && (
          <p className="refused" role="alert">
            {remove.error.message}
          </p>
        )}
        <Group mt="lg" justify="flex-end">
          <Button variant="default" onClick={() => setAsking(false)} data-autofocus>
            Keep
          </Button>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
            Delete
          </Button>
        </Group>
      </Modal>
    </>
  );
}

export function GeofenceDetail({ geofence }: { geofence: Geofence }) {
  const map = useMap();
  const canOperate = useCanOperate(geofence.organisation);
  return (
    <div className="fence-detail">
      <header className="card-head">
        <Swatch colour={colourOf(geofence)} />
        <div>
          <h2>{geofence.name}</h2>
          <p>{described(geofence.shape)}</p>
        </div>
      </header>
      <div className="card-actions">
        {map && (
          <Button
            size="xs"
            variant="default"
            leftSection={<Icon name="fit" />}
            onClick={() => map.fitShape(geofence.shape)}
          >
            Show on map
          </Button>
        )}
        {canOperate && (
          <>
            <Button
              size="xs"
              variant="default"
              leftSection={<Icon name="edit" />}
              renderRoot={(props) => (
                <Link to="/geofences/$id/edit" params={{ id: geofence.id }} {...props} />
              )}
            >
              Change
            </Button>
            <Delete geofence={geofence} />
          </>
        )}
      </div>
      <BeingJudged geofence={geofence} />
      <h3>Inside now</h3>
      <Inside geofence={geofence.id} />
      <h3>Alerts</h3>
      <Rules geofence={geofence} />
      <h3>Crossings</h3>
      <CrossingFeed geofence={geofence.id} />
    </div>
  );
}
