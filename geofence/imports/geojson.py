"""GeoJSON (RFC 7946): a FeatureCollection, a Feature or a bare geometry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from geofence import limits
from geofence.imports.found import Assumed, Found, circle, corridor, polygons, refused
from geofence.shapes import shape_of_geojson
from tracker.errors import TooLarge, Unprocessable, UnreadableUplink
from tracker.rest.parsers import strict_json

NAME_KEYS = ("name", "Name", "NAME", "title", "label")


def features(body: bytes, assumed: Assumed) -> Iterator[Found]:
    """Yield the shapes in order. Raises `Unprocessable` when it is not GeoJSON."""
    try:
        document = strict_json(body)
    except UnreadableUplink as error:
        raise Unprocessable(error.detail, code="not-geojson") from error
    if not isinstance(document, dict) or "crs" in document:
        raise Unprocessable("Not GeoJSON (RFC 7946), or with `crs`.", code="not-geojson")
    members = (
        document.get("features") if document.get("type") == "FeatureCollection" else [document]
    )
    if not isinstance(members, list):
        raise Unprocessable("features must be a list.", code="not-geojson")
    if len(members) > limits.IMPORT_FEATURES:
        raise TooLarge(
            f"{len(members)} features; at most {limits.IMPORT_FEATURES} are imported at once.",
            code="too-many-features",
        )
    for member in members:
        yield from _feature(member, assumed)


def _feature(member: Any, assumed: Assumed) -> Iterator[Found]:
    if not isinstance(member, dict):
        yield refused("", "not-geojson", "A feature is a JSON object.")
        return
    is_feature = member.get("type") == "Feature"
    geometry = member.get("geometry") if is_feature else member
    properties = member.get("properties") if is_feature else None
    yield from of_geometry(geometry, properties if isinstance(properties, dict) else {}, assumed)


def of_geometry(geometry: Any, properties: dict[str, Any], assumed: Assumed) -> Iterator[Found]:
    """Yield the shapes of one geometry: several for a MultiLineString or MultiPoint."""
    name = next((properties[key] for key in NAME_KEYS if properties.get(key)), "")
    drawn = properties.get("shape")
    if isinstance(drawn, dict) and "type" in drawn:
        # Our own export: the circle or corridor as drawn, rather than its outline.
        yield Found(name=name, shape=drawn)
        return
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    coordinates = geometry.get("coordinates") if isinstance(geometry, dict) else None
    width_m = properties.get("width_m", assumed.corridor_width_m)
    radius_m = properties.get("radius_m", assumed.point_radius_m)
    match kind, coordinates:
        case "LineString", list():
            yield corridor(name, flat_line(coordinates), width_m)
        case "MultiLineString", list():
            for line in coordinates:
                yield corridor(name, flat_line(line), width_m)
        case "Point", list():
            yield circle(name, coordinates[:2], radius_m)
        case "MultiPoint", list():
            for point in coordinates:
                yield circle(name, point[:2] if isinstance(point, list) else point, radius_m)
        case _:
            yield _polygon(name, geometry)


def _polygon(name: str, geometry: Any) -> Found:
    try:
        shape = shape_of_geojson(geometry)
    except Unprocessable as error:
        return refused(name, error.code, error.detail, "/geometry")
    is_single = shape["type"] == "polygon"
    parts = [shape["coordinates"]] if is_single else shape["coordinates"]
    # A MultiPolygon of one part is the polygon that was meant.
    return polygons(name, parts) if isinstance(parts, list) else Found(name=name, shape=shape)


def flat_line(line: Any) -> Any:
    """Return the line without altitudes; anything odd stays for the checks of shapes."""
    if not isinstance(line, list) or len(line) > limits.SIMPLIFIABLE_POINTS:
        return line
    return [point[:2] if isinstance(point, list) and len(point) == 3 else point for point in line]
