import { afterEach, describe, expect, it, vi } from "vitest";
import { number, object } from "../wire/read";
import { Http, Problem } from "./http";

const answer = (body: unknown, status = 200) =>
  new Response(status === 204 ? null : JSON.stringify(body), { status });

function served(...answers: Response[]) {
  const fetching = vi.fn<typeof fetch>();
  for (const one of answers) fetching.mockResolvedValueOnce(one);
  vi.stubGlobal("fetch", fetching);
  const onSignedOut = vi.fn();
  return { http: new Http({ csrf_cookie: "csrftoken", onSignedOut }), fetching, onSignedOut };
}

afterEach(() => vi.unstubAllGlobals());

const row = object({ id: number });

describe("http", () => {
  it("follows pages within our own API, whatever host they name", async () => {
    const { http, fetching } = served(
      answer({
        next: "http://internal/api/v1/assets/?cursor=b",
        previous: null,
        results: [{ id: 1 }],
      }),
      answer({ next: null, previous: null, results: [{ id: 2 }] }),
    );
    expect(await http.rows("assets/", row)).toEqual([{ id: 1 }, { id: 2 }]);
    expect(fetching.mock.calls.map(([url]) => url)).toEqual([
      "/api/v1/assets/",
      "/api/v1/assets/?cursor=b",
    ]);
  });

  it("keeps the server's words for each field", async () => {
    const errors = [{ pointer: "/name", detail: "This name is taken." }];
    const { http } = served(answer({ title: "Invalid", detail: "See errors.", errors }, 400));
    const failure = await http.write("POST", "geofences/", {}, row).catch((error) => error);
    expect(failure).toBeInstanceOf(Problem);
    expect(failure.details.errors).toEqual(errors);
  });

  it("says that the session is over", async () => {
    const { http, onSignedOut } = served(answer({ detail: "x" }, 401));
    await expect(http.get("me/", row)).rejects.toThrow(Problem);
    expect(onSignedOut).toHaveBeenCalledOnce();
  });

  it("sends the CSRF token of the cookie with what changes things", async () => {
    // biome-ignore lint/suspicious/noDocumentCookie: the cookie is what is under test.
    document.cookie = "csrftoken=abc";
    const { http, fetching } = served(answer(null, 204));
    await http.remove("geofences/1/");
    expect(fetching.mock.calls[0]?.[1]?.headers).toMatchObject({ "X-CSRFToken": "abc" });
  });

  it("tells an unreachable server from a refusal", async () => {
    vi.stubGlobal("fetch", vi.fn().mockRejectedValue(new TypeError("network")));
    const http = new Http({ csrf_cookie: "csrftoken", onSignedOut: vi.fn() });
    await expect(http.get("me/", row)).rejects.toMatchObject({ status: 0 });
  });
});
