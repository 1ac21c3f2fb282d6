"""KML and GPX. Entities and document types are refused before they are processed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import XMLParser

from core.errors import TooLarge, Unprocessable
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
from geofence.shape_checks import Lonlat

KML_COLOUR = re.compile(r"[0-9a-fA-F]{2}([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
# Opens a linked document of the same archive; None if it is elsewhere.
Follow = Callable[[str], Iterator[FoundShape] | None]


def features(
    body: bytes, assumed: AssumedSizes, follow: Follow = lambda address: None
) -> Iterator[FoundShape]:
    """Yield the shapes of a KML or GPX document, and of linked documents that `follow` opens."""
    root = parsed(body)
    match _tag(root):
        case "kml" | "Document" | "Folder" | "Placemark":
            yield from _kml(root, assumed, follow)
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
    except ParseError as error:
        # Without the parser's words: they may quote the file.
        line, column = error.position
        raise Unprocessable(
            f"Not well-formed XML at line {line}, column {column + 1}.", code="import-unreadable"
        ) from error
    except (ValueError, LookupError) as error:
        detail = "Not well-formed XML: its encoding is not known."
        raise Unprocessable(detail, code="import-unreadable") from error
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


def _kml(root: Element, assumed: AssumedSizes, follow: Follow) -> Iterator[FoundShape]:
    colours = _shared_colours(root)
    for element in root.iter():
        match _tag(element):
            case "Placemark":
                yield from _placemark(element, colours, assumed)
            case "NetworkLink":
                yield from _linked(element, follow)
            case "GroundOverlay" | "ScreenOverlay" | "PhotoOverlay":
                yield blank(_text(element, "name"), "An image has no outline.")


def _linked(network_link: Element, follow: Follow) -> Iterator[FoundShape]:
    address = next((link.text or "" for link in _all(network_link, "href")), "").strip()
    found = follow(address)
    if found is None:
        detail = "It links to data that is not in the file, and no address is opened."
        yield blank(_text(network_link, "name"), detail)
        return
    yield from found


def _placemark(
    placemark: Element, colours: dict[str, str], assumed: AssumedSizes
) -> Iterator[FoundShape]:
    name, properties = _text(placemark, "name"), _extended_data(placemark)
    own = own_members(properties)
    # The style is what people change in other programs.
    colour = _colour(placemark) or colours.get(_text(placemark, "styleUrl").strip())
    if colour:
        own["colour"] = colour
    for found in _geometries(placemark, name, properties, assumed):
        yield msgspec.structs.replace(found, own=own)


def _extended_data(placemark: Element) -> dict[str, str]:
    """Return the values that programs keep beside a geometry, each under its name."""
    values = {str(data.get("name")): _text(data, "value") for data in _all(placemark, "Data")}
    # GDAL and QGIS declare a schema.
    simple = {str(data.get("name")): data.text or "" for data in _all(placemark, "SimpleData")}
    return {**values, **simple}


def _shared_colours(root: Element) -> dict[str, str]:
    """Return the colours of the styles of a document by their address, such as `#yard`."""
    colours = {
        f"#{style.get('id')}": colour
        for style in _all(root, "Style")
        if style.get("id") and (colour := _colour(style))
    }
    for style_map in _all(root, "StyleMap"):
        # The first pair is the normal one.
        address = next((url.text or "" for url in _all(style_map, "styleUrl")), "").strip()
        if address in colours:
            colours.setdefault(f"#{style_map.get('id')}", colours[address])
    return colours


def _colour(styled: Element) -> str | None:
    """Return the colour of the lines as #rrggbb; KML has opacity, blue, green, red."""
    for line_style in _all(styled, "LineStyle"):
        if found := KML_COLOUR.fullmatch(_text(line_style, "color").strip()):
            blue, green, red = found.groups()
            return f"#{red}{green}{blue}".lower()
    return None


def _geometries(
    placemark: Element, name: str, properties: dict[str, str], assumed: AssumedSizes
) -> Iterator[FoundShape]:
    """Yield the polygons of a placemark as one shape, and each other geometry as its own."""
    solid = list(_all(placemark, "Polygon"))
    boundaries = {id(ring) for polygon in solid for ring in _all(polygon, "LinearRing")}
    rings = [ring for ring in _all(placemark, "LinearRing") if id(ring) not in boundaries]
    lines, tracks = list(_all(placemark, "LineString")), list(_all(placemark, "Track"))
    points = list(_all(placemark, "Point"))
    width_m = size_in(properties, WIDTH_KEYS, assumed.corridor_width_m)
    radius_m = size_in(properties, RADIUS_KEYS, assumed.point_radius_m)
    if solid:
        yield _read(name, lambda: polygons(name, [_rings(polygon) for polygon in solid]))
    for ring in rings:
        yield _read(name, partial(_outline, name, ring))
    for line in lines:
        yield _read(name, partial(_line, name, line, width_m))
    for track in tracks:
        yield _read(name, partial(_track, name, track, width_m))
    has_label = bool(points) and radius_m is None and bool(solid or rings or lines or tracks)
    if has_label:
        yield blank(name, LABEL)
    for point in () if has_label else points:
        yield _read(name, partial(_point, name, point, radius_m))
    if not (solid or rings or lines or tracks or points):
        yield blank(name, "The placemark has no polygon, line or point.")


def _read(name: str, read: Callable[[], FoundShape]) -> FoundShape:
    """Return the shape that `read` returns, or why there is none; the others may be fine."""
    try:
        return read()
    except _EmptyFeature as error:
        return blank(name, error.detail)
    except _UnreadableFeature as error:
        return refused(name, error.code, error.detail)


def _outline(name: str, ring: Element) -> FoundShape:
    return polygons(name, [[_coordinates(ring)]])


def _line(name: str, line: Element, width_m: Any) -> FoundShape:
    return corridor(name, _coordinates(line), width_m)


def _track(name: str, track: Element, width_m: Any) -> FoundShape:
    words = [(place.text or "").split() for place in _all(track, "coord")]
    return corridor(name, _lonlats(words), width_m)


def _point(name: str, point: Element, radius_m: Any) -> FoundShape:
    return circle(name, _coordinates(point)[0], radius_m)


def _rings(polygon: Element) -> list[list[Lonlat]]:
    shells = list(_all(polygon, "outerBoundaryIs"))
    if len(shells) != 1:
        raise _UnreadableFeature("geometry-invalid", "A polygon has one outer boundary.")
    holes = list(_all(polygon, "innerBoundaryIs"))
    if len(holes) >= limits.SIMPLIFIABLE_RINGS:
        most = limits.SIMPLIFIABLE_RINGS
        raise _UnreadableFeature("too-many-points", f"More than {most} rings.")
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
        raise _EmptyFeature("geometry-invalid", "The coordinates are empty.")
    return lonlats


# --- GPX ---------------------------------------------------------------------


def _gpx(root: Element, assumed: AssumedSizes) -> Iterator[FoundShape]:
    for waypoint in _children(root, "wpt"):
        name = _text(waypoint, "name")
        # Garmin: the distance at which the receiver warns of the waypoint.
        stated = {_tag(inner): inner.text or "" for inner in waypoint.iter()}
        radius_m = size_in(stated, RADIUS_KEYS, assumed.point_radius_m)
        yield _read(name, partial(_waypoint, name, waypoint, radius_m))
    for route in _children(root, "rte"):
        yield _way(_text(route, "name"), list(_children(route, "rtept")), assumed)
    for track in _children(root, "trk"):
        name, segments = _text(track, "name"), list(_children(track, "trkseg"))
        for segment in segments:
            yield _way(name, list(_children(segment, "trkpt")), assumed)
        if not segments:
            yield blank(name, "The track has no segment.")


def _waypoint(name: str, waypoint: Element, radius_m: Any) -> FoundShape:
    return circle(name, _places([waypoint])[0], radius_m)


def _way(name: str, places: list[Element], assumed: AssumedSizes) -> FoundShape:
    if not places:
        return blank(name, "The segment or route has no points.")
    return _read(name, lambda: corridor(name, _places(places), assumed.corridor_width_m))


def _places(places: list[Element]) -> list[Lonlat]:
    return _lonlats([[place.get("lon", ""), place.get("lat", "")] for place in places])


# --- XML ---------------------------------------------------------------------


class _UnreadableFeature(Exception):
    """A feature that cannot be read; the other features may be fine."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class _EmptyFeature(_UnreadableFeature):
    """A feature with nothing to draw."""


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
