// Main-thread work of the live map a tick, with the real engine in headless Chromium.
//
//     node benchmarks/map.mjs [--quick] [--json FILE] [--strict]
//
// Builds frontend/benchmark/ with the console's own sources, serves it on loopback and feeds it
// deltas as the socket does. A tick is: decoding the frame, taking it into the live state, deciding
// what is drawn how, and our layer's share of the frame; in CPU time of the main thread, so that
// other work on the machine counts little. What the graphics card does with it is not in it (nor
// could it be here: without a card Chromium draws on the CPU, in another process), and neither are
// MapLibre's own frame and React. What the list costs stands beside it.
import { spawnSync } from "node:child_process";
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const ROOT = resolve(import.meta.dirname, "..");
const FRONTEND = join(ROOT, "frontend");
const require = createRequire(join(FRONTEND, "package.json"));
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const BROWSERS = ["chromium", "chromium-browser", "google-chrome"];
const FLAGS = ["--disable-gpu", "--enable-unsafe-swiftshader", "--disable-dev-shm-usage", "--no-proxy-server"];

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    strict: { type: "boolean", default: false },
    json: { type: "string" },
  },
});
const ticks = options.quick ? 30 : 100;
const SCENES = [
  { name: "10,000 assets, 1,000 changed, whole region", assets: 10_000, changes: 1_000, zoom: 4, target_ms: 4 },
  { name: "10,000 assets, 1,000 changed, one town", assets: 10_000, changes: 1_000, zoom: 10, target_ms: 4 },
  { name: "100,000 assets, 10,000 changed, whole region", assets: 100_000, changes: 10_000, zoom: 4, target_ms: 16 },
  { name: "the first with MapLibre's own layers", assets: 10_000, changes: 1_000, zoom: 4, is_native: true },
];
const POINTS = 300;
// So few that none is folded into a cluster: the layers pick assets, not clusters.
const ONE_BY_ONE = 190;

async function build(into) {
  const { build: bundle } = await import(pathToFileURL(require.resolve("vite")).href);
  await bundle({
    root: FRONTEND,
    configFile: false,
    logLevel: "error",
    build: {
      outDir: into,
      emptyOutDir: true,
      target: "es2022",
      chunkSizeWarningLimit: 5_000,
      rollupOptions: { input: join(FRONTEND, "benchmark/map.html") },
    },
  });
}

/** Static files with single ranges, as the map reads its tiles. */
function serve(folder) {
  const server = createServer((request, response) => {
    const path = join(folder, decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    if (!path.startsWith(folder) || !existsSync(path) || statSync(path).isDirectory()) return response.writeHead(404).end();
    const size = statSync(path).size;
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    const start = from ? Number(from) : 0;
    const end = to ? Math.min(Number(to), size - 1) : size - 1;
    response.writeHead(from ? 206 : 200, {
      "Content-Type": TYPES[extname(path)] ?? "application/octet-stream",
      "Content-Length": end - start + 1,
      ...(from && { "Content-Range": `bytes ${start}-${end}/${size}` }),
    });
    createReadStream(path, { start, end }).pipe(response);
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}

const quantile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;

const median = (list) => quantile([...list].sort((a, b) => a - b), 0.5);

/** CPU time that the page's main thread has used, in ms. */
async function used_ms(session) {
  const { metrics } = await session.send("Performance.getMetrics");
  return 1_000 * metrics.find(({ name }) => name === "TaskDuration").value;
}

/** CPU time of the main thread for each of the ticks. */
async function cpu_ms(page, session, step) {
  const begun = await used_ms(session);
  await page.evaluate(([name, many]) => globalThis.bench.play(name, many), [step, ticks]);
  return (await used_ms(session) - begun) / ticks;
}

const ms = (value) => value.toFixed(value < 10 ? 2 : 1);
const rows = [];
const details = {};

function add(what, figure, target = "", is_met = null) {
  rows.push({ what, figure, target, is_met, verdict: is_met === null ? "" : is_met ? "met" : "MISSED" });
}

async function measure(page, session) {
  for (const { name, target_ms, ...scene } of SCENES) {
    if (options.quick && scene.assets > 10_000) continue;
    await page.evaluate((given) => globalThis.bench.set(given), { is_native: false, ...scene, ticks });
    const engine_ms = await cpu_ms(page, session, "engine");
    const list_ms = await cpu_ms(page, session, "list");
    const costs = await page.evaluate(() => globalThis.bench.end());
    const tick_ms = engine_ms + median(costs.draw);
    const walls = Object.entries(costs).map(([step, list]) => [step, median(list)]);
    details[name] = { tick_ms, list_ms, wall_median_ms: Object.fromEntries(walls) };
    const steps = walls.map(([step, value]) => `${step} ${ms(value)}`).join(", ");
    const figure = `${ms(tick_ms)} ms; list ${ms(list_ms)} ms (by the wall: ${steps})`;
    if (target_ms) add(name, figure, `≤ ${target_ms} ms`, tick_ms <= target_ms);
    else add(name, figure);
  }
  const { agree, hits, own } = await page.evaluate(([assets, points]) => globalThis.bench.picks(assets, points), [ONE_BY_ONE, POINTS]);
  add("picks of both layers that agree", `${agree} of ${POINTS}, ${hits} and ${own} on an asset`, "all", agree === POINTS && hits > 0);
}

function text() {
  const head = ["what", "target", "figure", "verdict"];
  const lines = [head, ...rows.map((row) => head.map((name) => row[name]))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const said = lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd());
  return ["main-thread work of the live map a tick", said[0], widths.map((width) => "-".repeat(width)).join("  "), ...said.slice(1)].join("\n");
}

function browserPath() {
  const found = BROWSERS.map((name) => spawnSync("which", [name], { encoding: "utf8" }).stdout.trim()).find(Boolean);
  if (!found) throw new Error("Chromium is missing: run `make install`");
  return found;
}

const folder = mkdtempSync(join(tmpdir(), "map-benchmark-"));
let server;
let browser;
try {
  await build(folder);
  server = await serve(folder);
  const args = process.getuid() === 0 ? [...FLAGS, "--no-sandbox"] : FLAGS;
  browser = await require("playwright-core").chromium.launch({ executablePath: browserPath(), args });
  const page = await browser.newPage({ viewport: { width: 660, height: 420 } });
  page.on("pageerror", (error) => console.error("page:", error.message));
  page.on("console", (message) => message.text().startsWith("map:") && console.error("page:", message.text()));
  await page.goto(`http://127.0.0.1:${server.address().port}/benchmark/map.html`);
  await page.waitForFunction(() => "bench" in globalThis);
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  await measure(page, session);
  const machine = { cores: cpus().length, cpu: cpus()[0].model, memory_mb: Math.round(totalmem() / 1e6), kernel: release(), node: process.version, browser: browser.version() };
  console.log(text());
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ title: "live map", machine, rows, details }, null, 1)}\n`);
} finally {
  await browser?.close();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
}
if (options.strict && rows.some((row) => row.is_met === false)) process.exitCode = 1;
