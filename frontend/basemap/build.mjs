// Builds the world map that the console carries with it, from open data in
// npm packages: no download, and the same bytes each time.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { GeoJSONVT } from "@maplibre/geojson-vt";
import { fromGeojsonVt } from "@maplibre/vt-pbf";
import { layers } from "./layers.mjs";
import { pmtilesFile } from "./pmtiles_file.mjs";

const OUT = fileURLToPath(new URL("../public/basemap/world.pmtiles", import.meta.url));
const MAX_ZOOM = 6;
const ATTRIBUTION = "Natural Earth · GeoNames";

function sliced(features, name) {
  const isPoints = name === "places" || name === "countries";
  const options = { maxZoom: MAX_ZOOM, indexMaxZoom: MAX_ZOOM, indexMaxPoints: 0 };
  return new GeoJSONVT(
    { type: "FeatureCollection", features },
    { ...options, tolerance: 1.5, buffer: isPoints ? 0 : 64 },
  );
}

/** The layers of one tile that have something to show at its zoom. */
function tileLayers(indexes, z, x, y) {
  const found = {};
  for (const [name, index] of Object.entries(indexes)) {
    const tile = index.getTile(z, x, y);
    const features = tile?.features.filter(({ tags }) => (tags?.from_zoom ?? 0) <= z) ?? [];
    if (features.length > 0) found[name] = { ...tile, features };
  }
  return found;
}

function tiles(indexes) {
  const all = [];
  for (let z = 0; z <= MAX_ZOOM; z++) {
    for (let x = 0; x < 2 ** z; x++) {
      for (let y = 0; y < 2 ** z; y++) {
        const found = tileLayers(indexes, z, x, y);
        if (Object.keys(found).length === 0) continue;
        all.push({ z, x, y, data: fromGeojsonVt(found, { version: 2, extent: 4096 }) });
      }
    }
  }
  return all;
}

if (!process.argv.includes("--if-missing") || !existsSync(OUT)) {
  const features = layers();
  const indexes = Object.fromEntries(
    Object.entries(features).map(([name, list]) => [name, sliced(list, name)]),
  );
  const archive = pmtilesFile(tiles(indexes), {
    name: "world",
    attribution: ATTRIBUTION,
    minzoom: 0,
    maxzoom: MAX_ZOOM,
    vector_layers: Object.keys(features).map((id) => ({ id, fields: {} })),
  });
  mkdirSync(dirname(OUT), { recursive: true });
  writeFileSync(OUT, archive);
  process.stdout.write(`${OUT}: ${archive.length} bytes\n`);
}
