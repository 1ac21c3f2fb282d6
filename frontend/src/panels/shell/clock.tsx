import type { LiveState } from "../../fleet/live_state";
import { useLive, useNow, usePorts } from "../context";
import { Icon } from "../glyphs";
import { useShortcut } from "../shortcuts";
import { behind, span, zonedTime, zoneName } from "../words";

const SLOW_TICK_MS = 2_000;

type Reading = { tone: "good" | "late" | "lost" | "held"; text: string };

function aged(live: LiveState): string {
  const silence = live.lag.silence_ms(Date.now());
  return silence === null ? "" : `positions are ${span(silence / 1000)} old`;
}

function readingOf(live: LiveState): Reading {
  if (live.held_at !== null) {
    const held_s = (Date.now() - live.held_at) / 1000;
    return { tone: "held", text: `Paused · picture is ${span(held_s)} old` };
  }
  switch (live.link) {
    case "connecting":
      return { tone: "late", text: ["Connecting…", aged(live)].join(" ").trim() };
    case "live": {
      const lag = live.lag.behind_ms;
      if (live.tick_ms >= SLOW_TICK_MS)
        return { tone: "late", text: `Updating every ${span(live.tick_ms / 1000)}` };
      const tone = lag !== null && lag > 5_000 ? "late" : "good";
      return { tone, text: lag === null ? "Live" : `Live · ${behind(lag)}` };
    }
    case "reconnecting":
      return { tone: "late", text: ["Reconnecting…", aged(live)].join(" ").trim() };
    case "offline":
      return { tone: "lost", text: ["Offline", aged(live)].filter(Boolean).join(" · ") };
    default:
      return live.link satisfies never;
  }
}

/** How far the page is behind the world, always in sight, and the way to stop it. */
export function Clock() {
  const live = useLive();
  const now = useNow();
  const { hold } = usePorts();
  const isHeld = live.held_at !== null;
  const toggle = () => hold(!isHeld);
  const hasKey = useShortcut("p", toggle);
  const { tone, text } = readingOf(live);
  return (
    <div className="clock-group">
      <time className="clock-now" title={`All times are in ${zoneName()}`}>
        {zonedTime(now)}
      </time>
      <div className={`clock clock-${tone}`}>
        <span className="clock-dot" aria-hidden="true" />
        <span>{text}</span>
        <button
          type="button"
          className="clock-hold"
          aria-pressed={isHeld}
          aria-label="Pause live"
          title={`${isHeld ? "Go on" : "Pause the picture; alerts still come"}${hasKey ? " (P)" : ""}`}
          onClick={toggle}
        >
          <Icon name={isHeld ? "play" : "pause"} />
        </button>
      </div>
    </div>
  );
}

/** Says aloud only that the link came or went, not each tenth of a second. */
export function LinkAnnouncer() {
  const { link } = useLive();
  const text = {
    connecting: "",
    live: "Live",
    reconnecting: "Connection lost",
    offline: "Offline",
  };
  return (
    <div className="unseen" role="status">
      {text[link]}
    </div>
  );
}
