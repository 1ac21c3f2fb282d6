import {
  addProtocol,
  getGlobalDispatcher,
  Map as MapLibre,
  NavigationControl,
  ScaleControl,
  setWorkerUrl,
  type VectorTileSource,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { Protocol } from "pmtiles";
import type { Fleet } from "../fleet/fleet";
import type { Theme } from "../fleet/look";
import type { Roster } from "../fleet/roster";
import type { Geofence, LonLat, Shape } from "../wire/rest";
import { AccuracyRing } from "./accuracy_ring";
import { type AssetLayer, REACH_PX } from "./asset_layer";
import { AssetScene, type Look } from "./asset_scene";
import { basemapStyle, DETAIL_ENDS_AT_ZOOM, MAP_FONT } from "./basemap_style";
import { Camera, type Covered } from "./camera";
import type { DrawnKind } from "./drawing";
import { DrawingBoard } from "./drawing_board";
import { GeofenceLayer } from "./geofence_layer";
import { type Box, boxOf, cornersOf, metresPerPixel } from "./geometry";
import { GlAssetLayer } from "./gl_asset_layer";
import { GlideLoop } from "./glide_loop";
import { graticule } from "./graticule";
import { LabelLayer } from "./label_layer";
import { lonlatOf, STEPS, stepsOf } from "./mercator";
import { redrawEvery_ms } from "./motion";
import { NativeAssetLayer } from "./native_asset_layer";
import { Repairs } from "./repairs";
import { sourceOf } from "./sources";
import { TrackLine } from "./track_line";

export type View = { lon_deg: number; lat_deg: number; zoom: number };
export type MapEvents = {
  picked(id: number | null): void;
  moved(view: View, bounds: Box): void;
  detail(isMissing: boolean): void;
  /** The graphics card lost the picture, or has it back. */
  lost(isLost: boolean): void;
};
export type LiveMapOptions = {
  fleet: Fleet;
  roster: Roster;
  basemap: { url: string; attribution: string };
  theme: Theme;
  isStill: boolean;
  /** MapLibre's own layers draw the assets instead of ours. */
  isNative: boolean;
};

const CLOSE_ZOOM = 13;
const WORLD: View = { lon_deg: 10, lat_deg: 30, zoom: 1.6 };

const tiles = new Protocol();
setWorkerUrl(workerUrl);
addProtocol("pmtiles", tiles.tile);
// The map hears of its workers itself; what nobody hears MapLibre would write to the console.
getGlobalDispatcher().on("error", () => undefined);

export function hasWebGl2(): boolean {
  return document.createElement("canvas").getContext("webgl2") !== null;
}

/** The map of the console. Knows the fleet and MapLibre, and nothing of React or the network. */
export class LiveMap {
  private readonly map: MapLibre;
  private readonly options: LiveMapOptions;
  private layer: AssetLayer;
  private readonly labels: LabelLayer;
  private readonly camera: Camera;
  private scene: AssetScene;
  private readonly geofences: GeofenceLayer;
  private readonly ring: AccuracyRing;
  private readonly track: TrackLine;
  private readonly board: DrawingBoard;
  private readonly gliding: GlideLoop;
  private readonly repairs = new Repairs();
  private readonly element = document.createElement("div");
  private theme: Theme;
  private events: MapEvents | null = null;
  private selected: number | null = null;
  private onFollowEnd: (() => void) | null = null;
  private isReady = false;
  private isMending = false;
  private hasFramed = false;
  private hasFramedShapes = false;
  private shapes: readonly Shape[] = [];

  /** Text is drawn with the page's own font, so that must be there first. */
  static async create(options: LiveMapOptions): Promise<LiveMap> {
    await Promise.allSettled([
      document.fonts.load(`400 16px "${MAP_FONT}"`, "Aäč"),
      document.fonts.load(`400 16px "${MAP_FONT}"`, "Жω"),
    ]);
    return new LiveMap(options);
  }

  private constructor(options: LiveMapOptions) {
    this.options = options;
    this.theme = options.theme;
    this.element.className = "live-map";
    this.map = new MapLibre({
      container: this.element,
      style: this.style(),
      center: [WORLD.lon_deg, WORLD.lat_deg],
      zoom: WORLD.zoom,
      maxZoom: 19,
      maxPitch: 0,
      dragRotate: false,
      pitchWithRotate: false,
      attributionControl: { compact: false },
      fadeDuration: 0,
      locale: { "Map.Title": "Live map of assets. The asset list holds the same information." },
    });
    // Our own layer counts on a map that is never turned.
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new NavigationControl({ showCompass: false }), "bottom-right");
    this.map.addControl(new ScaleControl({ maxWidth: 120, unit: "metric" }), "bottom-left");
    this.camera = new Camera(this.map, options.isStill);
    this.labels = new LabelLayer(this.map);
    this.layer = options.isNative ? new NativeAssetLayer(this.map) : this.ownLayer();
    this.scene = this.newScene();
    this.geofences = new GeofenceLayer(this.map);
    this.ring = new AccuracyRing(this.map);
    this.track = new TrackLine(this.map);
    this.board = new DrawingBoard(this.map);
    this.gliding = new GlideLoop({
      isStill: () => this.scene.motion.isStill,
      isUnseen: () => document.hidden || !this.isReady,
      every_ms: () => redrawEvery_ms(metresPerPixel(this.map.getZoom(), this.map.getCenter().lat)),
      draw: (now) => this.glide(now),
    });
    this.listen();
  }

  /** Called after each drawing of the assets with the ms that it took the page; to measure. */
  onDrawn: ((ms: number) => void) | null = null;

  /** Resolves when nothing is left to load, place or draw. */
  async settled(): Promise<void> {
    if (!this.map.loaded()) await this.map.once("idle");
  }

  /** The asset at a point of the map, in pixels from its corner. */
  pick(point: { x: number; y: number }): number | null {
    return this.layer.pick(point);
  }

  /** Ends the map for good. */
  remove(): void {
    this.isReady = false;
    this.map.remove();
  }

  /** Puts the map into the page, or moves it there; its state stays. */
  mount(host: HTMLElement, events: MapEvents): () => void {
    this.events = events;
    host.append(this.element);
    this.map.resize();
    // First let the page say what it covers.
    queueMicrotask(() => this.refresh());
    if (this.isReady) this.afterMove();
    return () => {
      if (this.events === events) this.events = null;
      this.element.remove();
    };
  }

  setTheme(theme: Theme): void {
    if (theme === this.theme) return;
    this.theme = theme;
    this.board.cancel();
    this.map.setStyle(this.style(), { diff: false });
  }

  /** Draws what changed in the fleet. Call it on each tick. */
  refresh(): void {
    if (!this.isReady) return;
    this.scene.refresh(this.look(), Date.now());
    // Before it is in the page the map has no size to frame anything in.
    if (!this.hasFramed && this.events) this.frameFirst();
    this.showRing();
    this.follow();
    this.gliding.start();
  }

  /** Loads again, after a pause, what did not arrive. Call it while the server is there. */
  mend(): void {
    if (this.repairs.isDue(Date.now())) void this.loadAgain();
  }

  select(id: number | null): void {
    this.selected = id;
    if (id === null) this.endFollowing();
    this.scene.select(id, this.look(), Date.now());
    this.showRing();
  }

  /** Keeps the selected asset in the middle until the user drags the map; then calls `onEnd`. */
  startFollowing(onEnd: () => void): void {
    this.onFollowEnd = onEnd;
    this.follow();
  }

  stopFollowing(): void {
    this.onFollowEnd = null;
  }

  flyToAsset(id: number): void {
    const at = this.scene.place(id, Date.now());
    if (at) this.camera.goTo(at, Math.max(this.map.getZoom(), CLOSE_ZOOM));
  }

  /** Brings an asset into the part of the map that can be seen, if it is not there. */
  reveal(id: number): void {
    const at = this.scene.place(id, Date.now());
    if (at) this.camera.reveal(at);
  }

  /** All assets, or the geofences where there are none. */
  fitAll(): void {
    this.camera.fit(boxOf(this.scene.places()) ?? this.boxOfShapes());
  }

  fitShape(shape: Shape): void {
    this.hasFramed = true;
    this.camera.fit(boxOf(cornersOf(shape)));
  }

  setView({ lon_deg, lat_deg, zoom }: View): void {
    this.hasFramed = true;
    this.map.jumpTo({ center: [lon_deg, lat_deg], zoom });
  }

  /** Parts of the map, from the left and from below, that something else covers. */
  setCovered(covered: Covered): void {
    this.camera.setCovered(covered);
  }

  setGeofences(geofences: readonly Geofence[], selected: number | null): void {
    this.geofences.show(geofences, selected);
    this.shapes = geofences.map(({ shape }) => shape);
    this.refresh();
  }

  showTrack(points: readonly LonLat[]): void {
    this.track.show(points);
  }

  showDraft(shape: Shape | null): void {
    this.geofences.showDraft(shape);
  }

  /** Starts drawing; the previous drawing, if any, is given up. */
  draw(kind: DrawnKind, done: (shape: Shape) => void): Promise<void> {
    return this.board.draw(kind, done);
  }

  cancelDrawing(): void {
    this.board.cancel();
  }

  private listen(): void {
    this.map.on("style.load", () => this.attach());
    this.map.on("moveend", () => this.afterMove());
    this.map.on("dragstart", () => this.endFollowing());
    // A tile that did not arrive is no news to the user: the rest of the map goes on.
    this.map.on("error", ({ error }) => {
      console.warn("map:", error.message);
      this.repairs.isNeeded = true;
    });
    this.map.on("click", ({ point }) => this.click(point));
    this.map.on("mousemove", ({ point }) => this.hover(point));
    this.map.on("webglcontextlost", () => this.lose());
    // MapLibre brings back what it knows of; our own layer it cannot. So the style is made anew.
    this.map.on("webglcontextrestored", () => this.map.setStyle(this.style(), { diff: false }));
  }

  private click(point: { x: number; y: number }): void {
    if (this.board.isDrawing) return;
    const id = this.layer.pick(point);
    const cluster = id === null ? this.clusterAt(point) : null;
    if (!cluster) return this.events?.picked(id);
    const [west, north] = lonlatOf(cluster.box.west, cluster.box.north);
    const [east, south] = lonlatOf(cluster.box.east, cluster.box.south);
    this.camera.fit({ west, south, east, north });
  }

  private hover(point: { x: number; y: number }): void {
    if (this.board.isDrawing) return;
    const isOnSomething = this.layer.pick(point) !== null || this.clusterAt(point) !== null;
    this.map.getCanvas().style.cursor = isOnSomething ? "pointer" : "";
  }

  private clusterAt(point: { x: number; y: number }) {
    const { lng, lat } = this.map.unproject([point.x, point.y]);
    const [x, y] = stepsOf([lng, lat]);
    const steps_per_px = STEPS / (512 * 2 ** this.map.getZoom());
    return this.scene.clusterAt(x, y, (REACH_PX + 8) * steps_per_px);
  }

  private async loadAgain(): Promise<void> {
    // It remembers what could not be read, and would answer with that forever.
    tiles.tiles.clear();
    // A worker whose code did not arrive is silent. New ones have the style made anew, for which
    // MapLibre acts as if the graphics card had been lost.
    this.isMending = true;
    await getGlobalDispatcher().ensureWorkers();
    this.isMending = false;
    const world = this.map.getSource<VectorTileSource>("world");
    world?.setUrl(world.url);
  }

  private lose(): void {
    this.isReady = false;
    if (!this.isMending) this.events?.lost(true);
  }

  private ownLayer(): AssetLayer {
    return new GlAssetLayer(this.map, {
      drawn: (ms) => this.onDrawn?.(ms),
      refused: (why) => this.fallBack(why),
    });
  }

  private fallBack(why: unknown): void {
    console.warn("map: the graphics card refuses our layer, MapLibre's own take over:", why);
    this.layer = new NativeAssetLayer(this.map);
    this.options.fleet.touch(this.options.fleet.idList());
    this.scene = this.newScene();
    // Not while a frame is being drawn.
    setTimeout(() => this.map.setStyle(this.style(), { diff: false }));
  }

  private newScene(): AssetScene {
    const { fleet, roster, isStill } = this.options;
    const scene = new AssetScene(fleet, roster, this.layer, this.labels);
    scene.motion.isOn = !isStill;
    return scene;
  }

  private look(): Look {
    return { box: this.camera.box(), zoom: this.map.getZoom() };
  }

  private attach(): void {
    this.geofences.attach(this.theme);
    this.track.attach(this.theme);
    this.ring.attach(this.theme);
    this.layer.attach(this.theme);
    this.labels.attach(this.theme);
    this.isReady = true;
    this.events?.lost(false);
    this.refresh();
    this.afterMove();
  }

  private style() {
    const { url, attribution } = this.options.basemap;
    return basemapStyle(this.theme, url, attribution);
  }

  private afterMove(): void {
    const { lng, lat } = this.map.getCenter();
    const [zoom, bounds] = [this.map.getZoom(), this.camera.box()];
    const isMissing = zoom > DETAIL_ENDS_AT_ZOOM;
    const grid = isMissing
      ? graticule(bounds)
      : graticule({ west: 0, south: 0, east: 360, north: 0 });
    sourceOf(this.map, "graticule")?.setData(grid);
    this.scene.look({ box: bounds, zoom }, Date.now());
    this.events?.moved({ lon_deg: lng, lat_deg: lat, zoom }, bounds);
    this.events?.detail(isMissing);
  }

  /** The first snapshot decides where to look, unless the address already did. */
  private frameFirst(): void {
    const box = boxOf(this.scene.places());
    if (!box) return this.frameShapes();
    this.hasFramed = true;
    const chosen = this.selected === null ? null : this.scene.place(this.selected, Date.now());
    this.camera.fit(chosen ? boxOf([chosen]) : box);
  }

  /** Until there is an asset to look at; once, so that it does not take the map from the user. */
  private frameShapes(): void {
    if (this.hasFramedShapes || !this.options.fleet.isKnown) return;
    const box = this.boxOfShapes();
    if (!box) return;
    this.hasFramedShapes = true;
    this.camera.fit(box);
  }

  private boxOfShapes(): Box | null {
    return boxOf(this.shapes.flatMap((shape) => [...cornersOf(shape)]));
  }

  private follow(): void {
    if (!this.onFollowEnd || this.selected === null) return;
    const at = this.scene.place(this.selected, Date.now());
    if (at) this.camera.track(at);
  }

  private endFollowing(): void {
    this.onFollowEnd?.();
    this.onFollowEnd = null;
  }

  private showRing(): void {
    const slot = this.selected === null ? undefined : this.options.fleet.slot(this.selected);
    if (this.selected === null || slot === undefined) return this.ring.show(null, null);
    const accuracy_dm = this.options.fleet.int("accuracy_dm", slot);
    const at = this.scene.place(this.selected, Date.now());
    this.ring.show(at, accuracy_dm === null ? null : accuracy_dm / 10);
  }

  private glide(now: number): void {
    this.scene.glide(now);
    this.map.triggerRepaint();
    this.follow();
    if (this.selected !== null) this.showRing();
  }
}
