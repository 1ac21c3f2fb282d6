import { SegmentedControl, Table } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { SEVERITIES } from "../../fleet/look";
import type { Alert } from "../../wire/rest";
import { NotRead } from "../arrival";
import { Loading } from "../assets/asset_panel";
import { useLive, useNow, usePorts } from "../context";
import { Icon, SeverityGlyph } from "../glyphs";
import { useIsPhone } from "../phone";
import { useSelected } from "../stage/selection";
import { alertText, exactly, span, when } from "../words";
import { Acknowledge, AlertItem, AlertMarks } from "./alert_item";

const FILTERS = [
  { value: "open", label: "Open" },
  { value: "acknowledged", label: "Acknowledged" },
  { value: "all", label: "All" },
];
const STATES: Record<Alert["state"], string> = {
  open: "Open",
  acknowledged: "Acknowledged",
  resolved: "Resolved",
  withdrawn: "Withdrawn",
};
const NOTHING: Record<string, string> = {
  open: "No open alerts. Everything has been seen to.",
  acknowledged: "No acknowledged alerts.",
  all: "No alerts yet. They appear here when a rule of a geofence is met.",
};

function AlertRow({ alert, isNamed }: { alert: Alert; isNamed: boolean }) {
  const now = useNow();
  const { select } = useSelected();
  const by = alert.acknowledged_by_name;
  return (
    <Table.Tr className={`alert-${alert.state}`} aria-current={isNamed || undefined}>
      <Table.Td>
        <span className="state">
          <SeverityGlyph severity={alert.severity} />
          {SEVERITIES[alert.severity].word}
        </span>
      </Table.Td>
      <Table.Td>
        <span className="alert-text">{alertText(alert)}</span> <AlertMarks alert={alert} />
        {alert.rule_name && <div className="alert-about">{alert.rule_name}</div>}
      </Table.Td>
      <Table.Td>
        <button type="button" className="link" onClick={() => select(alert.asset)}>
          {alert.asset_name}
        </button>
      </Table.Td>
      <Table.Td>{alert.geofence_name}</Table.Td>
      <Table.Td>
        <time dateTime={alert.at} title={exactly(alert.at)}>
          {when(alert.at, now)}
          <span className="alert-about">{span((now - Date.parse(alert.at)) / 1000)} ago</span>
        </time>
      </Table.Td>
      <Table.Td>
        {STATES[alert.state]}
        {by && <div className="alert-about">by {by}</div>}
      </Table.Td>
      <Table.Td>
        <Acknowledge alert={alert} />
      </Table.Td>
    </Table.Tr>
  );
}

const COLUMNS = ["Severity", "What", "Asset", "Geofence", "When", "State"];

function AlertTable({ rows, named }: { rows: readonly Alert[]; named: number | undefined }) {
  return (
    <Table.ScrollContainer minWidth={820} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table highlightOnHover stickyHeader className="wide-table">
        <Table.Thead>
          <Table.Tr>
            {COLUMNS.map((name) => (
              <Table.Th key={name}>{name}</Table.Th>
            ))}
            <Table.Th>
              <span className="unseen">Action</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((alert) => (
            <AlertRow key={alert.id} alert={alert} isNamed={alert.id === named} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

export function AlertsPage() {
  const live = useLive();
  const { backend } = usePorts();
  const isPhone = useIsPhone();
  const { alert: named } = useSearch({ from: "/alerts" });
  const [filter, setFilter] = useState(named === undefined ? "open" : "all");
  // The stream brings what is new; this brings what is older than the session.
  const { data, isPending, isError } = useQuery({
    queryKey: ["alerts", filter],
    queryFn: () => backend.alerts(filter === "all" ? null : filter),
  });
  useEffect(() => live.takeAlerts(data ?? []), [live, data]);
  const rows = live.alerts
    .list()
    .filter(({ state }) => filter === "all" || state === filter)
    .sort((a, b) => Number(b.id === named) - Number(a.id === named));
  return (
    <div className="page-body">
      <div className="page-filters">
        <SegmentedControl
          aria-label="Which alerts"
          data={FILTERS}
          value={filter}
          onChange={setFilter}
        />
      </div>
      {live.arrival.alerts === "failed" && <NotRead list="alerts" />}
      {isError && live.arrival.alerts !== "failed" && (
        <p className="refused">Older alerts could not be loaded.</p>
      )}
      {rows.length === 0 && isPending && <Loading rows={4} />}
      {rows.length === 0 && !isPending && !isError && (
        <div className="empty">
          <Icon name="check" />
          <p>{NOTHING[filter]}</p>
        </div>
      )}
      {isPhone
        ? rows.map((alert) => <AlertItem key={alert.id} alert={alert} />)
        : rows.length > 0 && <AlertTable rows={rows} named={named} />}
    </div>
  );
}
