"""Small conventions of answers: where a new object is, and which formats a list can have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer


class LocationMiddleware:
    """Names the address of a new object in the `Location` of a 201, if it has an address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if response.status_code == 201 and "Location" not in response.headers:
            data = getattr(response, "data", None)
            key = data.get("id") if isinstance(data, dict) else None
            path = f"{request.path}{key}/"
            if key is not None and _has_view(path):
                response.headers["Location"] = path
        return response


def _has_view(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


class KnownFormats(DefaultContentNegotiation):
    """Refuses a `format` that the address does not have with a 406 that names the others."""

    def filter_renderers(self, renderers: Iterable[BaseRenderer], format: str) -> Any:  # noqa: A002
        renderers = list(renderers)
        found = [renderer for renderer in renderers if renderer.format == format]
        if not found:
            known = ", ".join(sorted({str(renderer.format) for renderer in renderers}))
            raise NotAcceptable(f"There is no such format here; known are {known}.")
        return found
