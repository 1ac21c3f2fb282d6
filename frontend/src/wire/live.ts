import { CHOICES, type Choice, QUANTITIES, type Quantity, TIMES, type Time } from "./live_columns";
import {
  column,
  each,
  fallback,
  list,
  number,
  object,
  oneOf,
  type Read,
  tagged,
  text,
  Unreadable,
} from "./read";
import { type Alert, alert, type Crossing, crossing } from "./rest";

const isNumber = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value);
const isNumberOrNull = (value: unknown): value is number | null =>
  value === null || isNumber(value);
const isTextOrNull = (value: unknown): value is string | null =>
  value === null || typeof value === "string";

/** Equally long lists. Names of choices may be new to us. */
export type Columns = { id: number[] } & Record<Quantity | Time, (number | null)[]> &
  Record<Choice, (string | null)[]>;

const columnLists: Read<Columns> = object({
  id: column(isNumber, "a number"),
  ...each([...QUANTITIES, ...TIMES], column(isNumberOrNull, "a number or null")),
  ...each(CHOICES, column(isTextOrNull, "text or null")),
});

export const columns: Read<Columns> = (value, at) => {
  const read = columnLists(value, at);
  const rows = read.id.length;
  for (const [name, column] of Object.entries(read)) {
    if (column.length !== rows) throw new Unreadable(`${at}.${name}: expected ${rows} rows`);
  }
  return read;
};

export type Snapshot = {
  type: "snapshot";
  epoch: string;
  seq: number;
  server_time: number;
  tick_ms: number;
  assets: Columns;
};
export type Delta = {
  type: "delta";
  epoch: string;
  /** The `seq` that it follows. */
  prev: number;
  seq: number;
  server_time: number;
  /** How often this connection is served; slower when we are. */
  tick_ms: number;
  assets: Columns;
  gone: number[];
};
export type List = "assets" | "geofences" | "crossings" | "alerts";
export type LiveFrame =
  | Snapshot
  | Delta
  | { type: "crossing"; crossing: Crossing }
  | { type: "alert"; number: number; alert: Alert }
  | { type: "changed"; what: List }
  | { type: "heartbeat"; server_time: number }
  | { type: "error"; code: string; detail: string };

const frame: Read<LiveFrame> = tagged<LiveFrame>("type", {
  snapshot: object({
    type: oneOf("snapshot"),
    epoch: text,
    seq: number,
    server_time: number,
    tick_ms: fallback(number, 1000),
    assets: columns,
  }),
  delta: object({
    type: oneOf("delta"),
    epoch: text,
    prev: number,
    seq: number,
    server_time: number,
    tick_ms: fallback(number, 1000),
    assets: columns,
    gone: fallback(list(number), []),
  }),
  crossing: object({ type: oneOf("crossing"), crossing }),
  alert: object({ type: oneOf("alert"), number, alert }),
  changed: object({
    type: oneOf("changed"),
    what: oneOf("assets", "geofences", "crossings", "alerts"),
  }),
  heartbeat: object({ type: oneOf("heartbeat"), server_time: number }),
  error: object({ type: oneOf("error"), code: text, detail: fallback(text, "") }),
});

/** Raises Unreadable for anything that live-protocol.md does not describe. */
export function readFrame(message: string): LiveFrame {
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch (error) {
    throw new Unreadable("frame: expected JSON", { cause: error });
  }
  return frame(value, "");
}

export type ClientFrame =
  | { type: "subscribe"; epoch: string | null; seq: number; alerts_after: number | null }
  | { type: "ack"; seq: number }
  | { type: "pause" }
  | { type: "resume" };
