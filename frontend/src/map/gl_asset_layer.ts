import type { CustomLayerInterface, Map as MapLibre } from "maplibre-gl";
import { ALERTING, LOOKS, type Theme } from "../fleet/look";
import { type AssetLayer, type Mark, REACH_PX } from "./asset_layer";
import { type Cluster, radius_px } from "./folding";
import {
  CLUSTER_FRAGMENT,
  CLUSTER_VERTEX,
  program,
  SPRITE_FRAGMENT,
  SPRITE_VERTEX,
} from "./gl_program";
import { ATLAS_CELLS, atlas, iconSize_px } from "./icons";
import { STEPS, stepsOf } from "./mercator";
import { EPOCH_LASTS_MS, type Projection, Sprites, STRIDE_BYTES } from "./sprites";

const LAYER = "assets-gl";
const WORLD_PX = 512;
const CLUSTER_STRIDE_BYTES = 24;
const CORNERS = new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]);
const TONES = {
  light: { selected: "#005A9C", plate: "#FFFFFF", rim: "#FFFFFF" },
  dark: { selected: "#56B4E9", plate: "#16222E", rim: "#0B141C" },
};

export type GlEvents = {
  /** The layer was drawn, and took the page so long. */
  drawn(ms: number): void;
  /** The card does not take the layer. */
  refused(why: unknown): void;
};
type Buffer = { buffer: WebGLBuffer; array: WebGLVertexArrayObject; bytes: number };
/** What lives on the graphics card, and is lost with it. */
type Card = {
  gl: WebGL2RenderingContext;
  sprite: WebGLProgram;
  cluster: WebGLProgram;
  sprites: Buffer;
  clusters: Buffer;
  texture: WebGLTexture;
  places: Map<WebGLProgram, Map<string, WebGLUniformLocation | null>>;
};

/**
 * Draws all assets in two calls, and lets the graphics card move them: the cost of a tick is
 * that of the rows that changed, and a frame costs the page nothing.
 */
export class GlAssetLayer implements AssetLayer {
  readonly glides = true;
  private readonly map: MapLibre;
  private readonly sprites = new Sprites(Date.now());
  private readonly events: GlEvents;
  private clusters: Float32Array<ArrayBuffer> = new Float32Array(0);
  private hasNewClusters = false;
  private theme: Theme = "light";
  private card: Card | null = null;

  constructor(map: MapLibre, events: GlEvents) {
    this.map = map;
    this.events = events;
  }

  attach(theme: Theme): void {
    this.theme = theme;
    this.card = null;
    const layer: CustomLayerInterface = {
      id: LAYER,
      type: "custom",
      renderingMode: "2d",
      render: (gl) => this.render(gl as WebGL2RenderingContext),
    };
    this.map.addLayer(layer);
  }

  put(marks: readonly Mark[], gone: readonly number[]): void {
    for (const id of gone) this.sprites.remove(id);
    for (const mark of marks) this.sprites.put(mark);
    this.map.triggerRepaint();
  }

  cluster(clusters: readonly Cluster[]): void {
    this.clusters = clusterRows(clusters);
    this.hasNewClusters = true;
    this.map.triggerRepaint();
  }

  pick(point: { x: number; y: number }): number | null {
    const { width, height } = this.size_px();
    const from_middle = { x: point.x - width / 2, y: point.y - height / 2 };
    return this.sprites.nearest(from_middle, REACH_PX, this.projection(), Date.now());
  }

  /** The map is never turned or tilted: its middle and its scale say all. */
  private projection(): Projection {
    const { lng, lat } = this.map.getCenter();
    const [x, y] = stepsOf([lng, lat]);
    return { x, y, px_per_step: (WORLD_PX * 2 ** this.map.getZoom()) / STEPS };
  }

  /** Of the map, without asking the page for its layout. */
  private size_px(): { width: number; height: number } {
    const { width, height } = this.map.getCanvas();
    const ratio = this.map.getPixelRatio();
    return { width: width / ratio, height: height / ratio };
  }

  private render(gl: WebGL2RenderingContext): void {
    try {
      this.card ??= this.made(gl);
    } catch (error) {
      if (!gl.isContextLost()) this.events.refused(error);
      return;
    }
    const begun = performance.now();
    const now = Date.now();
    if (now - this.sprites.epoch > EPOCH_LASTS_MS) this.sprites.renew(now);
    this.upload(this.card);
    const view = this.projection();
    this.drawClusters(this.card, view);
    this.drawSprites(this.card, view, now - this.sprites.epoch);
    gl.bindVertexArray(null);
    this.events.drawn(performance.now() - begun);
  }

  private made(gl: WebGL2RenderingContext): Card {
    const sprite = program(gl, SPRITE_VERTEX, SPRITE_FRAGMENT);
    const cluster = program(gl, CLUSTER_VERTEX, CLUSTER_FRAGMENT);
    const corners = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, corners);
    gl.bufferData(gl.ARRAY_BUFFER, CORNERS, gl.STATIC_DRAW);
    const card: Card = {
      gl,
      sprite,
      cluster,
      sprites: rows(gl, corners, gl.getAttribLocation(sprite, "a_corner")),
      clusters: rows(gl, corners, gl.getAttribLocation(cluster, "a_corner")),
      texture: texture(gl, this.theme),
      places: new Map(),
    };
    this.sprites.touchAll();
    this.hasNewClusters = true;
    return card;
  }

  private upload({ gl, sprite, cluster, sprites, clusters }: Card): void {
    const dirty = this.sprites.takeDirty();
    if (dirty) {
      gl.bindBuffer(gl.ARRAY_BUFFER, sprites.buffer);
      const needed = dirty.from_row * STRIDE_BYTES + dirty.bytes.byteLength;
      if (needed > sprites.bytes) {
        this.sprites.touchAll();
        const all = this.sprites.takeDirty();
        sprites.bytes = Math.max(1024, 2 ** Math.ceil(Math.log2(needed)));
        gl.bufferData(gl.ARRAY_BUFFER, sprites.bytes, gl.DYNAMIC_DRAW);
        if (all) gl.bufferSubData(gl.ARRAY_BUFFER, 0, all.bytes);
        layOutSprites(gl, sprite, sprites);
      } else gl.bufferSubData(gl.ARRAY_BUFFER, dirty.from_row * STRIDE_BYTES, dirty.bytes);
    }
    if (!this.hasNewClusters) return;
    this.hasNewClusters = false;
    gl.bindBuffer(gl.ARRAY_BUFFER, clusters.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, this.clusters, gl.DYNAMIC_DRAW);
    layOutClusters(gl, cluster, clusters);
  }

  private drawSprites(card: Card, view: Projection, now: number): void {
    const { gl, sprite } = card;
    if (this.sprites.rows === 0) return;
    gl.useProgram(sprite);
    gl.bindVertexArray(card.sprites.array);
    this.project(card, sprite, view);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, card.texture);
    const at = (name: string) => place(card, sprite, name);
    gl.uniform1i(at("u_atlas"), 0);
    gl.uniform1f(at("u_cells"), ATLAS_CELLS);
    gl.uniform1f(at("u_now"), now);
    gl.uniform1f(at("u_icon_px"), iconSize_px(this.map.getZoom()));
    gl.uniform4fv(at("u_alerting"), rgba(ALERTING[this.theme]));
    gl.uniform4fv(at("u_selected"), rgba(TONES[this.theme].selected));
    // What needs a person lies above what does not.
    for (const pass of [0, 1]) {
      gl.uniform1i(at("u_pass"), pass);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.sprites.rows);
    }
  }

  private drawClusters(card: Card, view: Projection): void {
    const { gl, cluster } = card;
    const count = (this.clusters.byteLength / CLUSTER_STRIDE_BYTES) | 0;
    if (count === 0) return;
    gl.useProgram(cluster);
    gl.bindVertexArray(card.clusters.array);
    this.project(card, cluster, view);
    const at = (name: string) => place(card, cluster, name);
    const looks = [LOOKS.moving, LOOKS.resting, LOOKS.unknown, LOOKS.stale];
    gl.uniform4fv(
      at("u_parts"),
      looks.flatMap((look) => rgba(look[this.theme])),
    );
    gl.uniform4fv(at("u_plate"), rgba(TONES[this.theme].plate));
    gl.uniform4fv(at("u_rim"), rgba(TONES[this.theme].rim));
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, count);
  }

  private project(card: Card, used: WebGLProgram, view: Projection): void {
    const { gl } = card;
    const { width, height } = this.size_px();
    gl.uniform2ui(place(card, used, "u_centre"), view.x, view.y);
    gl.uniform1f(place(card, used, "u_px_per_step"), view.px_per_step);
    gl.uniform2f(place(card, used, "u_viewport_px"), width, height);
  }
}

function place({ gl, places }: Card, used: WebGLProgram, name: string) {
  const known = places.get(used) ?? new Map<string, WebGLUniformLocation | null>();
  places.set(used, known);
  const found = known.get(name) ?? gl.getUniformLocation(used, name);
  known.set(name, found);
  return found;
}

function rows(gl: WebGL2RenderingContext, corners: WebGLBuffer, corner: number): Buffer {
  const array = gl.createVertexArray();
  gl.bindVertexArray(array);
  gl.bindBuffer(gl.ARRAY_BUFFER, corners);
  gl.enableVertexAttribArray(corner);
  gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
  gl.bindVertexArray(null);
  return { buffer: gl.createBuffer(), array, bytes: 0 };
}

function layOutSprites(gl: WebGL2RenderingContext, used: WebGLProgram, to: Buffer): void {
  gl.bindVertexArray(to.array);
  const each = (name: string, set: (at: number) => void) => {
    const at = gl.getAttribLocation(used, name);
    gl.enableVertexAttribArray(at);
    set(at);
    gl.vertexAttribDivisor(at, 1);
  };
  each("a_from", (at) => gl.vertexAttribIPointer(at, 2, gl.UNSIGNED_INT, STRIDE_BYTES, 0));
  each("a_to", (at) => gl.vertexAttribIPointer(at, 2, gl.UNSIGNED_INT, STRIDE_BYTES, 8));
  each("a_glide", (at) => gl.vertexAttribPointer(at, 2, gl.FLOAT, false, STRIDE_BYTES, 16));
  each("a_look", (at) => gl.vertexAttribIPointer(at, 1, gl.UNSIGNED_INT, STRIDE_BYTES, 24));
}

function layOutClusters(gl: WebGL2RenderingContext, used: WebGLProgram, to: Buffer): void {
  gl.bindVertexArray(to.array);
  const stride = CLUSTER_STRIDE_BYTES;
  const each = (name: string, set: (at: number) => void) => {
    const at = gl.getAttribLocation(used, name);
    gl.enableVertexAttribArray(at);
    set(at);
    gl.vertexAttribDivisor(at, 1);
  };
  each("a_at", (at) => gl.vertexAttribIPointer(at, 2, gl.UNSIGNED_INT, stride, 0));
  each("a_radius", (at) => gl.vertexAttribPointer(at, 1, gl.FLOAT, false, stride, 8));
  each("a_until", (at) => gl.vertexAttribPointer(at, 3, gl.FLOAT, false, stride, 12));
}

/** Where, how large, and where on its rim moving, resting and unknown end. */
function clusterRows(clusters: readonly Cluster[]): Float32Array<ArrayBuffer> {
  const real = new Float32Array((clusters.length * CLUSTER_STRIDE_BYTES) / 4);
  const whole = new Uint32Array(real.buffer);
  clusters.forEach(({ x, y, count, parts: [moving, resting, unknown] }, index) => {
    const at = (index * CLUSTER_STRIDE_BYTES) / 4;
    whole.set([x, y], at);
    real.set(
      [
        radius_px(count),
        moving / count,
        (moving + resting) / count,
        (moving + resting + unknown) / count,
      ],
      at + 2,
    );
  });
  return real;
}

function texture(gl: WebGL2RenderingContext, theme: Theme): WebGLTexture {
  const made = gl.createTexture();
  gl.activeTexture(gl.TEXTURE0);
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, atlas(theme));
  gl.generateMipmap(gl.TEXTURE_2D);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  return made;
}

/** A colour as the shaders take it. */
function rgba(colour: string): [number, number, number, number] {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map(
    (at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255,
  );
  return [r, g, b, 1];
}
