import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { SEVERITIES } from "../../fleet/look";
import type { Alert } from "../../wire/rest";
import { useCanOperate, useLive, useNow, usePorts } from "../context";
import { Icon, SeverityGlyph } from "../glyphs";
import { useSelected } from "../stage/selection";
import { alertText, exactly, isolated, span, when } from "../words";

/** The marks that a correction or a late fact leaves on an alert. */
export function AlertMarks({ alert }: { alert: Alert }) {
  return (
    <>
      {alert.state === "withdrawn" && (
        <span
          className="mark mark-withdrawn"
          title="A late report showed that this did not happen."
        >
          withdrawn: did not happen
        </span>
      )}
      {alert.amended_at && alert.state !== "withdrawn" && (
        <span
          className="mark mark-moved"
          title={`A late report moved it, ${exactly(alert.amended_at)}`}
        >
          time corrected
        </span>
      )}
      {alert.is_late && <span className="mark">late report</span>}
    </>
  );
}

export function Acknowledge({ alert, isShort = false }: { alert: Alert; isShort?: boolean }) {
  const { backend, live } = usePorts();
  const organisation = live.roster.asset(alert.asset)?.organisation;
  const canOperate = useCanOperate(organisation);
  const acknowledge = useMutation({
    mutationFn: () => backend.acknowledge(alert.id),
    onSuccess: (changed) => live.takeAlerts([changed]),
  });
  if (alert.state !== "open" || !canOperate) return null;
  return (
    <>
      <Button
        size={isShort ? "compact-xs" : "xs"}
        variant="default"
        className="acknowledge"
        title="Acknowledge: you have seen to it"
        leftSection={isShort ? null : <Icon name="check" />}
        loading={acknowledge.isPending}
        onClick={() => acknowledge.mutate()}
        aria-label={`Acknowledge: ${alertText(alert)}`}
      >
        Acknowledge
      </Button>
      {acknowledge.isError && (
        <p className="refused" role="alert">
          {acknowledge.error.message}
        </p>
      )}
    </>
  );
}

export function AlertItem({ alert, isBrief = false }: { alert: Alert; isBrief?: boolean }) {
  const now = useNow();
  const { select } = useSelected();
  useLive();
  const text = alertText(alert);
  return (
    <article className={`alert alert-${alert.state} alert-${alert.severity}`}>
      <SeverityGlyph severity={alert.severity} />
      <div className="alert-body">
        {isBrief ? (
          <p className="alert-text">{text}</p>
        ) : (
          <button
            type="button"
            className="alert-text alert-link"
            title={`Show ${isolated(alert.asset_name)} on the map`}
            onClick={() => select(alert.asset)}
          >
            {text}
          </button>
        )}
        <p className="alert-about">
          <span className={`severity-${alert.severity}`}>{SEVERITIES[alert.severity].word}</span>
          <time dateTime={alert.at} title={exactly(alert.at)}>
            {when(alert.at, now)} · {span((now - Date.parse(alert.at)) / 1000)} ago
          </time>
          <AlertMarks alert={alert} />
        </p>
        {alert.state === "acknowledged" && alert.acknowledged_by_name && (
          <p className="alert-about">Acknowledged by {alert.acknowledged_by_name}</p>
        )}
      </div>
      <Acknowledge alert={alert} isShort />
    </article>
  );
}
