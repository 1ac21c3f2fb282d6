"""Refusal of unknown query parameters.

A misspelt filter that is silently ignored would answer with all rows (fault F-065). The known
parameters are read from the OpenAPI document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.admindocs.views import simplify_regex
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.defaults import bad_request

from core.errors import Fault, Refused
from core.rest.problem import escaped, problem_of, request_id_of, response_of

ADMIN = "/admin/"
# A view that can answer in one form only takes the name of that form, too.
ALWAYS = frozenset({"format"})
_VARIABLE = re.compile(r"<[^>]*>|{[^}]*}")


@cache
def known_parameters() -> Mapping[tuple[str, str], frozenset[str]]:
    """Return the names of query parameters by shape of the path and method.

    Generates the OpenAPI document, which takes about a second, once.
    """
    from drf_spectacular.generators import SchemaGenerator

    generator: Any = SchemaGenerator
    document = generator().get_schema(request=None, public=True)
    return {
        (_shape(path), method.upper()): ALWAYS.union(
            each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"
        )
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def _shape(path: str) -> str:
    """Return the path with `{}` for each variable, whatever its name."""
    return _VARIABLE.sub("{}", path)


class ParametersMiddleware:
    """Refuses a request with an unknown query parameter with 400."""

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
        unknown = [] if known is None else [name for name in request.GET if name not in known]
        if not unknown:
            return None
        faults = tuple(
            Fault(pointer=f"/query/{escaped(name)}", code="invalid", detail=_advice(known or ()))
            for name in unknown[:20]
        )
        error = Refused("There is no such parameter.", code="invalid-parameter", faults=faults)
        return response_of(problem_of(error, request_id_of(request)))


def _advice(known: Iterable[str]) -> str:
    return f"Known here: {', '.join(sorted(known))}."


def _is_unknown_lookup(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Return whether the admin did not know a lookup and redirects to the whole list."""
    return response.status_code == 302 and response.headers["Location"] == (
        f"{request.path}?{ERROR_FLAG}=1"
    )
