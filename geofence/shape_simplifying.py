"""Simplifying a shape that has too many points.

Nothing is simplified silently: a refusal names the tolerance that would fit; the user may ask
for the simpler shape, look at it and send it.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from msgspec import Struct

from core.errors import Unprocessable
from geofence import earth, limits
from geofence.shape_checks import Ring, Shape, checked_kind, lonlat, refuse
from geofence.shapes import area_of

TOLERANCES_M = [0.0, *(0.25 * 2.0**doubling for doubling in range(18))]
TRIES = 4


class Simplified(Struct, frozen=True, kw_only=True):
    """A shape within the limits; no drawn point is further from its line than `tolerance_m`."""

    shape: Shape
    tolerance_m: float
    points: int


def simplified_shape(shape: Any, max_points: int = limits.SHAPE_POINTS) -> Simplified:
    """Return the shape with at most `max_points`, and no ring or line beyond its own limit.

    Raises `Unprocessable` if no tolerance makes it fit and valid.
    """
    kind = checked_kind(shape)
    if kind == "circle":
        area_of(shape)
        return Simplified(shape=shape, tolerance_m=0.0, points=1)
    lines = _Lines(kind, shape["coordinates"])
    for tolerance_m in _tolerances_to_try(lines, max_points):
        candidate = lines.simplified(tolerance_m)
        if candidate and _is_valid(shape, candidate):
            return Simplified(
                shape=shape | {"coordinates": candidate.coordinates},
                tolerance_m=tolerance_m,
                points=candidate.points,
            )
    # A shape that is invalid for another reason is refused for it; fewer points would not help.
    area_of(shape)
    detail = "The shape cannot be simplified; draw it with fewer points."
    raise Unprocessable(detail, code="too-many-points")


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
        self.tree = self._read(coordinates, self.depth, "/coordinates", _PointBudget())

    def simplified(self, tolerance_m: float) -> _Candidate | None:
        coordinates = self._slim(self.tree, self.depth, tolerance_m)
        if coordinates is None:
            return None
        sizes = list(_sizes(coordinates, self.depth))
        return _Candidate(coordinates, sum(sizes), max(sizes), len(sizes))

    def _read(self, node: Any, depth: int, pointer: str, budget: _PointBudget) -> Any:
        if not isinstance(node, list | tuple) or not node:
            refuse("geometry-invalid", "Must be a list, not empty.", pointer)
        if depth == 0:
            budget.spend(len(node), pointer)
            return [lonlat(point, f"{pointer}/{index}") for index, point in enumerate(node)]
        return [
            self._read(inner, depth - 1, f"{pointer}/{index}", budget)
            for index, inner in enumerate(node)
        ]

    def _slim(self, node: Any, depth: int, tolerance_m: float) -> Any:
        if depth == 0:
            return _slim_line(node, tolerance_m, is_ring=self.depth > 0)
        slim = [self._slim(inner, depth - 1, tolerance_m) for inner in node]
        # A hole smaller than the tolerance is dropped; a shell may not be.
        if depth == 1 and slim[0] is None:
            return None
        return [inner for inner in slim if inner is not None] or None


class _PointBudget:
    def __init__(self) -> None:
        self.left = limits.SIMPLIFIABLE_POINTS

    def spend(self, points: int, pointer: str) -> None:
        self.left -= points
        if self.left < 0:
            most = limits.SIMPLIFIABLE_POINTS
            refuse("too-many-points", f"More than {most} points cannot be simplified.", pointer)


def _sizes(node: list[Any], depth: int) -> Iterator[int]:
    if depth == 0:
        yield len(node)
        return
    for inner in node:
        yield from _sizes(inner, depth - 1)


def _slim_line(line: Ring, tolerance_m: float, *, is_ring: bool) -> list[list[float]] | None:
    flat = earth.unrolled(np.asarray(line, dtype=np.float64))
    scale = np.array([max(np.cos(np.radians(flat[:, 1].mean())), 1e-6), 1.0]) * 111_320.0
    slim = shapely.simplify(shapely.LineString(flat * scale), tolerance_m, preserve_topology=False)
    slim_deg: list[list[float]] = np.round(shapely.get_coordinates(slim) / scale, 9).tolist()
    return slim_deg if len(slim_deg) >= (4 if is_ring else 2) else None
