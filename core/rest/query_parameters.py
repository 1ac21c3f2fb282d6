"""Refusal of query parameters that would be ignored: unknown ones, and the first of two.

A misspelt filter that is silently ignored would answer with all rows (fault F-065). The known
parameters are read from the OpenAPI document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any

from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.admindocs.views import simplify_regex
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.views.defaults import bad_request

from core.errors import Fault, Refused
from core.rest.problem import escaped, problem_of, request_id_of, response_of

ADMIN = "/admin/"
# A view that can answer in one form only takes the name of that form, too.
ALWAYS = {"format": False}
_VARIABLE = re.compile(r"<[^>]*>|{[^}]*}")


@cache
def known_parameters() -> Mapping[tuple[str, str], Mapping[str, bool]]:
    """Return query parameters by shape of the path and method: whether each takes several values.

    Generates the OpenAPI document, which takes about a second, once.
    """
    from drf_spectacular.generators import SchemaGenerator

    generator: Any = SchemaGenerator
    document = generator().get_schema(request=None, public=True)
    return {
        (_shape(path), method.upper()): ALWAYS
        | {
            each["name"]: each["schema"].get("type") == "array"
            for each in operation.get("parameters", ())
            if each["in"] == "query"
        }
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def _shape(path: str) -> str:
    """Return the path with `{}` for each variable, whatever its name."""
    return _VARIABLE.sub("{}", path)


class ParametersMiddleware:
    """Refuses a request with a query parameter that would be ignored with 400."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if request.path.startswith(ADMIN) and _is_unknown_lookup(request, response):
            return bad_request(request, BadRequest("a lookup that this list does not know"))
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if not request.GET or match is None:
            return None
        method = "GET" if request.method == "HEAD" else str(request.method)
        known = known_parameters().get((_shape(simplify_regex(match.route)), method))
        faults = [] if known is None else list(islice(_ignored(request.GET, known), 20))
        if not faults:
            return None
        error = Refused(code="invalid-parameter", faults=tuple(faults))
        return response_of(problem_of(error, request_id_of(request)))


def _ignored(given: QueryDict, known: Mapping[str, bool]) -> Iterator[Fault]:
    """Yield a fault for each parameter that a view would ignore, wholly or in part."""
    for name, values in given.lists():
        if name not in known:
            yield _fault(name, f"Known here: {', '.join(sorted(known))}.")
        elif len(values) > 1 and not known[name]:
            yield _fault(name, "It is given more than once.")
        elif name == "format" and values == [""]:
            yield _fault(name, "The name of a representation is expected.")


def _fault(name: str, detail: str) -> Fault:
    return Fault(pointer=f"/query/{escaped(name)}", code="invalid", detail=detail)


def _is_unknown_lookup(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Return whether the admin did not know a lookup and redirects to the whole list."""
    return response.status_code == 302 and response.headers["Location"] == (
        f"{request.path}?{ERROR_FLAG}=1"
    )
