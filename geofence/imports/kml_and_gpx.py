"""KML and GPX. Entities and document types are refused before they are processed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import XMLParser

from core.errors import TooLarge, Unprocessable
from geofence import limits
from geofence.imports.found_shapes import (
    AssumedSizes,
    FoundShape,
    circle,
    corridor,
    polygons,
    refused,
)
from geofence.shape_checks import Lonlat


def features(body: bytes, assumed: AssumedSizes) -> Iterator[FoundShape]:
    """Yield the shapes of a KML or GPX document."""
    root = parsed(body)
    match _tag(root):
        case "kml" | "Document" | "Folder" | "Placemark":
            for placemark in _all(root, "Placemark"):
                yield from _placemark(placemark, assumed)
        case "gpx":
            yield from _gpx(root, assumed)
        case _:
            raise Unprocessable("Neither KML nor GPX.", code="import-unreadable")


def parsed(body: bytes) -> Element:
    """Return the root element. Raises `Unprocessable` for entities, DTDs and broken XML."""
    # A tag of four bytes becomes an object of a hundred.
    if max(body.count(b"<"), body.count(b"=")) > limits.IMPORT_TAGS:
        raise TooLarge(f"More than {limits.IMPORT_TAGS} tags.", code="archive-too-large")
    parser = XMLParser(target=_ShallowTree(), forbid_dtd=True)
    try:
        parser.feed(body)
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise Unprocessable(
            "Document types and entities are refused.", code="import-unreadable"
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        # Without the parser's words: they may quote the file.
        raise Unprocessable("Not well-formed XML.", code="import-unreadable") from error
    return root


class _ShallowTree(TreeBuilder):
    """Refuses a document that is nested too deeply, before its tree is built."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def start(self, tag: str, attrs: dict[Any, Any], /) -> Element:
        self._depth += 1
        if self._depth > limits.IMPORT_DEPTH:
            detail = f"Nested more than {limits.IMPORT_DEPTH} deep."
            raise Unprocessable(detail, code="import-unreadable")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


# --- KML ---------------------------------------------------------------------


def _placemark(placemark: Element, assumed: AssumedSizes) -> Iterator[FoundShape]:
    name = _text(placemark, "name")
    drawn = _drawn_shape(placemark)
    if drawn is not None:
        yield FoundShape(name=name, shape=drawn)
        return
    try:
        yield from _geometries(placemark, name, assumed)
    except _UnreadableFeature as error:
        yield refused(name, error.code, error.detail)


def _geometries(placemark: Element, name: str, assumed: AssumedSizes) -> Iterator[FoundShape]:
    parts = [_rings(polygon) for polygon in _all(placemark, "Polygon")]
    count = len(parts)
    if parts:
        yield polygons(name, parts)
    for line in _all(placemark, "LineString"):
        count += 1
        yield corridor(name, _coordinates(line), assumed.corridor_width_m)
    for track in _all(placemark, "Track"):
        count += 1
        words = [(place.text or "").split() for place in _all(track, "coord")]
        yield corridor(name, _lonlats(words), assumed.corridor_width_m)
    for point in _all(placemark, "Point"):
        count += 1
        yield circle(name, _coordinates(point)[0], assumed.point_radius_m)
    if not count:
        raise _UnreadableFeature("geometry-invalid", "The placemark has no polygon, line or point.")


def _rings(polygon: Element) -> list[list[Lonlat]]:
    shells = list(_all(polygon, "outerBoundaryIs"))
    if len(shells) != 1:
        raise _UnreadableFeature("geometry-invalid", "A polygon has one outer boundary.")
    holes = list(_all(polygon, "innerBoundaryIs"))
    if len(holes) >= limits.SHAPE_RINGS:
        raise _UnreadableFeature("too-many-points", f"More than {limits.SHAPE_RINGS} rings.")
    rings = [ring for boundary in (*shells, *holes) for ring in _all(boundary, "LinearRing")]
    return [_coordinates(ring) for ring in rings]


def _coordinates(element: Element) -> list[Lonlat]:
    words = _text(element, "coordinates").split(maxsplit=limits.SIMPLIFIABLE_POINTS)
    return _lonlats([word.split(",", 3) for word in words])


def _lonlats(words: list[list[str]]) -> list[Lonlat]:
    if len(words) > limits.SIMPLIFIABLE_POINTS:
        raise _UnreadableFeature(
            "too-many-points", f"More than {limits.SIMPLIFIABLE_POINTS} points."
        )
    try:
        lonlats = [(_number(word[0]), _number(word[1])) for word in words]
    except (ValueError, IndexError) as error:
        raise _UnreadableFeature(
            "geometry-invalid", "Coordinates are lon,lat[,altitude] …"
        ) from error
    if not lonlats:
        raise _UnreadableFeature("geometry-invalid", "The coordinates are empty.")
    return lonlats


def _drawn_shape(placemark: Element) -> dict[str, Any] | None:
    """Return the shape that our own export stores beside the outline."""
    for data in _all(placemark, "Data"):
        if data.get("name") == "shape":
            try:
                shape = json.loads(_text(data, "value"))
            except (ValueError, RecursionError):
                return None
            return shape if isinstance(shape, dict) and "type" in shape else None
    return None


# --- GPX ---------------------------------------------------------------------


def _gpx(root: Element, assumed: AssumedSizes) -> Iterator[FoundShape]:
    for waypoint in _children(root, "wpt"):
        name = _text(waypoint, "name")
        try:
            yield circle(name, _places([waypoint])[0], assumed.point_radius_m)
        except _UnreadableFeature as error:
            yield refused(name, error.code, error.detail)
    for route in _children(root, "rte"):
        yield _way(_text(route, "name"), list(_children(route, "rtept")), assumed)
    for track in _children(root, "trk"):
        for segment in _children(track, "trkseg"):
            yield _way(_text(track, "name"), list(_children(segment, "trkpt")), assumed)


def _way(name: str, places: list[Element], assumed: AssumedSizes) -> FoundShape:
    try:
        return corridor(name, _places(places), assumed.corridor_width_m)
    except _UnreadableFeature as error:
        return refused(name, error.code, error.detail)


def _places(places: list[Element]) -> list[Lonlat]:
    return _lonlats([[place.get("lon", ""), place.get("lat", "")] for place in places])


# --- XML ---------------------------------------------------------------------


class _UnreadableFeature(Exception):
    """A feature that cannot be read; the other features may be fine."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def _number(text: str) -> float:
    # Python also reads 1_0 and digits of other scripts; no file format does.
    if not text.strip().isascii() or "_" in text:
        raise ValueError
    return float(text)


def _tag(element: Element) -> str:
    # Files of every version exist, so the namespace is ignored.
    return str(element.tag).rpartition("}")[2]


def _all(element: Element, tag: str) -> Iterator[Element]:
    return (inner for inner in element.iter() if _tag(inner) == tag)


def _children(element: Element, tag: str) -> Iterator[Element]:
    return (inner for inner in element if _tag(inner) == tag)


def _text(element: Element, tag: str) -> str:
    return next((inner.text or "" for inner in _children(element, tag)), "")
