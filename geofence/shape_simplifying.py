"""Simplifying a shape that has too many points.

Nothing is simplified silently: a refusal names the tolerance that would fit; the user may ask
for the simpler shape, look at it and send it.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import shapely
from msgspec import Struct
from numpy.typing import NDArray

from core.errors import Unprocessable
from geofence import earth, limits
from geofence.shape_checks import Ring, Shape, checked_kind, lonlat, refuse
from geofence.shapes import area_of

TOLERANCES_M = [0.0, *(0.25 * 2.0**doubling for doubling in range(18))]
TRIES = 4


class Simplified(Struct, frozen=True, kw_only=True):
    """A shape within the limits; no drawn point is further from its line than `tolerance_m`.

    Rings that are smaller than the tolerance are gone. Where there are too many parts still, those
    less than `joined_m` apart are joined.
    """

    shape: Shape
    tolerance_m: float
    points: int
    joined_m: float = 0.0


def simplified_shape(shape: Any, max_points: int = limits.SHAPE_POINTS) -> Simplified:
    """Return the shape with at most `max_points`, and no ring or line beyond its own limit.

    Raises `Unprocessable` if no tolerance makes it fit and valid.
    """
    kind = checked_kind(shape)
    if kind == "circle":
        area_of(shape)
        return Simplified(shape=shape, tolerance_m=0.0, points=1)
    lines = _Lines(kind, shape["coordinates"])
    found = _slimmed(shape, lines, max_points)
    if found is None and kind == "multipolygon" and len(lines.tree) > limits.SHAPE_RINGS:
        found = _joined(shape, lines, max_points)
    if found is not None:
        return found
    # A shape that is invalid for another reason is refused for it; fewer points would not help.
    area_of(shape)
    detail = "The shape cannot be simplified; draw it with fewer points."
    raise Unprocessable(detail, code="too-many-points")


def _slimmed(shape: Shape, lines: _Lines, max_points: int) -> Simplified | None:
    for tolerance_m in _tolerances_to_try(lines, max_points):
        candidate = lines.simplified(tolerance_m)
        if candidate and _is_valid(shape, candidate):
            return Simplified(
                shape=shape | {"coordinates": candidate.coordinates},
                tolerance_m=round(tolerance_m + lines.thinned_m, 2),
                points=candidate.points,
            )
    return None


def _joined(shape: Shape, lines: _Lines, max_points: int) -> Simplified | None:
    """Return the shape with near parts joined: many islands of one size are none that is less."""
    tries = (_joined_within(shape, lines, step_m, max_points) for step_m in TOLERANCES_M[1:])
    return next((found for found in tries if found is not None), None)


def _joined_within(
    shape: Shape, lines: _Lines, distance_m: float, max_points: int
) -> Simplified | None:
    coordinates = lines.joined(distance_m)
    if not 0 < len(coordinates) <= limits.SHAPE_RINGS:
        return None
    joined = shape | {"coordinates": coordinates}
    found = _slimmed(joined, _Lines("multipolygon", coordinates), max_points)
    return found and msgspec.structs.replace(
        found, tolerance_m=round(found.tolerance_m + lines.thinned_m, 2), joined_m=distance_m
    )


def _tolerances_to_try(lines: _Lines, max_points: int) -> list[float]:
    """Return the finest tolerance that fits, by bisection, and a few coarser tolerances.

    A fine line may touch itself at a place where a coarser line does not.
    """

    def fits(tolerance_m: float) -> bool:
        candidate = lines.simplified(tolerance_m)
        return candidate is None or candidate.fits(max_points)

    finest = bisect.bisect_left(TOLERANCES_M, True, key=fits)
    return TOLERANCES_M[finest : finest + TRIES]


def simplification_offer(shape: Any) -> str:
    """Return a sentence that offers the simplified shape, or "" if it cannot be simplified."""
    try:
        offered = simplified_shape(shape)
    except Unprocessable:
        return ""
    return (
        f" Simplified with a tolerance of {offered.tolerance_m:g} m it would have "
        f"{offered.points} points: ask geofences/simplify/ for it."
    )


def _is_valid(shape: Shape, candidate: _Candidate) -> bool:
    try:
        area_of(shape | {"coordinates": candidate.coordinates})
    except Unprocessable:
        return False
    return True


class _Candidate(Struct, frozen=True):
    coordinates: list[Any]
    points: int
    longest: int
    lines: int

    def fits(self, max_points: int) -> bool:
        return (
            self.points <= max_points
            and self.longest <= limits.RING_POINTS
            and self.lines <= limits.SHAPE_RINGS
        )


class _Lines:
    """The rings or the line of a shape, in lists as deeply nested as its kind needs."""

    def __init__(self, kind: str, coordinates: Any) -> None:
        self.depth = {"corridor": 0, "polygon": 1, "multipolygon": 2}[kind]
        self.tree = self._read(coordinates, self.depth, "/coordinates", _SizeBudget())
        # No point that is left out lies further from the line of the others.
        self.thinned_m = 0.0
        if sum(_sizes(self.tree, self.depth)) > limits.THINNED_POINTS:
            self._thin()

    def simplified(self, tolerance_m: float) -> _Candidate | None:
        coordinates = self._slim(self.tree, self.depth, tolerance_m)
        if coordinates is None:
            return None
        sizes = list(_sizes(coordinates, self.depth))
        return _Candidate(coordinates, sum(sizes), max(sizes), len(sizes))

    def _read(self, node: Any, depth: int, pointer: str, budget: _SizeBudget) -> Any:
        if not isinstance(node, list | tuple) or not node:
            refuse("geometry-invalid", "Must be a list, not empty.", pointer)
        if depth == 0:
            budget.spend(len(node), pointer)
            return [lonlat(point, f"{pointer}/{index}") for index, point in enumerate(node)]
        return [
            self._read(inner, depth - 1, f"{pointer}/{index}", budget)
            for index, inner in enumerate(node)
        ]

    def joined(self, distance_m: float) -> list[Any]:
        """Return the parts, those joined that are nearer than `distance_m` to each other.

        Empty if the distance is no longer small beside the whole shape.
        """
        parts = [[np.asarray(ring, dtype=np.float64) for ring in part] for part in self.tree]
        scale = _scale(parts[0][0])
        flat = [
            shapely.Polygon(part[0] * scale, [hole * scale for hole in part[1:]]) for part in parts
        ]
        west, south, east, north = shapely.total_bounds(flat)
        if distance_m > max(east - west, north - south) / 8.0:
            return []
        wide = shapely.union_all(shapely.buffer(flat, distance_m / 2.0, join_style="mitre"))
        closed = earth.polygons_in(shapely.buffer(wide, -distance_m / 2.0, join_style="mitre"))
        rings = [[part.exterior, *part.interiors] for part in closed]
        return [
            [np.round(shapely.get_coordinates(ring) / scale, 9).tolist() for ring in part]
            for part in rings
        ]

    def _thin(self) -> None:
        """Keep a point of each run of neighbours, in cells that grow until few enough are left."""
        fine, cell_m = self.tree, TOLERANCES_M[1] / 2.0
        while sum(_sizes(self.tree, self.depth)) > limits.THINNED_POINTS:
            cell_m *= 2.0
            self.tree = self._thinned(fine, self.depth, cell_m)
        self.thinned_m = cell_m * math.sqrt(2.0)

    def _thinned(self, node: Any, depth: int, cell_m: float) -> Any:
        if depth == 0:
            return _thinned_line(node, cell_m)
        return [self._thinned(inner, depth - 1, cell_m) for inner in node]

    def _slim(self, node: Any, depth: int, tolerance_m: float) -> Any:
        if depth == 0:
            return _slim_line(node, tolerance_m, is_ring=self.depth > 0)
        slim = [self._slim(inner, depth - 1, tolerance_m) for inner in node]
        # A hole smaller than the tolerance is dropped; a shell may not be.
        if depth == 1 and slim[0] is None:
            return None
        return [inner for inner in slim if inner is not None] or None


class _SizeBudget:
    """The rings and points that one shape may have."""

    def __init__(self) -> None:
        self.rings, self.points = limits.SIMPLIFIABLE_RINGS, limits.SIMPLIFIABLE_POINTS

    def spend(self, points: int, pointer: str) -> None:
        self.rings -= 1
        self.points -= points
        if self.rings < 0:
            most = limits.SIMPLIFIABLE_RINGS
            refuse("too-many-points", f"More than {most} rings cannot be simplified.", pointer)
        if self.points < 0:
            most = limits.SIMPLIFIABLE_POINTS
            refuse("too-many-points", f"More than {most} points cannot be simplified.", pointer)


def _sizes(node: list[Any], depth: int) -> Iterator[int]:
    if depth == 0:
        yield len(node)
        return
    for inner in node:
        yield from _sizes(inner, depth - 1)


def _thinned_line(line: Ring, cell_m: float) -> Ring:
    """Return the first point of each run of points in a cell of the plane, and the last point."""
    flat = earth.unrolled(np.asarray(line, dtype=np.float64))
    cells = np.floor(flat * _scale(flat) / cell_m)
    is_kept = np.concatenate([[True], (cells[1:] != cells[:-1]).any(axis=1)])
    is_kept[-1] = True
    return [point for point, kept in zip(line, is_kept.tolist(), strict=True) if kept]


def _slim_line(line: Ring, tolerance_m: float, *, is_ring: bool) -> list[list[float]] | None:
    flat = earth.unrolled(np.asarray(line, dtype=np.float64))
    scale = _scale(flat)
    slim = shapely.simplify(shapely.LineString(flat * scale), tolerance_m, preserve_topology=False)
    slim_deg: list[list[float]] = np.round(shapely.get_coordinates(slim) / scale, 9).tolist()
    return slim_deg if len(slim_deg) >= (4 if is_ring else 2) else None


def _scale(lonlats: earth.Lonlats) -> NDArray[np.float64]:
    """Return about how many metres a degree of longitude and of latitude has there."""
    return np.array([max(np.cos(np.radians(lonlats[:, 1].mean())), 1e-6), 1.0]) * 111_320.0
