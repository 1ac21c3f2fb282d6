import type { Feature } from "geojson";
import type { Map as MapLibre } from "maplibre-gl";
import { sourceOf } from "./sources";

/** A small GeoJSON source that is set as a whole, only when it changed, and once at a time. */
export class SteadySource {
  private readonly map: MapLibre;
  private readonly id: string;
  private features: Feature[] = [];
  private said = "";
  private isUpdating = false;
  private isBehind = false;

  constructor(map: MapLibre, id: string) {
    this.map = map;
    this.id = id;
  }

  /** Into a style that has just loaded. */
  attach(): void {
    this.isUpdating = false;
    this.map.addSource(this.id, { type: "geojson", data: this.data() });
  }

  put(features: Feature[]): void {
    const said = JSON.stringify(features);
    if (said === this.said) return;
    this.said = said;
    this.features = features;
    this.flush();
  }

  /** One update in flight: feeding faster than the worker drains would pile up memory. */
  private flush(): void {
    const source = sourceOf(this.map, this.id);
    if (!source) return;
    this.isBehind = this.isUpdating;
    if (this.isUpdating) return;
    this.isUpdating = true;
    const done = () => {
      if (sourceOf(this.map, this.id) !== source) return;
      this.isUpdating = false;
      if (this.isBehind) this.flush();
    };
    source.setData(this.data()).then(done, done);
  }

  private data() {
    return { type: "FeatureCollection" as const, features: this.features };
  }
}
