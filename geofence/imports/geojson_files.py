"""GeoJSON (RFC 7946): a FeatureCollection, a Feature or a bare geometry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec

from core.errors import TooLarge, Unprocessable, UnreadableUplink
from core.rest.parsers import strict_json
from geofence import limits
from geofence.imports.found_shapes import (
    LABEL,
    RADIUS_KEYS,
    WIDTH_KEYS,
    AssumedSizes,
    FoundShape,
    blank,
    circle,
    corridor,
    polygons,
    refused,
    size_in,
)
from geofence.imports.own_exports import own_members
from geofence.shapes import shape_of_geojson

NAME_KEYS = ("name", "Name", "NAME", "title", "label")
GEOMETRIES = (
    "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon",
    "GeometryCollection",
)  # fmt: skip
# The names of longitude and latitude on WGS 84 in `crs`, which GDAL and QGIS still write.
LONGITUDE_LATITUDE = re.compile(
    r"(urn:(x-)?ogc:def:crs:)?(OGC:[\d.]*:?CRS84h?|EPSG:[\d.]*:?(4326|4979))"
    r"|https?://www\.opengis\.net/def/crs/(OGC/[\d.]+/CRS84h?|EPSG/[\d.]+/(4326|4979))"
    r"|CRS84|WGS ?84",
    re.IGNORECASE,
)


def features(body: bytes, assumed: AssumedSizes) -> Iterator[FoundShape]:
    """Yield the shapes in order, each with the number of its feature.

    Raises `Unprocessable` if it is not GeoJSON.
    """
    members = members_of(body)
    if len(members) > limits.IMPORT_FEATURES:
        raise TooLarge(
            f"{len(members)} features; at most {limits.IMPORT_FEATURES} are imported at once.",
            code="too-many-features",
        )
    for place, member in enumerate(members):
        for found in _feature(member, assumed):
            yield msgspec.structs.replace(found, place=place)


def members_of(body: bytes) -> list[Any]:
    """Return the features of a collection, or a list of the single feature or geometry.

    Raises `Unprocessable` if it is not GeoJSON in longitude and latitude.
    """
    try:
        document = strict_json(body)
    except UnreadableUplink as error:
        raise Unprocessable(error.detail, code="not-geojson") from error
    if not isinstance(document, dict):
        _refuse("Not a GeoJSON object (RFC 7946).")
    if "crs" in document:
        _require_longitude_latitude(document.pop("crs"))
    if document.get("type") != "FeatureCollection":
        return [document]
    members = document.get("features")
    if not isinstance(members, list):
        _refuse("features must be a list.")
    return list(members)


def _require_longitude_latitude(crs: Any) -> None:
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or not LONGITUDE_LATITUDE.fullmatch(name):
        _refuse("Not GeoJSON (RFC 7946): its `crs` is not longitude and latitude on WGS 84.")


def _refuse(detail: str) -> NoReturn:
    raise Unprocessable(detail, code="not-geojson")


def _feature(member: Any, assumed: AssumedSizes) -> Iterator[FoundShape]:
    if not isinstance(member, dict):
        yield refused("", "not-geojson", "A feature is a JSON object.")
        return
    is_feature = member.get("type") == "Feature"
    geometry = member.get("geometry") if is_feature else member
    properties = member.get("properties") if is_feature else None
    yield from of_geometry(geometry, properties if isinstance(properties, dict) else {}, assumed)


def of_geometry(
    geometry: Any, properties: dict[str, Any], assumed: AssumedSizes
) -> Iterator[FoundShape]:
    """Yield the shapes of a geometry: a multi-geometry or a collection may give several."""
    name = next((properties[key] for key in NAME_KEYS if properties.get(key)), "")
    own = own_members(properties)
    for found in _shapes_of(geometry, name, properties, assumed):
        yield msgspec.structs.replace(found, own=own)


def _is_blank(geometry: Any) -> bool:
    """Return whether there is nothing to draw: null, or no coordinates in it at any depth."""
    if geometry is None:
        return True
    if not isinstance(geometry, dict) or geometry.get("type") not in GEOMETRIES:
        return False
    inner = "geometries" if geometry["type"] == "GeometryCollection" else "coordinates"
    members = geometry.get(inner)
    if inner == "geometries" and isinstance(members, list):
        return all(_is_blank(member) for member in members)
    return isinstance(members, list) and not _holds_values(members)


def _holds_values(nested: list[Any]) -> bool:
    """Return whether there is any value in lists of lists."""
    return any(not isinstance(inner, list) or _holds_values(inner) for inner in nested)


def _shapes_of(
    geometry: Any, name: Any, properties: dict[str, Any], assumed: AssumedSizes
) -> Iterator[FoundShape]:
    if _is_blank(geometry):
        what = "geometry is null" if geometry is None else f"{geometry['type']} is empty"
        yield blank(name, f"The {what}.", "/geometry")
        return
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    coordinates = geometry.get("coordinates") if isinstance(geometry, dict) else None
    match kind, coordinates:
        case "GeometryCollection" | "MultiLineString" | "MultiPoint", _:
            yield from _several(name, geometry, properties, assumed)
        case "LineString", list():
            width_m = size_in(properties, WIDTH_KEYS, assumed.corridor_width_m)
            yield corridor(name, flat_line(coordinates), width_m)
        case "Point", list():
            radius_m = size_in(properties, RADIUS_KEYS, assumed.point_radius_m)
            yield circle(name, coordinates[:2], radius_m)
        case _:
            yield _polygon(name, geometry)


def _several(
    name: Any, geometry: dict[str, Any], properties: dict[str, Any], assumed: AssumedSizes
) -> Iterator[FoundShape]:
    kind = geometry["type"]
    inner = geometry.get("geometries" if kind == "GeometryCollection" else "coordinates")
    if not isinstance(inner, list) or not inner:
        yield refused(name, "geometry-invalid", f"The {kind} is empty.", "/geometry")
        return
    # A point beside polygons and lines carries their label, unless points have a size.
    has_label = kind == "GeometryCollection" and _has_others(inner)
    radius_m = size_in(properties, RADIUS_KEYS, assumed.point_radius_m)
    # Recursion ends, since the JSON parser limits the depth of nested collections.
    for member in inner:
        part = member
        if has_label and radius_m is None and _is_point(member):
            yield blank(name, LABEL, "/geometry")
            continue
        if kind != "GeometryCollection":
            part = {"type": kind.removeprefix("Multi"), "coordinates": member}
        yield from _shapes_of(part, name, properties, assumed)


def _is_point(geometry: Any) -> bool:
    return isinstance(geometry, dict) and geometry.get("type") in ("Point", "MultiPoint")


def _has_others(geometries: list[Any]) -> bool:
    return any(isinstance(member, dict) and not _is_point(member) for member in geometries)


def _polygon(name: Any, geometry: Any) -> FoundShape:
    try:
        shape = shape_of_geojson(geometry)
    except Unprocessable as error:
        return refused(name, error.code, error.detail, "/geometry")
    is_single = shape["type"] == "polygon"
    parts = [shape["coordinates"]] if is_single else shape["coordinates"]
    # A MultiPolygon with a single part becomes a polygon.
    return polygons(name, parts) if isinstance(parts, list) else FoundShape(name=name, shape=shape)


def flat_line(line: Any) -> Any:
    """Return the line without altitudes; malformed values stay for the checks of shapes."""
    if not isinstance(line, list) or len(line) > limits.SIMPLIFIABLE_POINTS:
        return line
    return [point[:2] if isinstance(point, list) and len(point) == 3 else point for point in line]
