import { LOOKS, lookName, turn_deg } from "../fleet/look";
import type { Status } from "../fleet/status";
import type { Severity } from "../wire/rest";

/** The state's own shape, the same as on the map. The word stands beside it. */
export function StatusGlyph({
  status,
  course_deg,
}: {
  status: Status;
  /** Left out in a legend, where an arrow stands for all that move. */
  course_deg?: number | null;
}) {
  const look = LOOKS[course_deg === undefined ? status : lookName(status, course_deg)];
  const turn = turn_deg(status, course_deg ?? null);
  return (
    <svg className={`glyph glyph-${status}`} viewBox="0 0 24 24" aria-hidden="true">
      <g transform={`rotate(${turn} 12 12)`}>
        <path className={look.is_hollow ? "glyph-hollow" : "glyph-solid"} d={look.path} />
        {look.mark && (
          <path className={look.is_hollow ? "glyph-mark" : "glyph-cut"} d={look.mark} />
        )}
      </g>
    </svg>
  );
}

const SEVERITY_PATHS: Record<Severity, string> = {
  critical: "M12 3 22.5 21h-21Z",
  warning: "M12 2.5 21.5 12 12 21.5 2.5 12Z",
  info: "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17Z",
};

export function SeverityGlyph({ severity }: { severity: Severity }) {
  return (
    <svg className={`glyph severity-${severity}`} viewBox="0 0 24 24" aria-hidden="true">
      <path className="glyph-solid" d={SEVERITY_PATHS[severity]} />
      <path
        className="glyph-cut"
        d={severity === "critical" ? "M12 10v5M12 17.8v.1" : "M12 8v5M12 16v.1"}
      />
    </svg>
  );
}

const ICONS = {
  map: "M9 4 3 6.5v13L9 17l6 2.5 6-2.5V4l-6 2.5L9 4Zm0 0v13m6-10.5v13",
  assets: "M4 6h16M4 12h16M4 18h10",
  alerts: "M6 16V11a6 6 0 1 1 12 0v5l1.5 2.5h-15L6 16Zm4 4.5a2.2 2.2 0 0 0 4 0",
  geofences: "M5 8 12 3.5 19 8v8l-7 4.5L5 16Zm7 1.5v5M9.5 12h5",
  search: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13ZM15.5 15.5 20 20",
  fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5M9.5 9.5h5v5h-5Z",
  close: "M6 6l12 12M18 6 6 18",
  track:
    "M5 20.5a2 2 0 1 1 0-4 2 2 0 0 1 0 4ZM19 7.5a2 2 0 1 1 0-4 2 2 0 0 1 0 4ZM7 18.5h8a3.25 3.25 0 0 0 0-6.5H9a3.25 3.25 0 0 1 0-6.5h8",
  follow: "M12 3v4M12 17v4M3 12h4M17 12h4M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8Z",
  check: "M5 12.5 10 17.5 19.5 7",
  pause: "M8.5 6v12M15.5 6v12",
  play: "M8 5.5 18.5 12 8 18.5Z",
  plus: "M12 5v14M5 12h14",
  edit: "M4 20h4L19 9l-4-4L4 16v4ZM13 7l4 4",
  trash: "M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  sun: "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8ZM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5Z",
  system: "M4 5h16v11H4ZM9 20h6M12 16v4",
  back: "M14.5 5.5 8 12l6.5 6.5",
  panel: "M4 5h16v14H4ZM15 5v14",
  draw: "M4 20l1.5-5L16 4.5 19.5 8 9 18.5ZM13.5 7 17 10.5",
} as const;
export type IconName = keyof typeof ICONS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}
