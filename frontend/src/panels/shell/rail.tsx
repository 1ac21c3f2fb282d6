import { Link } from "@tanstack/react-router";
import { useLive } from "../context";
import { Icon, type IconName } from "../glyphs";

const PAGES: readonly { to: string; name: string; icon: IconName }[] = [
  { to: "/map", name: "Map", icon: "map" },
  { to: "/assets", name: "Assets", icon: "assets" },
  { to: "/alerts", name: "Alerts", icon: "alerts" },
  { to: "/geofences", name: "Geofences", icon: "geofences" },
];

export function Rail() {
  const open = useLive().alerts.open().length;
  return (
    <nav className="rail" aria-label="Pages">
      <svg className="rail-mark" viewBox="0 0 32 32" aria-hidden="true">
        <circle cx="16" cy="16" r="13" />
        <path d="M16 7.5 22 23.5 16 20.2 10 23.5Z" />
      </svg>
      {PAGES.map(({ to, name, icon }) => (
        <Link key={to} to={to} className="rail-link">
          <Icon name={icon} />
          <span>{name}</span>
          {name === "Alerts" && open > 0 && (
            <span className="rail-badge">
              {open > 99 ? "99+" : open}
              <span className="unseen"> open</span>
            </span>
          )}
        </Link>
      ))}
    </nav>
  );
}
