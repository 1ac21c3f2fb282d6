import { type PointerEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { useMap } from "../context";

const STOPS = ["peek", "half", "full"] as const;
type Stop = (typeof STOPS)[number];
const HEIGHTS: Record<Stop, number> = { peek: 0.2, half: 0.52, full: 0.97 };
const NEXT: Record<Stop, Stop> = { peek: "half", half: "full", full: "peek" };
const SAID: Record<Stop, string> = { peek: "Show half", half: "Show all", full: "Show less" };
const TAP_PX = 6;

function nearest(part: number): Stop {
  const away = (stop: Stop) => Math.abs(HEIGHTS[stop] - part);
  return [...STOPS].sort((a, b) => away(a) - away(b))[0] ?? "half";
}

/** A bottom sheet at three heights: drag its handle, or press it to go to the next. */
export function Sheet({ label, children }: { label: string; children: ReactNode }) {
  const sheet = useRef<HTMLElement>(null);
  const drag = useRef<{ y: number; height: number; moved: boolean } | null>(null);
  const [stop, setStop] = useState<Stop>("half");
  const [height, setHeight] = useState<number | null>(null);

  const map = useMap();
  useEffect(() => {
    const room = sheet.current?.parentElement?.offsetHeight ?? 0;
    // Fully open it covers everything, and nothing can be centred in nothing.
    map?.setCovered({ left_px: 0, bottom_px: room * Math.min(HEIGHTS.half, HEIGHTS[stop]) });
    return () => map?.setCovered({ left_px: 0, bottom_px: 0 });
  }, [map, stop]);

  const down = (event: PointerEvent<HTMLButtonElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { y: event.clientY, height: sheet.current?.offsetHeight ?? 0, moved: false };
  };
  const move = (event: PointerEvent) => {
    if (!drag.current) return;
    const by = drag.current.y - event.clientY;
    drag.current.moved ||= Math.abs(by) > TAP_PX;
    if (drag.current.moved) setHeight(drag.current.height + by);
  };
  const up = () => {
    const room = sheet.current?.parentElement?.offsetHeight ?? 1;
    if (drag.current?.moved && height !== null) setStop(nearest(height / room));
    setHeight(null);
  };
  const press = () => {
    if (!drag.current?.moved) setStop(NEXT[stop]);
    drag.current = null;
  };

  return (
    <section
      ref={sheet}
      className={`sheet sheet-${stop}`}
      aria-label={label}
      style={height === null ? undefined : { height, transition: "none" }}
    >
      <button
        type="button"
        className="sheet-handle"
        aria-label={SAID[stop]}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={up}
        onClick={press}
      />
      <div className="sheet-body">{children}</div>
    </section>
  );
}
