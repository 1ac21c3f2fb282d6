// Drives headless Chromium: one JSON order a line in, one JSON answer a line out.
// Everything it finds, it finds as a person would: by role, name, label or text.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { CHROMIUM, FRONTEND } = process.env;
const require = createRequire(`${FRONTEND}/package.json`);
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const ARGS = ["--enable-unsafe-swiftshader", "--disable-dev-shm-usage", "--no-proxy-server"];

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: process.getuid() === 0 ? [...ARGS, "--no-sandbox"] : ARGS,
});
let context = null;
let page = null;
let troubles = [];
let session;
let origin = "";

const note = (kind, text) => troubles.push(`${kind}: ${text}`);
// The policy's own event says more than the console's line, and is there on every page.
const watchPolicy = () =>
  document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
    console.error(`POLICY ${violatedDirective} ${blockedURI}`),
  );

function watch(opened) {
  opened.on("pageerror", (error) => note("script error", error.stack ?? error.message));
  opened.on("dialog", async (dialog) => {
    note("dialog", dialog.message());
    await dialog.dismiss();
  });
  opened.on("console", (message) => {
    const text = message.text();
    if (text.startsWith("POLICY ") || text.includes("Content Security Policy"))
      note("policy", text);
    else if (message.type() === "error" && !text.startsWith("Failed to load resource"))
      if (!text.startsWith("WebSocket connection")) note("console", `${text} ${message.location().url}`);
  });
}

function find({ role, name, label, text, css, nth, within, exact = false }) {
  const root = within ? find(within) : page;
  let found;
  if (role) found = root.getByRole(role, { name, exact });
  else if (label) found = root.getByLabel(label, { exact });
  else if (text !== undefined) found = root.getByText(text, { exact });
  else found = root.locator(css);
  return nth === undefined ? found : found.nth(nth);
}

async function onMap(offset) {
  const box = await page.locator(".live-map canvas").boundingBox();
  return [box.x + box.width / 2 + offset.x, box.y + box.height / 2 + offset.y];
}

const orders = {
  async open({ url, width, height, theme, is_phone, is_signed_in, lost }) {
    await context?.close();
    troubles = [];
    origin = new URL(url).origin;
    context = await browser.newContext({
      viewport: { width, height },
      colorScheme: theme,
      locale: "en-GB",
      timezoneId: "UTC",
      hasTouch: is_phone,
      isMobile: is_phone,
      ...(is_signed_in && { storageState: session }),
    });
    context.setDefaultTimeout(15_000);
    await context.addInitScript(watchPolicy);
    context.on("page", watch);
    context.on("request", (request) => {
      const asked = new URL(request.url());
      const isOurs = asked.origin === origin || ["data:", "blob:"].includes(asked.protocol);
      if (!isOurs) note("request", request.url());
    });
    // On the way to the server, as where the connection breaks: the server is never asked.
    if (lost) await context.route(lost, (route) => route.abort("connectionfailed"));
    page = await context.newPage();
    await page.goto(url);
  },
  loseNothing: () => context.unrouteAll(),
  // Signing in takes a second; the session serves every later page of the same server.
  async keepSession() {
    session = await context.storageState();
  },
  goto: async ({ url }) => void (await page.goto(url)),
  async theme({ theme }) {
    await page.emulateMedia({ colorScheme: theme });
    await page.waitForFunction((wanted) => {
      const { mantineColorScheme } = document.documentElement.dataset;
      return mantineColorScheme === undefined || mantineColorScheme === wanted;
    }, theme);
  },
  resize: ({ width, height }) => page.setViewportSize({ width, height }),
  url: () => page.url(),
  click: ({ at }) => find(at).click(),
  fill: ({ at, value }) => find(at).fill(value),
  choose: async ({ at, value }) => void (await find(at).selectOption({ label: value })),
  press: ({ key }) => page.keyboard.press(key),
  type: ({ words }) => page.keyboard.type(words),
  async loseGraphics() {
    await page.locator(".live-map canvas").waitFor();
    await page.evaluate(() => {
      const gl = document.querySelector(".live-map canvas").getContext("webgl2");
      window.graphics = gl.getExtension("WEBGL_lose_context");
      window.graphics.loseContext();
    });
  },
  regainGraphics: () => page.evaluate(() => window.graphics.restoreContext()),
  see: ({ at, timeout_ms }) => find(at).first().waitFor({ timeout: timeout_ms }),
  miss: ({ at, timeout_ms }) => find(at).first().waitFor({ state: "hidden", timeout: timeout_ms }),
  count: ({ at }) => find(at).count(),
  read: ({ at }) => find(at).first().innerText(),
  value: ({ at }) => find(at).inputValue(),
  async clickMap({ offset }) {
    const [x, y] = await onMap(offset);
    // A hand comes from somewhere and stays for a moment.
    await page.mouse.move(x - 6, y - 4);
    await page.mouse.move(x, y, { steps: 3 });
    await page.mouse.click(x, y, { delay: 30 });
  },
  // All is there that the page loads, its workers' scripts and the land of the map included.
  async settle() {
    await page.waitForLoadState("networkidle");
  },
  // What is painted around a place on the map, to be compared with a later look.
  async paint({ offset, size_px }) {
    const [x, y] = await onMap(offset);
    const clip = { x: x - size_px / 2, y: y - size_px / 2, width: size_px, height: size_px };
    return (await page.screenshot({ clip })).toString("base64");
  },
  async axe() {
    // Half-way between two colours nothing has its contrast.
    await page.evaluate(async () => {
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      const passing = document
        .getAnimations()
        .filter(({ effect }) => Number.isFinite(effect?.getComputedTiming().endTime));
      await Promise.allSettled(passing.map(({ finished }) => finished));
    });
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
    );
  },
  screenshot: async ({ path }) => void (await page.screenshot({ path })),
  troubles: () => troubles,
};

console.log(JSON.stringify({ ready: browser.version() }));
for await (const line of createInterface({ input: process.stdin })) {
  const { order, ...given } = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await orders[order](given)) ?? null };
  } catch (error) {
    answer = { error: error.message };
  }
  console.log(JSON.stringify(answer));
}
await browser.close();
