import type { Map as MapLibre } from "maplibre-gl";
import { ALERTING, LOOK_NAMES, LOOKS, type Picture, type Theme } from "../fleet/look";

const BOX = 24;
const PIXELS = 4;
const MARGIN = 4;
const SIDE = (BOX + MARGIN * 2) * PIXELS;
const OUTLINE = { light: "#FFFFFF", dark: "#0B141C" };
const SHADOW = { light: "rgb(15 28 42 / 45%)", dark: "rgb(0 0 0 / 70%)" };
const BADGE: Picture = {
  ...ALERTING,
  path: "M12 3 22.5 21h-21Z",
  is_hollow: false,
  mark: "M12 10v5M12 17.8v.1",
};

export const ALERT_BADGE = "alert-badge";
/** One for each look, in their order, then the badge. */
export const ATLAS_CELLS = LOOK_NAMES.length + 1;

/** How large an icon with its margin is drawn: smaller where more of them are in the picture. */
export function iconSize_px(zoom: number): number {
  const part = Math.min(1, Math.max(0, (zoom - 4) / 9));
  return 22 + 12 * part;
}

/** Draws a state's shape in its colour, outlined in the map's opposite tone. */
function draw(pen: CanvasRenderingContext2D, look: Picture, theme: Theme): void {
  pen.lineJoin = "round";
  pen.lineCap = "round";
  const shape = new Path2D(look.path);
  pen.save();
  pen.shadowColor = SHADOW[theme];
  pen.shadowBlur = 2.5 * PIXELS;
  pen.shadowOffsetY = 0;
  pen.strokeStyle = OUTLINE[theme];
  pen.lineWidth = look.is_hollow ? 5 : 3.4;
  pen.stroke(shape);
  pen.restore();
  pen.fillStyle = look.is_hollow ? OUTLINE[theme] : look[theme];
  pen.fill(shape);
  pen.strokeStyle = look[theme];
  if (look.is_hollow) {
    pen.lineWidth = 2.4;
    pen.setLineDash([3.6, 2.7]);
    pen.stroke(shape);
    pen.setLineDash([]);
  }
  if (look.mark) {
    pen.strokeStyle = look.is_hollow ? look[theme] : OUTLINE[theme];
    pen.lineWidth = 2.4;
    pen.stroke(new Path2D(look.mark));
  }
}

/** All icons side by side. */
export function atlas(theme: Theme): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = SIDE * ATLAS_CELLS;
  canvas.height = SIDE;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("this browser has no canvas");
  for (const [cell, look] of [...LOOK_NAMES.map((name) => LOOKS[name]), BADGE].entries()) {
    pen.setTransform(PIXELS, 0, 0, PIXELS, cell * SIDE + MARGIN * PIXELS, MARGIN * PIXELS);
    draw(pen, look, theme);
  }
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

/** Registers each icon for MapLibre's own layers: a look under its name, and the badge. */
export function addIcons(map: MapLibre, theme: Theme): void {
  const { data, width } = atlas(theme);
  for (const [cell, name] of [...LOOK_NAMES, ALERT_BADGE].entries()) {
    const icon = new ImageData(SIDE, SIDE);
    for (let row = 0; row < SIDE; row++) {
      const from = (row * width + cell * SIDE) * 4;
      icon.data.set(data.subarray(from, from + SIDE * 4), row * SIDE * 4);
    }
    if (map.hasImage(name)) map.removeImage(name);
    map.addImage(name, icon, { pixelRatio: PIXELS });
  }
}
