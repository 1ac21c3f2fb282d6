"""JSON or GeoJSON in answers, and parsers of shapes in requests."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.errors import Unprocessable, UnreadableUplink
from core.rest.geojson import GeoJSONRenderer, feature, feature_collection
from core.rest.parsers import StrictGeoJSONParser, StrictJSONParser

Row = dict[str, Any]
RENDERERS = (JSONRenderer, GeoJSONRenderer)


def wants_geojson(request: Request) -> bool:
    return getattr(request.accepted_renderer, "format", "") == GeoJSONRenderer.format


def page_answer(
    view: GenericViewSet[Any],
    rows_of: Callable[[Sequence[Any]], list[Row]],
    feature_of: Callable[[Row], Row] | None = None,
    queryset: Any = None,
) -> Response:
    """Answer a page of a queryset; with `feature_of` as GeoJSON, if the client prefers it."""
    found = view.filter_queryset(view.get_queryset()) if queryset is None else queryset
    page = view.paginate_queryset(found)
    assert page is not None, "every list here is paged"
    assert view.paginator is not None, "every list here is paged"
    answer = view.paginator.get_paginated_response(rows_of(page))
    if feature_of is None or not wants_geojson(view.request):
        return answer
    links = {name: answer.data[name] for name in ("next", "previous")}
    return Response({**feature_collection(map(feature_of, answer.data["results"])), **links})


def row_answer(view: GenericViewSet[Any], row: Row, status: int) -> Response:
    """Answer a row that has a `geometry`, as GeoJSON if the client prefers it."""
    return Response(row_feature(row) if wants_geojson(view.request) else row, status=status)


def row_feature(row: Row) -> Row:
    """Return the GeoJSON Feature of a row that has an id and a `geometry`."""
    properties = {name: row[name] for name in row if name not in ("id", "geometry")}
    return feature(feature_id=row["id"], geometry=row["geometry"], properties=properties)


class ShapeJSONParser(StrictJSONParser):
    """Invalid JSON is a 400, as everywhere; JSON that cannot be a shape is a 422."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = io.BytesIO(stream.read(settings.BODY_LIMIT_BYTES + 1))
        try:
            return super().parse(body, media_type, parser_context)
        except UnreadableUplink as error:
            if error.code == "json-too-deep":
                raise Unprocessable("No shape is nested so deep.", code="not-geojson") from error
            if _has_infinity(body.getvalue()):
                raise Unprocessable("A number is out of range.", code="out-of-range") from error
            raise


def _has_infinity(body: bytes) -> bool:
    """Return whether the body is JSON with a number such as 1e999, which becomes infinite."""
    found: list[str] = []

    def note(digits: str) -> float:
        found.extend([digits] if math.isinf(float(digits)) else [])
        return 0.0

    try:
        json.loads(body, parse_float=note, parse_int=float, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return bool(found)


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


class ShapeGeoJSONParser(ShapeJSONParser):
    media_type = StrictGeoJSONParser.media_type


PARSERS = (ShapeJSONParser, ShapeGeoJSONParser)
