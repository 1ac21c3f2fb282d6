import type { Read } from "../wire/read";
import { type ProblemDetails, page, problem } from "../wire/rest";

const API = "/api/v1/";
const JSON_TYPE = "application/json";
const PAGES_AT_MOST = 500;

/** The server said no, in its own words. `status` 0 means that it was not reached. */
export class Problem extends Error {
  override name = "Problem";
  readonly status: number;
  readonly details: ProblemDetails;

  constructor(status: number, details: ProblemDetails) {
    super(details.detail || details.title || `The server answered ${status}.`);
    this.status = status;
    this.details = details;
  }
}

export type Method = "GET" | "POST" | "PATCH" | "DELETE";
export type HttpOptions = { csrf_cookie: string; onSignedOut: () => void };

/** Requests of our own API with the session's cookie. */
export class Http {
  private readonly options: HttpOptions;

  constructor(options: HttpOptions) {
    this.options = options;
  }

  async get<T>(path: string, read: Read<T>, accept = JSON_TYPE): Promise<T> {
    return read(await this.send("GET", path, undefined, accept), path);
  }

  async write<T>(method: "POST" | "PATCH", path: string, body: unknown, read: Read<T>): Promise<T> {
    return read(await this.send(method, path, body), path);
  }

  async remove(path: string): Promise<void> {
    await this.send("DELETE", path);
  }

  /** All rows of a paged list, or the first `atMost` of them. */
  async rows<T>(path: string, row: Read<T>, atMost = Number.POSITIVE_INFINITY): Promise<T[]> {
    const found: T[] = [];
    let next: string | null = path;
    for (let pages = 0; next !== null && pages < PAGES_AT_MOST; pages++) {
      const { results, next: following }: { results: T[]; next: string | null } = await this.get(
        next,
        page(row),
      );
      found.push(...results);
      next = following === null || found.length >= atMost ? null : withinApi(following);
    }
    return found.slice(0, atMost);
  }

  private async send(
    method: Method,
    path: string,
    body?: unknown,
    accept = JSON_TYPE,
  ): Promise<unknown> {
    const response = await this.fetch(method, path, body, accept);
    if (response.ok) return response.status === 204 ? null : await response.json();
    const failure = await problemOf(response);
    if (isSignedOut(failure)) this.options.onSignedOut();
    throw failure;
  }

  private async fetch(
    method: Method,
    path: string,
    body: unknown,
    accept: string,
  ): Promise<Response> {
    const headers: Record<string, string> = { Accept: accept };
    if (method !== "GET") headers["X-CSRFToken"] = cookie(this.options.csrf_cookie);
    if (body !== undefined) headers["Content-Type"] = JSON_TYPE;
    const init: RequestInit = { method, headers, credentials: "same-origin" };
    if (body !== undefined) init.body = JSON.stringify(body);
    try {
      return await fetch(API + path, init);
    } catch {
      throw new Problem(0, { title: "", detail: "The server could not be reached.", errors: [] });
    }
  }
}

/** DRF answers 403 instead of 401 where the session is the only way in. */
function isSignedOut({ status, details }: Problem): boolean {
  return (
    status === 401 || (status === 403 && /credentials were not provided/i.test(details.detail))
  );
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    return new Problem(response.status, problem(await response.json(), ""));
  } catch {
    return new Problem(response.status, { title: response.statusText, detail: "", errors: [] });
  }
}

/** The path below the API of a `next` address, whatever host the server put in it. */
function withinApi(address: string): string {
  const { pathname, search } = new URL(address, location.origin);
  return pathname.slice(pathname.indexOf(API) + API.length) + search;
}

export function cookie(name: string): string {
  for (const part of document.cookie.split("; ")) {
    const [key, ...value] = part.split("=");
    if (key === name) return decodeURIComponent(value.join("="));
  }
  return "";
}
