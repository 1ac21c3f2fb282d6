import type { Map as MapLibre } from "maplibre-gl";
import type { LonLat } from "../wire/rest";
import type { Box } from "./geometry";

export type Covered = { left_px: number; bottom_px: number };

const PADDING_PX = 64;
const EDGE_PX = 24;
const CLOSEST_FIT_ZOOM = 15;
const EASE_MS = 200;

/** Moves the view, in mind of the parts of the map that panels cover. */
export class Camera {
  private readonly map: MapLibre;
  private readonly ease_ms: number;
  private covered: Covered = { left_px: 0, bottom_px: 0 };

  constructor(map: MapLibre, isStill: boolean) {
    this.map = map;
    this.ease_ms = isStill ? 0 : EASE_MS;
  }

  /** The map's own controls stay above what covers it from below. */
  setCovered(covered: Covered): void {
    this.covered = covered;
    const corners = this.element.querySelectorAll<HTMLElement>("[class*=maplibregl-ctrl-bottom]");
    for (const corner of corners) corner.style.bottom = `${covered.bottom_px}px`;
  }

  /** What is in the picture, covered parts included. */
  box(): Box {
    const bounds = this.map.getBounds();
    return {
      west: bounds.getWest(),
      south: bounds.getSouth(),
      east: bounds.getEast(),
      north: bounds.getNorth(),
    };
  }

  fit(box: Box | null): void {
    if (!box) return;
    const corners: [LonLat, LonLat] = [
      [box.west, box.south],
      [box.east, box.north],
    ];
    const { clientWidth, clientHeight } = this.element;
    const margin = Math.min(PADDING_PX, clientWidth / 10, clientHeight / 10);
    const padding = {
      top: margin,
      right: margin,
      bottom: margin + this.covered.bottom_px,
      left: margin + this.covered.left_px,
    };
    this.map.fitBounds(corners, { padding, maxZoom: CLOSEST_FIT_ZOOM, duration: this.ease_ms });
  }

  goTo(center: LonLat, zoom: number): void {
    this.map.easeTo({ center, zoom, offset: this.offset(), duration: this.ease_ms });
  }

  /** Goes there only if it is out of sight, at the scale of now. */
  reveal(at: LonLat): void {
    const { x, y } = this.map.project(at);
    const { clientWidth, clientHeight } = this.element;
    const isSeen =
      x > this.covered.left_px + EDGE_PX &&
      x < clientWidth - EDGE_PX &&
      y > EDGE_PX &&
      y < clientHeight - this.covered.bottom_px - EDGE_PX;
    if (!isSeen) this.goTo(at, this.map.getZoom());
  }

  /** Keeps a moving place in the middle, unless the user is moving the map just now. */
  track(at: LonLat): void {
    if (this.map.isMoving()) return;
    this.map.easeTo({ center: at, offset: this.offset(), duration: 0 });
  }

  private get element(): HTMLElement {
    return this.map.getContainer();
  }

  /** From the middle of the map to the middle of what can be seen of it. */
  private offset(): [number, number] {
    return [this.covered.left_px / 2, -this.covered.bottom_px / 2];
  }
}
