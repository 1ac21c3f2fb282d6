import { useEffect, useRef, useState } from "react";
import { isWithin } from "../../fleet/roster";
import { useBounds, usePorts } from "../context";
import { alertText, plural } from "../words";

const SUMMARY_EVERY_MS = 10_000;

/** What sighted users read off the map, said for those who listen. */
export function Spoken() {
  const { live } = usePorts();
  const bounds = useRef(useBounds());
  bounds.current = useBounds();
  const [summary, setSummary] = useState("");
  const [urgent, setUrgent] = useState("");
  const said = useRef<Set<number> | null>(null);

  useEffect(() => {
    const timer = setInterval(() => {
      const box = bounds.current;
      if (!box) return;
      const inView = live.entries().filter((entry) => isWithin(entry, box));
      const alerting = inView.filter((entry) => entry.is_alerting).length;
      setSummary(`${plural(inView.length, "asset")} in view, ${alerting} alerting`);
    }, SUMMARY_EVERY_MS);
    return () => clearInterval(timer);
  }, [live]);

  useEffect(
    () =>
      live.pulse.subscribe(() => {
        const critical = live.alerts.open().filter(({ severity }) => severity === "critical");
        const known = said.current;
        said.current = new Set([...(known ?? []), ...critical.map(({ id }) => id)]);
        const fresh = known === null ? [] : critical.filter(({ id }) => !known.has(id));
        if (fresh.length > 0) setUrgent(fresh.map(alertText).join(". "));
      }),
    [live],
  );

  return (
    <>
      <div className="unseen" role="status">
        {summary}
      </div>
      <div className="unseen" role="alert">
        {urgent}
      </div>
    </>
  );
}
