// Writes a PMTiles version 3 archive: one file of gzipped vector tiles, read
// by HTTP Range. The layout is that of the PMTiles specification.
import { gzipSync } from "node:zlib";

const HEADER_BYTES = 127;
const ROOT_BYTES_AT_MOST = 16_384 - HEADER_BYTES;
const GZIP = 2;
const VECTOR_TILES = 1;

/** The number of a tile along the Hilbert curves of all zooms up to its own. */
export function tileId(z, x, y) {
  let id = 0;
  for (let zoom = 0; zoom < z; zoom++) id += 4 ** zoom;
  let [tx, ty] = [x, y];
  for (let side = 2 ** (z - 1); side >= 1; side /= 2) {
    const rx = (tx & side) > 0 ? 1 : 0;
    const ry = (ty & side) > 0 ? 1 : 0;
    id += side * side * ((3 * rx) ^ ry);
    [tx, ty] = turned(side, tx, ty, rx, ry);
  }
  return id;
}

function turned(side, x, y, rx, ry) {
  if (ry === 1) return [x, y];
  return rx === 1 ? [side - 1 - y, side - 1 - x] : [y, x];
}

function varint(value) {
  const bytes = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}

function directory(entries) {
  const bytes = [...varint(entries.length)];
  let last = 0;
  for (const entry of entries) {
    bytes.push(...varint(entry.id - last));
    last = entry.id;
  }
  for (const entry of entries) bytes.push(...varint(entry.run));
  for (const entry of entries) bytes.push(...varint(entry.length));
  entries.forEach((entry, at) => {
    const before = entries[at - 1];
    const follows = before !== undefined && entry.offset === before.offset + before.length;
    bytes.push(...varint(follows ? 0 : entry.offset + 1));
  });
  return gzipSync(Uint8Array.from(bytes), { level: 9 });
}

/** Equal tiles are stored once; equal neighbours along the curve share one entry. */
function packed(tiles) {
  const [entries, blobs, seen] = [[], [], new Map()];
  let offset = 0;
  for (const { id, data } of tiles) {
    const blob = gzipSync(data, { level: 9 });
    const key = blob.toString("latin1");
    let place = seen.get(key);
    if (!place) {
      place = { offset, length: blob.length };
      seen.set(key, place);
      blobs.push(blob);
      offset += blob.length;
    }
    const last = entries.at(-1);
    if (last && last.offset === place.offset && last.id + last.run === id) last.run += 1;
    else entries.push({ id, run: 1, ...place });
  }
  return { entries, body: Buffer.concat(blobs), stored: blobs.length };
}

/**
 * Returns the archive as bytes. `tiles` holds {z, x, y, data}, uncompressed;
 * `about` is the metadata with `minzoom`, `maxzoom` and `vector_layers`.
 */
export function pmtilesFile(tiles, about) {
  const ordered = tiles
    .map(({ z, x, y, data }) => ({ id: tileId(z, x, y), data }))
    .sort((a, b) => a.id - b.id);
  const { entries, body, stored } = packed(ordered);
  const root = directory(entries);
  if (root.length > ROOT_BYTES_AT_MOST) throw new Error("too many tiles for one root directory");
  const metadata = gzipSync(JSON.stringify(about), { level: 9 });

  const header = Buffer.alloc(HEADER_BYTES);
  header.write("PMTiles", "latin1");
  header.writeUInt8(3, 7);
  const metadataAt = HEADER_BYTES + root.length;
  const bodyAt = metadataAt + metadata.length;
  const places = [
    HEADER_BYTES,
    root.length,
    metadataAt,
    metadata.length,
    bodyAt,
    0,
    bodyAt,
    body.length,
  ];
  const counts = [ordered.length, entries.length, stored];
  [...places, ...counts].forEach((value, at) => {
    header.writeBigUInt64LE(BigInt(value), 8 + at * 8);
  });
  header.set([1, GZIP, GZIP, VECTOR_TILES, about.minzoom, about.maxzoom], 96);
  const worldE7 = [-1_800_000_000, -850_511_287, 1_800_000_000, 850_511_287];
  worldE7.forEach((value, at) => {
    header.writeInt32LE(value, 102 + at * 4);
  });
  header.writeUInt8(1, 118);
  return Buffer.concat([header, root, metadata, body]);
}
