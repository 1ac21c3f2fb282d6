import { fallback, list, nullable, number, object, text, type Value } from "./read";
import { role } from "./rest";

/** What the shell page says before any request: see templates/console.html. */
export const boot = object({
  user: object({ id: number, name: text, email: text, role: nullable(role) }),
  organisations: list(
    object({ id: number, name: text, role: nullable(role), time_zone: fallback(text, "UTC") }),
  ),
  csrf_cookie: fallback(text, "csrftoken"),
  basemap: object({ url: text, attribution: fallback(text, "") }),
  build: fallback(text, ""),
});
export type Boot = Value<typeof boot>;
