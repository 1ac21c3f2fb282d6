"""Every problem code that an answer may carry, as `docs/problems.md` and `/problems/<code>` show.

Clients rely on a code: it is never renamed and never gets another meaning.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProblemType:
    title: str
    explanation: str


PROBLEM_TYPES: dict[str, ProblemType] = {
    # 400
    "bad-request": ProblemType(
        "The request cannot be read", "The bytes are not a request that this server understands."
    ),
    "bad-host": ProblemType(
        "The Host header is unknown",
        "The server does not answer under this name. Use the address that you were given.",
    ),
    "empty-body": ProblemType("The body is empty", "Send the document that this path expects."),
    "malformed-body": ProblemType(
        "The body cannot be read", "The bytes are not in the expected format."
    ),
    "malformed-json": ProblemType(
        "The body is not JSON",
        "RFC 8259 JSON in UTF-8 is expected. NaN, Infinity, lone surrogates, U+0000 and numbers of"
        " more than 30 digits are refused; `detail` says where reading stopped.",
    ),
    "json-too-deep": ProblemType(
        "The JSON is nested too deeply", "At most 32 levels of arrays and objects are read."
    ),
    "duplicate-key": ProblemType(
        "A key appears twice in one object",
        "Which of the two values was meant is unknown, so neither is taken.",
    ),
    "nothing-to-change": ProblemType(
        "The body names nothing to change", "Send the member that is to change."
    ),
    "invalid-parameter": ProblemType(
        "A query parameter is wrong or unknown",
        "`errors` names the parameters as `/query/<name>`, and the known parameters.",
    ),
    "invalid-cursor": ProblemType(
        "The cursor is not one of ours",
        "Follow the `next` and `previous` links of an answer as they are; begin again without one.",
    ),
    # 401, 403
    "credentials-missing": ProblemType(
        "No credential came with the request",
        "Send `Authorization: Token …`, or the session cookie of somebody who is logged in.",
    ),
    "credentials-invalid": ProblemType(
        "The credential is not valid", "It is unknown, revoked, or its owner is inactive."
    ),
    "forbidden": ProblemType(
        "Your role does not allow this",
        "You may see the object but not change it. Owners and operators change things;"
        " owners manage people.",
    ),
    "csrf-failed": ProblemType(
        "The CSRF token is missing or wrong",
        "A request with a session cookie that changes something sends the `csrftoken` cookie"
        " again as `X-CSRFToken`.",
    ),
    "tls-required": ProblemType(
        "The request came in plain text",
        "Its token was readable on the way: make a new one, and send to the `https` address."
        " There is no redirect, so that no device sends its token in plain text again.",
    ),
    "not-your-device": ProblemType(
        "The token belongs to another device",
        "A token that was made for one device cannot report for another.",
    ),
    # 404 to 415
    "not-found": ProblemType(
        "Not found",
        "The object does not exist, or belongs to an organisation that you are not in; the two"
        " are answered alike.",
    ),
    "request-timeout": ProblemType(
        "The request took too long to arrive", "Send headers and body within ten seconds."
    ),
    "method-not-allowed": ProblemType(
        "The method is not allowed here", "The `Allow` header lists the allowed methods."
    ),
    "not-acceptable": ProblemType(
        "No such representation", "The answer exists as JSON only; leave out `Accept`."
    ),
    "conflict": ProblemType(
        "This contradicts the present state", "`detail` names the contradiction."
    ),
    "already-exists": ProblemType(
        "It exists already", "Choose another name, or use the existing object."
    ),
    "overlap": ProblemType(
        "The periods overlap", "A device is on one asset at a time; end the other assignment first."
    ),
    "not-assigned": ProblemType(
        "The device is on no asset then", "There is nothing to end at that time."
    ),
    "asset-archived": ProblemType("The asset is archived", "An archived asset takes no device."),
    "source-revoked": ProblemType(
        "The source is revoked", "This is final. Add another source and give out its token."
    ),
    "last-owner": ProblemType(
        "An organisation keeps an owner", "Make somebody else an owner first."
    ),
    "shown-once": ProblemType(
        "The answer held a secret that is shown once",
        "The request with this `Idempotency-Key` was carried out before. Its secret is stored"
        " nowhere and cannot be repeated; revoke or rotate it and take the new one.",
    ),
    "body-too-large": ProblemType(
        "The body is too large", "`detail` names the limit in bytes. Send several smaller ones."
    ),
    "too-many-fixes": ProblemType("Too many fixes in one batch", "Send several smaller batches."),
    "unsupported-media-type": ProblemType(
        "This media type is not read here", "Send `Content-Type: application/json`."
    ),
    # 422
    "invalid": ProblemType(
        "The document is wrong", "`errors` lists the mistakes, each with a JSON Pointer."
    ),
    "identifier-invalid": ProblemType(
        "Not an identifier of a device", "1 to 100 printable characters are expected."
    ),
    "period-empty": ProblemType("The period is empty", "Its end must be after its beginning."),
    "not-one-tenant": ProblemType(
        "Two organisations in one request", "All objects named in it must belong to one."
    ),
    "idempotency-key-invalid": ProblemType(
        "Not an Idempotency-Key", "1 to 255 printable ASCII characters are expected."
    ),
    "idempotency-key-reused": ProblemType(
        "The Idempotency-Key was used for something else",
        "Within 24 hours a key belongs to one method, path and body. Use a fresh one.",
    ),
    # 422, and of single members in `errors`
    "missing": ProblemType("A member is missing", "`errors` names it."),
    "not-a-number": ProblemType(
        "Not a number", "A JSON number is expected; text, true and false are none."
    ),
    "not-a-time": ProblemType(
        "Not a time", "RFC 3339 is expected, or seconds since 1970 where the format says so."
    ),
    "time-without-zone": ProblemType("The time has no zone", "End it with `Z` or an offset."),
    "time-zone-unknown": ProblemType(
        "Not a time zone", "A name of the IANA database is expected, such as `Europe/Berlin`."
    ),
    "not-an-identifier": ProblemType(
        "Not an identifier of a device", "1 to 100 printable characters are expected."
    ),
    "not-an-object": ProblemType("Not an object", "A JSON object is expected here."),
    "out-of-range": ProblemType(
        "A value is outside its range", "`errors` names the value and what is possible."
    ),
    "unstorable": ProblemType(
        "The database cannot hold this", "Of a list, the others were stored."
    ),
    "too-long": ProblemType("A text is too long", "`errors` names it and its limit."),
    "too-many-attributes": ProblemType(
        "Too many attributes", "An observation carries at most 64 attributes of its own."
    ),
    "forbidden-character": ProblemType(
        "A character cannot be stored", "U+0000 and lone surrogates are refused."
    ),
    "not-a-reading": ProblemType(
        "Not something that can be measured", "A reading is a number, true, false or a text."
    ),
    "event-id-reused": ProblemType(
        "The event id has come before, with other content",
        "The first observation of this id stays as it is. Each event needs an id of its own.",
    ),
    "unknown-method": ProblemType(
        "Not a way to find a position", "The page of the wire format lists them."
    ),
    "wire-format-unknown": ProblemType(
        "Not a wire format", "`errors` lists the known wire formats."
    ),
    "does-not-exist": ProblemType(
        "A referenced object does not exist", "Or it belongs to another organisation."
    ),
    "unknown-member": ProblemType(
        "There is no such member", "Correct its name; `errors` names it and the known members."
    ),
    "required": ProblemType("A member is missing", "`errors` names it."),
    "track-unreadable": ProblemType(
        "The track cannot be read",
        "JSON with columns and rows, GPX and CSV with a header are read.",
    ),
    "geometry-invalid": ProblemType(
        "The shape is not valid",
        "`detail` says where and why. Shapes are never repaired silently: draw it again.",
    ),
    "not-geojson": ProblemType("Not GeoJSON", "A shape as in RFC 7946 is expected."),
    "too-many-points": ProblemType(
        "The shape has too many points", "Simplify it; `detail` names the limit."
    ),
    "too-many-features": ProblemType(
        "The file has too many features", "Import it in several parts; `detail` names the limit."
    ),
    "import-refused": ProblemType(
        "Some features cannot be imported",
        "Nothing was imported. `errors` lists each feature that is refused and why.",
    ),
    "import-unreadable": ProblemType(
        "The file cannot be read", "GeoJSON, KML, GPX or a zipped shapefile is expected."
    ),
    "archive-too-large": ProblemType(
        "The archive unpacks to too much", "Send the files in several smaller archives."
    ),
    # Why an uplink was set aside; it can be taken up again once that is mended
    "unknown-device": ProblemType(
        "The device is not registered", "Register it, then replay the uplink."
    ),
    "device-missing": ProblemType(
        "The uplink does not contain this device",
        "A replay did not find the observations that had been set aside.",
    ),
    "no-device": ProblemType(
        "The uplink names no device", "Let the sender name it, in the message or in its address."
    ),
    "no-position": ProblemType(
        "The uplink has no usable position", "Its coordinates are missing or not on earth."
    ),
    "unknown-event": ProblemType(
        "Not a kind of event that is known here", "The page of the wire format lists them."
    ),
    "unrecognised": ProblemType(
        "Of no known wire format", "Send it to the address of its format, or replay it later."
    ),
    "decode-failed": ProblemType(
        "The decoded payload cannot be used", "It has more than 1,000 members."
    ),
    "encrypted": ProblemType(
        "The uplink is encrypted", "Switch payload encryption off in the sender; TLS stays."
    ),
    # 429 to 503
    "too-many-requests": ProblemType(
        "Too many requests", "Wait as many seconds as `Retry-After` says."
    ),
    "headers-too-large": ProblemType("The headers are too large", "Send fewer or shorter headers."),
    "internal-error": ProblemType(
        "A fault of ours", "It is in our log under the id in `instance`; please send us that id."
    ),
    "unavailable": ProblemType(
        "The server cannot do this now",
        "Nothing was changed. Send the same again after as many seconds as `Retry-After` says.",
    ),
    "not-ready": ProblemType("The server is not ready", "`errors` names each check that failed."),
}


def as_markdown() -> str:
    """Return `docs/problems.md`."""
    lines = [
        "# Problems",
        "",
        "Each 4xx and 5xx is `application/problem+json` (RFC 9457) with our members `code` and",
        "`errors`. `type` is the address of a row of this table; `instance` is the id of the",
        "request, as in the header `X-Request-Id`. Written by `core/rest/problem_types.py`.",
        "",
        "| Code | Title | What to do |",
        "| --- | --- | --- |",
    ]
    lines += [f"| `{code}` | {p.title} | {p.explanation} |" for code, p in PROBLEM_TYPES.items()]
    return "\n".join(lines) + "\n"
