import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";

/** A source of ours, if the style has it yet. While the graphics card is lost there is no style. */
export function sourceOf(map: MapLibre, id: string): GeoJSONSource | undefined {
  return map.style ? map.getSource<GeoJSONSource>(id) : undefined;
}
