"""Checks of shapes as sent: first counts, then numbers, then closure of rings.

Only in this module is a shape still untrusted JSON. It calls no geometry library: counting a
hostile ring is cheap, asking whether it is valid is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from core.errors import Fault, Unprocessable
from geofence import limits

Shape = dict[str, Any]
Lonlat = tuple[float, float]
Ring = list[Lonlat]

MEMBERS = {
    "polygon": {"type", "coordinates"},
    "multipolygon": {"type", "coordinates"},
    "circle": {"type", "center", "radius_m"},
    "corridor": {"type", "coordinates", "width_m"},
}


def refuse(code: str, detail: str, pointer: str = "") -> NoReturn:
    """Raise `Unprocessable`; the pointer starts at the shape."""
    raise Unprocessable(
        detail, code=code, faults=(Fault(pointer=pointer, code=code, detail=detail),)
    )


@contextmanager
def pointing_into(pointer: str) -> Iterator[None]:
    """Let the faults of a shape point into the document that holds it at `pointer`."""
    try:
        yield
    except Unprocessable as error:
        faults = tuple(
            Fault(pointer=pointer + fault.pointer, code=fault.code, detail=fault.detail)
            for fault in error.faults
        )
        raise Unprocessable(error.detail, code=error.code, faults=faults) from error


def checked_kind(shape: Any) -> str:
    """Return the type of the shape. Raises `Unprocessable` for anything else."""
    if not isinstance(shape, dict):
        refuse("geometry-invalid", "A shape is a JSON object.")
    kind = shape.get("type")
    if not isinstance(kind, str) or kind not in MEMBERS:
        refuse("geometry-invalid", f"type must be one of {', '.join(MEMBERS)}.", "/type")
    for name in MEMBERS[kind] - shape.keys():
        refuse("geometry-invalid", f"A {kind} needs {name}.", f"/{name}")
    for name in shape.keys() - MEMBERS[kind]:
        refuse("geometry-invalid", f"A {kind} has no member {str(name)[:40]!r}.")
    return kind


def polygons_of(shape: Shape, limit: limits.SizeLimit = limits.DRAWN) -> list[list[Ring]]:
    """Return the rings, shell first, of each part of a polygon or multipolygon, as numbers."""
    if shape["type"] == "polygon":
        parts, pointers = [shape["coordinates"]], ["/coordinates"]
    else:
        parts = _filled_list(shape["coordinates"], "/coordinates", "a list of polygons")
        if len(parts) > limit.rings:
            _too_many_rings(len(parts), limit)
        pointers = [f"/coordinates/{index}" for index in range(len(parts))]
    _check_counts(parts, pointers, limit)
    return [
        [_ring(ring, f"{pointer}/{index}") for index, ring in enumerate(part)]
        for part, pointer in zip(parts, pointers, strict=True)
    ]


def line_of(shape: Shape, limit: limits.SizeLimit = limits.DRAWN) -> Ring:
    """Return the points of a corridor's line as numbers."""
    points = _filled_list(shape["coordinates"], "/coordinates", "a list of points")
    if len(points) > limit.line_points:
        _too_many_points(len(points), limit.line_points, "line", "/coordinates")
    line = [lonlat(point, f"/coordinates/{index}") for index, point in enumerate(points)]
    if len(set(line)) < 2:
        refuse("geometry-invalid", "A line needs two different points.", "/coordinates")
    return line


def lonlat(point: Any, pointer: str) -> Lonlat:
    """Return longitude and latitude of a point. Raises `Unprocessable` if it is no point."""
    if not isinstance(point, list | tuple) or len(point) != 2:
        refuse("geometry-invalid", "A point is two numbers: longitude, latitude.", pointer)
    cause = _likely_cause(point)
    return (
        number(point[0], -limits.LON_DEG, limits.LON_DEG, f"{pointer}/0", cause),
        number(point[1], -limits.LAT_DEG, limits.LAT_DEG, f"{pointer}/1", cause),
    )


def _likely_cause(point: Any) -> str:
    """Return a sentence for a point that is out of range, or ""."""
    if not all(type(value) in (int, float) for value in point):
        return ""
    lon, lat = abs(point[0]), abs(point[1])
    if lon > limits.LON_DEG or lat > limits.LON_DEG:
        return " Degrees are expected; if these are metres, a shapefile needs its .prj."
    if lat > limits.LAT_DEG >= lon:
        return " Longitude comes first: the two look swapped."
    return ""


def number(value: Any, lowest: float, highest: float, pointer: str, cause: str = "") -> float:
    """Return a finite number in its range. Text, true and false are not numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse("geometry-invalid", "Must be a number.", pointer)
    # Also false for NaN and infinities, and safe for integers of any length.
    if not lowest <= value <= highest:
        detail = f"Must be from {lowest:.10g} to {highest:.10g}.{cause}"
        refuse("out-of-range", detail, pointer)
    return float(value) + 0.0  # makes -0.0 plain zero


def _check_counts(parts: list[Any], pointers: list[str], limit: limits.SizeLimit) -> None:
    points_seen = 0
    for rings_seen, (ring, pointer) in enumerate(_rings(parts, pointers), start=1):
        if len(ring) > limit.ring_points:
            _too_many_points(len(ring), limit.ring_points, "ring", pointer)
        points_seen += len(ring)
        if rings_seen > limit.rings:
            _too_many_rings(sum(len(part) for part in parts if isinstance(part, list)), limit)
        if points_seen > limit.shape_points:
            _too_many_points(points_seen, limit.shape_points, "shape", "/coordinates")


def _rings(parts: list[Any], pointers: list[str]) -> Iterator[tuple[list[Any], str]]:
    for part, pointer in zip(parts, pointers, strict=True):
        for index, ring in enumerate(_filled_list(part, pointer, "a list of rings")):
            ring_pointer = f"{pointer}/{index}"
            yield _filled_list(ring, ring_pointer, "a list of points"), ring_pointer


def _ring(points: list[Any], pointer: str) -> Ring:
    ring = [lonlat(point, f"{pointer}/{index}") for index, point in enumerate(points)]
    if ring[0] != ring[-1]:
        refuse("geometry-invalid", "A ring ends where it starts.", pointer)
    if len(ring) < 4:
        refuse("geometry-invalid", "A ring has at least four points, the first twice.", pointer)
    return ring


def _filled_list(value: Any, pointer: str, description: str) -> list[Any]:
    if not isinstance(value, list | tuple) or not value:
        refuse("geometry-invalid", f"Must be {description}, not empty.", pointer)
    return list(value)


def _too_many_rings(rings: int, limit: limits.SizeLimit) -> NoReturn:
    refuse("too-many-points", f"{rings} rings; at most {limit.rings} are allowed.", "/coordinates")


def _too_many_points(points: int, limit: int, part: str, pointer: str) -> NoReturn:
    refuse(
        "too-many-points", f"The {part} has {points} points; at most {limit} are allowed.", pointer
    )
