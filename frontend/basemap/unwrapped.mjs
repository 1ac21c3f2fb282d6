// world-atlas joins what Natural Earth cuts at 180°, so that some rings jump
// from one edge of the map to the other. On a flat map such a ring must run on
// past the edge instead; the tile slicer brings back what lies beyond.

const POLE_DEG = -90;

/** The ring with longitudes that never jump; one around the pole is closed below it. */
function steady(ring) {
  let turns = 0;
  const points = ring.map(([lon, lat], at) => {
    const before = ring[at - 1];
    if (before && lon - before[0] > 180) turns -= 360;
    if (before && lon - before[0] < -180) turns += 360;
    return [lon + turns, lat];
  });
  const [first, last] = [points[0], points.at(-1)];
  if (Math.abs(last[0] - first[0]) < 180) return points;
  return [...points, [last[0], POLE_DEG], [first[0], POLE_DEG], first];
}

/** The polygons of a geometry, one feature each, safe to draw on a flat map. */
export function unwrapped({ type, coordinates }) {
  const polygons = type === "Polygon" ? [coordinates] : coordinates;
  return polygons.map((rings) => ({
    type: "Feature",
    properties: {},
    geometry: { type: "Polygon", coordinates: rings.map(steady) },
  }));
}
