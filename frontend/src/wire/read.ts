/**
 * Checks what arrives from outside, once, at the edge. A reader turns an
 * unknown value into a typed one or raises Unreadable, naming the place.
 */
export type Read<T> = (value: unknown, at: string) => T;
export type Value<R> = R extends Read<infer T> ? T : never;

export class Unreadable extends Error {
  override name = "Unreadable";
}

function refuse(at: string, wanted: string): never {
  throw new Unreadable(`${at || "value"}: expected ${wanted}`);
}

export const text: Read<string> = (value, at) =>
  typeof value === "string" ? value : refuse(at, "text");

export const number: Read<number> = (value, at) =>
  typeof value === "number" && Number.isFinite(value) ? value : refuse(at, "a number");

export const truth: Read<boolean> = (value, at) =>
  typeof value === "boolean" ? value : refuse(at, "true or false");

export const scalar: Read<string | number | boolean | null> = (value, at) =>
  value === null || ["string", "number", "boolean"].includes(typeof value)
    ? (value as string | number | boolean | null)
    : refuse(at, "a plain value");

/** Absent on the wire counts as null: older servers leave new fields out. */
export function nullable<T>(read: Read<T>): Read<T | null> {
  return (value, at) => (value === null || value === undefined ? null : read(value, at));
}

export function fallback<T>(read: Read<T>, otherwise: T): Read<T> {
  return (value, at) => (value === null || value === undefined ? otherwise : read(value, at));
}

export function oneOf<const T extends string>(...allowed: T[]): Read<T> {
  return (value, at) =>
    allowed.includes(value as T) ? (value as T) : refuse(at, `one of ${allowed.join(", ")}`);
}

export function list<T>(read: Read<T>): Read<T[]> {
  return (value, at) =>
    Array.isArray(value)
      ? value.map((item, index) => read(item, `${at}[${index}]`))
      : refuse(at, "a list");
}

/** A list of plain values that is only looked through, not made anew: long ones come often. */
export function column<T>(isOne: (value: unknown) => value is T, wanted: string): Read<T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) return refuse(at, "a list");
    for (let row = 0; row < value.length; row++) {
      if (!isOne(value[row])) return refuse(`${at}[${row}]`, wanted);
    }
    return value;
  };
}

export function pair<A, B>(first: Read<A>, second: Read<B>): Read<[A, B]> {
  return (value, at) =>
    Array.isArray(value) && value.length >= 2
      ? [first(value[0], `${at}[0]`), second(value[1], `${at}[1]`)]
      : refuse(at, "a pair");
}

export function record<T>(read: Read<T>): Read<Record<string, T>> {
  return (value, at) => {
    const source = asObject(value, at);
    return Object.fromEntries(
      Object.entries(source).map(([key, item]) => [key, read(item, `${at}.${key}`)]),
    );
  };
}

type Fields = Record<string, Read<unknown>>;
type Shape<F extends Fields> = { [K in keyof F]: Value<F[K]> };

/** Reads the named fields and leaves all others behind. */
export function object<F extends Fields>(fields: F): Read<Shape<F>> {
  return (value, at) => {
    const source = asObject(value, at);
    const entries = Object.entries(fields).map(([key, read]) => [
      key,
      read(source[key], at ? `${at}.${key}` : key),
    ]);
    return Object.fromEntries(entries) as Shape<F>;
  };
}

/** The same reader under each of the names. */
export function each<K extends string, T>(names: readonly K[], read: Read<T>): Record<K, Read<T>> {
  return Object.fromEntries(names.map((name) => [name, read])) as Record<K, Read<T>>;
}

export function tagged<T>(tag: string, readers: Record<string, Read<T>>): Read<T> {
  return (value, at) => {
    const kind = asObject(value, at)[tag];
    const read = typeof kind === "string" ? readers[kind] : undefined;
    return read ? read(value, at) : refuse(`${at}.${tag}`, Object.keys(readers).join(", "));
  };
}

function asObject(value: unknown, at: string): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : refuse(at, "an object");
}
