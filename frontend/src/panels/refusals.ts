import type { Refusal } from "./ports";

export type FieldErrors = Record<string, string>;

function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && "details" in error;
}

/** The first name in a pointer: `/shape/coordinates/0` and `#/shape` are about `shape`. */
function fieldOf(pointer: string): string {
  return pointer.replace(/^#/, "").split("/").filter(Boolean)[0] ?? "";
}

/** The server's words by field; what is about no known field stands under "". */
export function fieldErrors(error: unknown, fields: readonly string[]): FieldErrors {
  if (!error) return {};
  if (!isRefusal(error)) return { "": "Something went wrong here. Nothing was saved." };
  const found: FieldErrors = {};
  for (const { pointer, detail } of error.details.errors) {
    const named = fieldOf(pointer);
    const field = fields.includes(named) ? named : "";
    found[field] = [found[field], detail].filter(Boolean).join(" ");
  }
  return Object.keys(found).length > 0 ? found : { "": error.message };
}
