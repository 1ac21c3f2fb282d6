import { LOOK_NAMES, type LookName, lookName, turn_deg } from "../fleet/look";
import type { Mark } from "./asset_layer";
import { stepsBetween, stepsOf } from "./mercator";

export const STRIDE_BYTES = 28;
export const LOOK = { alerting: 1, selected: 2, folded: 4, empty: 8 } as const;
const FIRST_CAPACITY = 1024;
const WORDS = STRIDE_BYTES / 4;
const [FROM_X, FROM_Y, TO_X, TO_Y, STARTED, DURATION, LOOKS] = [0, 1, 2, 3, 4, 5, 6];
/** Beyond this, milliseconds no longer fit a float's 24 bits. */
export const EPOCH_LASTS_MS = 2 ** 24;

export type DrawnLook = { name: LookName } & Pick<
  Mark,
  "is_alerting" | "is_selected" | "is_folded"
>;

/** Where the middle of the view is, in steps, and how many pixels one step is. */
export type Projection = { x: number; y: number; px_per_step: number };

/**
 * The assets as rows of bytes, laid out as the graphics card reads them: from, to (steps of
 * the world), start and length of the glide (ms), look. Each asset keeps its row until it is
 * gone; rows of the gone are used again.
 */
export class Sprites {
  private capacity = FIRST_CAPACITY;
  private bytes = new ArrayBuffer(FIRST_CAPACITY * STRIDE_BYTES);
  private whole = new Uint32Array(this.bytes);
  private real = new Float32Array(this.bytes);
  private readonly rowOf = new Map<number, number>();
  private ids: number[] = [];
  private readonly free: number[] = [];
  private top = 0;
  private dirty_from = Number.POSITIVE_INFINITY;
  private dirty_to = 0;
  /** Glides are counted from here, ms since 1970. */
  epoch: number;

  constructor(now: number) {
    this.epoch = now;
  }

  /** Rows are below this; some may be empty. */
  get rows(): number {
    return this.top;
  }

  get size(): number {
    return this.rowOf.size;
  }

  put(mark: Mark): void {
    const row = this.rowOf.get(mark.id) ?? this.claim(mark.id);
    const at = row * WORDS;
    const { glide } = mark;
    const to = stepsOf(glide ? glide.to : [mark.lon_deg, mark.lat_deg]);
    const from = glide ? stepsOf(glide.from) : to;
    this.whole[at + FROM_X] = from[0];
    this.whole[at + FROM_Y] = from[1];
    this.whole[at + TO_X] = to[0];
    this.whole[at + TO_Y] = to[1];
    this.real[at + STARTED] = glide ? glide.started - this.epoch : 0;
    this.real[at + DURATION] = glide ? glide.duration_ms : 0;
    this.whole[at + LOOKS] = lookOf(mark);
    this.touch(row);
  }

  remove(id: number): void {
    const row = this.rowOf.get(id);
    if (row === undefined) return;
    this.rowOf.delete(id);
    this.free.push(row);
    this.whole[row * WORDS + LOOKS] = LOOK.empty << 8;
    this.touch(row);
  }

  /** What is drawn of an asset. */
  lookOf(id: number): DrawnLook | null {
    const row = this.rowOf.get(id);
    if (row === undefined) return null;
    const look = this.whole[row * WORDS + LOOKS] ?? 0;
    const flags = (look >>> 8) & 0xff;
    return {
      name: LOOK_NAMES[look & 0xff] as LookName,
      is_alerting: (flags & LOOK.alerting) !== 0,
      is_selected: (flags & LOOK.selected) !== 0,
      is_folded: (flags & LOOK.folded) !== 0,
    };
  }

  /** The asset drawn nearest to a point, given in pixels from the middle of the view. */
  nearest(point: { x: number; y: number }, reach_px: number, view: Projection, now: number) {
    let found: number | null = null;
    let closest = reach_px;
    for (let row = 0; row < this.top; row++) {
      const flags = ((this.whole[row * WORDS + LOOKS] ?? 0) >>> 8) & 0xff;
      if (flags & (LOOK.folded | LOOK.empty)) continue;
      const away = this.away_px(row, point, view, now);
      if (away <= closest) {
        closest = away;
        found = this.ids[row] ?? null;
      }
    }
    return found;
  }

  /** The rows that changed since the last call, as one stretch; null if none did. */
  takeDirty(): { from_row: number; bytes: Uint8Array } | null {
    if (this.dirty_from >= this.dirty_to) return null;
    const [from, to] = [this.dirty_from, this.dirty_to];
    this.dirty_from = Number.POSITIVE_INFINITY;
    this.dirty_to = 0;
    const bytes = new Uint8Array(this.bytes, from * STRIDE_BYTES, (to - from) * STRIDE_BYTES);
    return { from_row: from, bytes };
  }

  /** All rows are to be read again: the card lost them. */
  touchAll(): void {
    this.dirty_from = 0;
    this.dirty_to = this.top;
  }

  /** Counts glides from `now` on; those that ended stay where they ended. */
  renew(now: number): void {
    const by = now - this.epoch;
    this.epoch = now;
    for (let row = 0; row < this.top; row++) {
      const at = row * WORDS + STARTED;
      this.real[at] = Math.max(-EPOCH_LASTS_MS, (this.real[at] ?? 0) - by);
    }
    this.touchAll();
  }

  private away_px(row: number, point: { x: number; y: number }, view: Projection, now: number) {
    const at = row * WORDS;
    const [from_x, from_y] = [this.whole[at + FROM_X] ?? 0, this.whole[at + FROM_Y] ?? 0];
    const duration = this.real[at + DURATION] ?? 0;
    const passed = now - this.epoch - (this.real[at + STARTED] ?? 0);
    const part = duration > 0 ? Math.min(1, Math.max(0, passed / duration)) : 1;
    const x =
      stepsBetween(view.x, from_x) + part * stepsBetween(from_x, this.whole[at + TO_X] ?? 0);
    const y =
      stepsBetween(view.y, from_y) + part * stepsBetween(from_y, this.whole[at + TO_Y] ?? 0);
    return Math.hypot(x * view.px_per_step - point.x, y * view.px_per_step - point.y);
  }

  private claim(id: number): number {
    const row = this.free.pop() ?? this.top++;
    if (row >= this.capacity) this.grow();
    this.rowOf.set(id, row);
    this.ids[row] = id;
    return row;
  }

  private grow(): void {
    this.capacity *= 2;
    const larger = new ArrayBuffer(this.capacity * STRIDE_BYTES);
    new Uint8Array(larger).set(new Uint8Array(this.bytes));
    this.bytes = larger;
    this.whole = new Uint32Array(larger);
    this.real = new Float32Array(larger);
  }

  private touch(row: number): void {
    this.dirty_from = Math.min(this.dirty_from, row);
    this.dirty_to = Math.max(this.dirty_to, row + 1);
  }
}

/** Number of the look in the first byte, flags in the second, 1/65536 of a turn in the others. */
function lookOf(mark: Mark): number {
  const flags =
    (mark.is_alerting ? LOOK.alerting : 0) |
    (mark.is_selected ? LOOK.selected : 0) |
    (mark.is_folded ? LOOK.folded : 0);
  const { status, course_deg } = mark;
  const turn = Math.round((turn_deg(status, course_deg) / 360) * 65_536) & 0xffff;
  const look = LOOK_NAMES.indexOf(lookName(status, course_deg));
  return (look | (flags << 8) | (turn << 16)) >>> 0;
}
