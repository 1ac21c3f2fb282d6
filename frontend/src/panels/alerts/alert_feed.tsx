import { NotRead } from "../arrival";
import { Loading } from "../assets/asset_panel";
import { useLive } from "../context";
import { Icon } from "../glyphs";
import { AlertItem } from "./alert_item";

const EARLIER_AT_MOST = 30;

function NothingYet() {
  return (
    <div className="empty empty-small">
      <Icon name="check" />
      <p>Nothing to report. Alerts appear here when a rule of a geofence is met.</p>
    </div>
  );
}

/** What needs a person first, then what was dealt with lately. */
export function AlertFeed() {
  const { alerts, arrival } = useLive();
  const all = alerts.list();
  const open = all.filter(({ state }) => state === "open");
  const earlier = all.filter(({ state }) => state !== "open").slice(0, EARLIER_AT_MOST);
  const isThere = arrival.alerts === "there";
  return (
    <div className="feed">
      <div className="feed-head">
        <h2>Alerts</h2>
        {isThere && (
          <span className={open.length > 0 ? "tally tally-open" : "tally"}>{open.length} open</span>
        )}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must take the keyboard. */}
      <section className="feed-list" tabIndex={0} aria-label="Alert feed">
        {arrival.alerts === "failed" && <NotRead list="alerts" />}
        {arrival.alerts === "waiting" && <Loading rows={4} />}
        {open.map((alert) => (
          <AlertItem key={alert.id} alert={alert} />
        ))}
        {all.length === 0 && isThere && <NothingYet />}
        {earlier.length > 0 && <h3>Earlier</h3>}
        {earlier.map((alert) => (
          <AlertItem key={alert.id} alert={alert} />
        ))}
      </section>
    </div>
  );
}
