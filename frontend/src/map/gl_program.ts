/** A linked program. Raises Error with the compiler's words where the card refuses it. */
export function program(gl: WebGL2RenderingContext, vertex: string, fragment: string) {
  const made = gl.createProgram();
  const shaders = [shader(gl, gl.VERTEX_SHADER, vertex), shader(gl, gl.FRAGMENT_SHADER, fragment)];
  for (const one of shaders) gl.attachShader(made, one);
  gl.linkProgram(made);
  for (const one of shaders) gl.deleteShader(one);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) {
    throw new Error(gl.getProgramInfoLog(made) ?? "the program did not link");
  }
  return made;
}

function shader(gl: WebGL2RenderingContext, type: number, source: string): WebGLShader {
  const made = gl.createShader(type);
  if (!made) throw new Error("no shader: the graphics card is gone");
  gl.shaderSource(made, source);
  gl.compileShader(made);
  if (!gl.getShaderParameter(made, gl.COMPILE_STATUS)) {
    throw new Error(gl.getShaderInfoLog(made) ?? "the shader did not compile");
  }
  return made;
}

/** Where the middle of the view is, and what all shaders share. */
export const PROJECTION = `#version 300 es
precision highp float;
precision highp int;
uniform uvec2 u_centre;
uniform float u_px_per_step;
uniform vec2 u_viewport_px;

// Whole numbers wrap around at the date line, and their differences are exact at every scale.
vec2 steps_from(uvec2 a, uvec2 b) { return vec2(ivec2(b - a)); }

vec4 at_px(vec2 px) { return vec4(px.x * 2.0 / u_viewport_px.x, -px.y * 2.0 / u_viewport_px.y, 0.0, 1.0); }
`;

export const SPRITE_VERTEX = `${PROJECTION}
in vec2 a_corner;
in uvec2 a_from;
in uvec2 a_to;
in vec2 a_glide;
in uint a_look;
uniform float u_now;
uniform float u_icon_px;
uniform int u_pass;
out vec2 v_px;
out vec2 v_turn;
flat out uint v_cell;
flat out uint v_flags;

void main() {
  v_cell = a_look & 255u;
  v_flags = (a_look >> 8) & 255u;
  bool is_special = (v_flags & 3u) != 0u;
  if ((v_flags & 12u) != 0u || is_special != (u_pass == 1)) {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
    return;
  }
  float part = a_glide.y > 0.0 ? clamp((u_now - a_glide.x) / a_glide.y, 0.0, 1.0) : 1.0;
  vec2 steps = steps_from(u_centre, a_from) + part * steps_from(a_from, a_to);
  float reach = is_special ? u_icon_px * 1.35 : u_icon_px * 0.72;
  float turn = float(a_look >> 16) / 65536.0 * 6.283185307;
  v_turn = vec2(cos(turn), sin(turn));
  v_px = a_corner * reach;
  gl_Position = at_px(steps * u_px_per_step + v_px);
}`;

export const SPRITE_FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D u_atlas;
uniform float u_icon_px;
uniform float u_cells;
uniform vec4 u_alerting;
uniform vec4 u_selected;
in vec2 v_px;
in vec2 v_turn;
flat in uint v_cell;
flat in uint v_flags;
out vec4 colour;

vec4 over(vec4 top, vec4 below) { return top + below * (1.0 - top.a); }

vec4 ring(vec4 tone, float away, float radius, float width, float wash) {
  float line = 1.0 - smoothstep(width * 0.5, width * 0.5 + 0.9, abs(away - radius));
  float inside = (1.0 - smoothstep(radius - 0.5, radius + 0.5, away)) * wash;
  return tone * max(line, inside);
}

// Asked for outside of any branch, so that the card knows how much smaller it draws.
vec4 icon(vec2 px, float size, float cell) {
  vec2 at = px / size + 0.5;
  vec4 found = texture(u_atlas, vec2((clamp(at.x, 0.01, 0.99) + cell) / u_cells, clamp(at.y, 0.01, 0.99)));
  bool is_inside = all(greaterThan(at, vec2(0.0))) && all(lessThan(at, vec2(1.0)));
  return is_inside ? found : vec4(0.0);
}

void main() {
  float away = length(v_px);
  vec2 turned = vec2(v_px.x * v_turn.x + v_px.y * v_turn.y, v_px.y * v_turn.x - v_px.x * v_turn.y);
  vec4 shape = icon(turned, u_icon_px, float(v_cell));
  vec4 badge = icon(v_px - vec2(0.5, -0.5) * u_icon_px, u_icon_px * 0.74, u_cells - 1.0);
  colour = vec4(0.0);
  if ((v_flags & 1u) != 0u) colour = ring(u_alerting, away, u_icon_px * 0.76, 2.0, 0.22);
  // Outside of the halo of an alert; without a wash, which would read as an area on the ground.
  float around = (v_flags & 1u) != 0u ? 0.94 : 0.76;
  if ((v_flags & 2u) != 0u) colour = over(ring(u_selected, away, u_icon_px * around, 2.5, 0.0), colour);
  colour = over(shape, colour);
  if ((v_flags & 1u) != 0u) colour = over(badge, colour);
  if (colour.a == 0.0) discard;
}`;

export const CLUSTER_VERTEX = `${PROJECTION}
in vec2 a_corner;
in uvec2 a_at;
in float a_radius;
in vec3 a_until;
out vec2 v_px;
flat out float v_radius;
flat out vec3 v_until;

void main() {
  v_radius = a_radius;
  v_until = a_until;
  v_px = a_corner * (a_radius + 3.0);
  gl_Position = at_px(steps_from(u_centre, a_at) * u_px_per_step + v_px);
}`;

export const CLUSTER_FRAGMENT = `#version 300 es
precision highp float;
uniform vec4 u_parts[4];
uniform vec4 u_plate;
uniform vec4 u_rim;
in vec2 v_px;
flat in float v_radius;
flat in vec3 v_until;
out vec4 colour;

void main() {
  float away = length(v_px);
  float turn = fract(atan(v_px.x, -v_px.y) / 6.283185307 + 1.0);
  vec4 part = turn < v_until.x ? u_parts[0] : turn < v_until.y ? u_parts[1] : turn < v_until.z ? u_parts[2] : u_parts[3];
  float outside = 1.0 - smoothstep(v_radius + 0.5, v_radius + 1.5, away);
  float band = 1.0 - smoothstep(v_radius - 1.0, v_radius, away);
  float plate = 1.0 - smoothstep(v_radius - 5.0, v_radius - 4.0, away);
  colour = mix(mix(u_rim, part, band), u_plate, plate) * outside;
  if (colour.a == 0.0) discard;
}`;
