import type { Map as MapLibre } from "maplibre-gl";
import { ALERTING, LOOKS, type Look, type Theme } from "../fleet/look";
import { STATUSES } from "../fleet/status";

const BOX = 24;
const PIXELS = 2;
const MARGIN = 3;
const OUTLINE = { light: "#FFFFFF", dark: "#0B141C" };

/** Draws each state's shape in its colour, outlined in the map's opposite tone. */
function drawn(look: Look, theme: Theme): ImageData {
  const side = (BOX + MARGIN * 2) * PIXELS;
  const canvas = document.createElement("canvas");
  canvas.width = side;
  canvas.height = side;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("this browser has no canvas");
  pen.scale(PIXELS, PIXELS);
  pen.translate(MARGIN, MARGIN);
  pen.lineJoin = "round";
  pen.lineCap = "round";
  const shape = new Path2D(look.path);
  pen.strokeStyle = OUTLINE[theme];
  pen.lineWidth = look.is_hollow ? 5 : 3.2;
  pen.stroke(shape);
  pen.fillStyle = look.is_hollow ? OUTLINE[theme] : look[theme];
  pen.fill(shape);
  pen.strokeStyle = look[theme];
  if (look.is_hollow) {
    pen.lineWidth = 2.2;
    pen.setLineDash([3.6, 2.7]);
    pen.stroke(shape);
    pen.setLineDash([]);
  }
  if (look.mark) {
    pen.strokeStyle = look.is_hollow ? look[theme] : OUTLINE[theme];
    pen.lineWidth = 2.2;
    pen.stroke(new Path2D(look.mark));
  }
  return pen.getImageData(0, 0, side, side);
}

export const ALERT_BADGE = "alert-badge";
const BADGE: Look = {
  ...ALERTING,
  path: "M12 3 22.5 21h-21Z",
  is_hollow: false,
  mark: "M12 10v5M12 17.8v.1",
};

function register(map: MapLibre, name: string, look: Look, theme: Theme): void {
  if (map.hasImage(name)) map.removeImage(name);
  map.addImage(name, drawn(look, theme), { pixelRatio: PIXELS });
}

/** Registers one icon for each status, under the status's own name. */
export function addIcons(map: MapLibre, theme: Theme): void {
  for (const status of STATUSES) register(map, status, LOOKS[status], theme);
  register(map, ALERT_BADGE, BADGE, theme);
}
