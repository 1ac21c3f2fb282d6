import type { Map as MapLibre } from "maplibre-gl";
import type { Shape } from "../wire/rest";
import type { DrawnKind } from "./drawing";

/** At most one drawing at a time. The drawing tools are loaded when they are first needed. */
export class DrawingBoard {
  private readonly map: MapLibre;
  private stop: (() => void) | null = null;
  isDrawing = false;

  constructor(map: MapLibre) {
    this.map = map;
  }

  /** Resolves once the user can begin. */
  async draw(kind: DrawnKind, done: (shape: Shape) => void): Promise<void> {
    this.cancel();
    this.isDrawing = true;
    const { draw } = await import("./drawing");
    if (!this.isDrawing) return;
    this.stop = draw(this.map, kind, (shape) => {
      this.cancel();
      done(shape);
    });
  }

  cancel(): void {
    this.isDrawing = false;
    this.stop?.();
    this.stop = null;
  }
}
