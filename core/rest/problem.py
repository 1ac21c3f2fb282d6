"""The only module that turns an error into an HTTP status and a problem document (RFC 9457)."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, cast

import msgspec
from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    DisallowedHost,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import exceptions as drf  # not .views: those need this module first

from core.errors import (
    Conflict,
    CredentialsInvalid,
    CredentialsMissing,
    Fault,
    Forbidden,
    HeadersTooLarge,
    MethodNotAllowed,
    NotFound,
    PlainText,
    Refused,
    RequestTimeout,
    TooLarge,
    TooOften,
    TrackerError,
    Unavailable,
    Unprocessable,
    UnreadableUplink,
    UnsupportedMediaType,
)
from core.rest.problem_types import PROBLEM_TYPES

CONTENT_TYPE = "application/problem+json"
CHALLENGE = 'Bearer realm="tracker"'
# Paths for programs, whatever they accept. Other paths answer people with pages.
PROGRAM_PATHS = ("/api/", "/ingest/", "/ws/", "/healthz", "/readyz")
MAX_FAULTS = 100
MAX_HEADERS = 128
MAX_HEADER_BYTES = 32_768
TLS_ADVICE = "Send to the https address; the token was readable on the way."
KEPT_HEADERS = ("Allow", "WWW-Authenticate", "Retry-After")

STATUS_OF: tuple[tuple[type[TrackerError], int], ...] = (
    (UnreadableUplink, 400),
    (CredentialsMissing, 401),
    (CredentialsInvalid, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (MethodNotAllowed, 405),
    (RequestTimeout, 408),
    (Conflict, 409),
    (TooLarge, 413),
    (UnsupportedMediaType, 415),
    (Unprocessable, 422),
    (TooOften, 429),
    (HeadersTooLarge, 431),
    (Refused, 400),
    (Unavailable, 503),
)
CODE_OF_STATUS = {
    400: "bad-request",
    401: "credentials-missing",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    409: "conflict",
    413: "body-too-large",
    415: "unsupported-media-type",
    422: "invalid",
    429: "too-many-requests",
    431: "headers-too-large",
    503: "unavailable",
}

Headers = list[tuple[str, str]]
logger = logging.getLogger(__name__)


def new_request_id() -> str:
    return uuid.uuid4().hex


def problem_of(error: Exception, request_id: str) -> tuple[int, Headers, bytes]:
    """Return status, headers and body for any exception; a foreign exception is a plain 500."""
    if isinstance(error, OperationalError | InterfaceError):
        error = Unavailable("The database does not answer.")
    if not isinstance(error, TrackerError):
        return problem(500, "internal-error", "This is our fault, not yours.", request_id)
    status = _status_of(error)
    faults = error.faults if isinstance(error, Refused) else ()
    fault_count = error.fault_count if isinstance(error, Refused) else 0
    headers = _headers_of(error, status)
    return problem(status, error.code, error.detail, request_id, faults, headers, fault_count)


def problem(
    status: int,
    code: str,
    detail: str,
    request_id: str,
    faults: tuple[Fault, ...] = (),
    more_headers: Headers | None = None,
    fault_count: int = 0,
) -> tuple[int, Headers, bytes]:
    """Return status, headers and body of a problem document.

    It lists MAX_FAULTS faults; beyond them, or beyond those given, `error_count` has their number.
    """
    known = PROBLEM_TYPES.get(code)
    document = {
        "type": f"{settings.PROBLEM_TYPE_URL}{code}",
        "title": known.title if known else HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": f"urn:request:{request_id}",
        "code": code,
        "errors": faults[:MAX_FAULTS],
    }
    if (count := max(fault_count, len(faults))) > len(faults[:MAX_FAULTS]):
        document["error_count"] = count
    headers = [("Content-Type", CONTENT_TYPE), ("Cache-Control", "no-store")]
    headers += [("X-Request-Id", request_id), *(more_headers or [])]
    return status, headers, msgspec.json.encode(document)


def _status_of(error: TrackerError) -> int:
    return next((status for kind, status in STATUS_OF if isinstance(error, kind)), 500)


def _headers_of(error: TrackerError, status: int) -> Headers:
    if status == 401:
        return [("WWW-Authenticate", CHALLENGE)]
    if isinstance(error, TooOften | Unavailable):
        return [("Retry-After", str(error.retry_after_s))]
    return []


# --- Django REST framework ----------------------------------------------------


def handle_exception(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Answer an exception of a view. None for an unexpected exception, which becomes a 500."""
    request = context["request"]
    if isinstance(error, drf.NotAcceptable) and error.detail != drf.NotAcceptable.default_detail:
        detail = str(error.detail)
        return response_of(problem(406, "not-acceptable", detail, request_id_of(request._request)))
    if isinstance(error, drf.MethodNotAllowed | drf.NotAcceptable):
        # The middleware makes the document; the framework has set `Allow` by then.
        return HttpResponse(status=error.status_code)
    translated = _translated(error, request.method or "")
    if translated is None:
        return None
    return response_of(problem_of(translated, request_id_of(request._request)))


def response_of(answer: tuple[int, Headers, bytes]) -> HttpResponse:
    status, headers, body = answer
    return HttpResponse(body, status=status, headers=dict(headers))


def request_id_of(request: HttpRequest) -> str:
    """Return the id that the middleware gave to `request`."""
    return getattr(request, "id", "") or new_request_id()


def _translated(error: Exception, method: str) -> TrackerError | None:
    """Return our own error for `error`, or None if it is a bug of ours."""
    match error:
        case TrackerError():
            return error
        case drf.ValidationError():
            return _invalid(error, method)
        case drf.APIException():
            return _translated_framework(error)
        case Http404():
            return NotFound()
        case PermissionDenied():
            return Forbidden()
        case OperationalError() | InterfaceError():
            logger.warning("the database does not answer: %s", type(error).__name__)
            return Unavailable("The database does not answer.")
        case DataError():
            # A value that a serializer let through and the database cannot hold.
            logger.warning("the database refused a value that was not checked", exc_info=error)
            return Unprocessable("A value is outside the range that can be stored.")
    return _translated_request(error)


def _translated_request(error: Exception) -> TrackerError | None:
    match error:
        case ModelValidationError():
            return Unprocessable("; ".join(error.messages))
        case RequestDataTooBig() | TooManyFieldsSent() | TooManyFilesSent():
            return TooLarge("The body is larger than this path reads.")
        case DisallowedHost():
            return Refused("The server does not answer under this name.", code="bad-host")
        case SuspiciousOperation() | BadRequest():
            return Refused("The request cannot be read.", code="bad-request")
    return None


def _translated_framework(error: drf.APIException) -> TrackerError | None:
    detail = str(error.detail)
    if isinstance(error, drf.PermissionDenied):
        return Forbidden(detail, code="csrf-failed" if detail.startswith("CSRF") else "forbidden")
    if isinstance(error, drf.Throttled):
        return TooOften(detail, retry_after_s=int(getattr(error, "wait", None) or 60))
    kinds: dict[int, type[TrackerError]] = {
        400: UnreadableUplink,
        404: NotFound,
        415: UnsupportedMediaType,
        503: Unavailable,
    }
    if isinstance(error, drf.NotAuthenticated):
        return CredentialsMissing()
    if isinstance(error, drf.AuthenticationFailed):
        return CredentialsInvalid()
    kind = kinds.get(error.status_code)
    return kind(detail) if kind else None


def _invalid(error: drf.ValidationError, method: str) -> Refused:
    is_query = method in ("GET", "HEAD", "DELETE")
    faults = tuple(_faults(error.detail, "/query" if is_query else ""))
    detail = "1 thing is wrong." if len(faults) == 1 else f"{len(faults)} things are wrong."
    if is_query:
        return Refused(detail, code="invalid-parameter", faults=faults)
    return Unprocessable(detail, faults=faults)


def _faults(detail: Any, pointer: str) -> Iterator[Fault]:
    """Flatten the nested lists and dicts of the framework, with a pointer for each message."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            is_whole = key in ("non_field_errors", "__all__")
            yield from _faults(inner, pointer if is_whole else f"{pointer}/{escaped(key)}")
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            is_leaf = isinstance(inner, str)
            yield from _faults(inner, pointer if is_leaf else f"{pointer}/{index}")
    else:
        code = str(getattr(detail, "code", "invalid")).replace("_", "-")
        yield Fault(pointer=pointer, code=code, detail=str(detail))


def escaped(key: object) -> str:
    """Return a name as it is written in a JSON Pointer (RFC 6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")


# --- everything else ----------------------------------------------------------


class ProblemMiddleware:
    """Gives each request its id, and programs a problem document for each 4xx and 5xx.

    Outermost, so that it also sees answers of Django before any view: an unknown path, a bad
    Host, a failed CSRF check, a bug.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # The client's own X-Request-Id is not taken: it could forge another's in our log.
        request.id = new_request_id()  # type: ignore[attr-defined]
        if has_large_headers(request):
            detail = f"At most {MAX_HEADERS} headers of {MAX_HEADER_BYTES} bytes in all are read."
            return response_of(problem(431, "headers-too-large", detail, request_id_of(request)))
        if _is_plain_text(request):
            return response_of(problem_of(PlainText(TLS_ADVICE), request_id_of(request)))
        response = self._get_response(request)
        if is_program(request):
            if _is_redirected_write(request, response):
                detail = f"The address ends with a slash: {request.path}/"
                response = response_of(problem(404, "not-found", detail, request_id_of(request)))
            if response.status_code >= 400:
                response = _as_problem(request, response)
        response.headers["X-Request-Id"] = request_id_of(request)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer 503 if a page could not read the database: this is no bug of ours."""
        if not isinstance(error, OperationalError | InterfaceError):
            return None
        logger.warning("the database does not answer: %s", type(error).__name__)
        if is_program(request):
            return response_of(problem_of(error, request_id_of(request)))
        text = "The server cannot do this now. Please try again in a few seconds."
        headers = {"Retry-After": "5"}
        return HttpResponse(text, status=503, content_type="text/plain", headers=headers)


def _is_plain_text(request: HttpRequest) -> bool:
    """Return whether a call of the API came without TLS, by the proxy, to a server that has it."""
    if not (settings.SECURE_SSL_REDIRECT and request.path.startswith("/api/")):
        return False
    scheme = request.headers.get("X-Forwarded-Proto", "https").partition(",")[0]
    return scheme.strip().lower() != "https"


def has_large_headers(request: HttpRequest) -> bool:
    scope = getattr(request, "scope", {})
    lengths = [len(value) for name, value in request.META.items() if name.startswith("HTTP_")]
    return len(scope.get("headers", lengths)) > MAX_HEADERS or sum(lengths) > MAX_HEADER_BYTES


def is_program(request: HttpRequest) -> bool:
    """Return whether the client is a program, which wants a problem document and no page."""
    if request.path.startswith(PROGRAM_PATHS):
        return True
    return "json" in request.headers.get("Accept", "")


def _is_redirected_write(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Return whether a write is redirected to the path with a slash, as a read without body."""
    is_read = request.method in ("GET", "HEAD", "OPTIONS")
    return not is_read and response.status_code == 301 and request.path.startswith(PROGRAM_PATHS)


def _as_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if response.headers.get("Content-Type", "").startswith(CONTENT_TYPE):
        return response
    status = response.status_code
    code = _code_of(request, status)
    kept = [(name, response.headers[name]) for name in KEPT_HEADERS if name in response.headers]
    detail = PROBLEM_TYPES[code].explanation
    problem_response = response_of(problem(status, code, detail, request_id_of(request), (), kept))
    problem_response.cookies = cast("HttpResponse", response).cookies
    return problem_response


def _code_of(request: HttpRequest, status: int) -> str:
    if status == 400 and _has_bad_host(request):
        return "bad-host"
    return CODE_OF_STATUS.get(status, "bad-request" if status < 500 else "internal-error")


def _has_bad_host(request: HttpRequest) -> bool:
    try:
        request.get_host()
    except DisallowedHost:
        return True
    return False
