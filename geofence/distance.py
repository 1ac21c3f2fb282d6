"""Metres from a fix to the edge of a shape, in the local scale of the fix.

The scale comes from the WGS 84 radii of curvature at the latitude of the fix, which is
exact to better than 0.1 % over the kilometres that an accuracy can span, except towards a
pole: a few kilometres from it, points across the pole seem farther away than they are. Edges
are straight in longitude and latitude.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_A_M = 6_378_137.0  # WGS 84 semi-major axis
_E2 = 6.694_379_990_141_316e-3  # WGS 84 first eccentricity, squared


def metres_per_degree(lat_deg: float) -> tuple[float, float]:
    """Return the metres in one degree of longitude and of latitude at `lat_deg`."""
    sine = math.sin(math.radians(lat_deg))
    w2 = 1.0 - _E2 * sine * sine
    normal_m = _A_M / math.sqrt(w2)
    meridian_m = _A_M * (1.0 - _E2) / (w2 * math.sqrt(w2))
    return math.radians(normal_m) * math.cos(math.radians(lat_deg)), math.radians(meridian_m)


def degrees_of(radius_m: Floats, lat_deg: Floats) -> tuple[Floats, Floats]:
    """Return degrees of longitude and latitude that are at least `radius_m` long."""
    # 110.5 km is the shortest degree of latitude; near a pole all longitudes are near.
    lat = radius_m / 110_500.0
    cosine = np.cos(np.radians(np.minimum(np.abs(lat_deg) + lat, 90.0)))
    lon = np.minimum(lat / np.maximum(cosine, 1e-15) * 1.01, 180.0)
    return lon, lat


class ShapeEdge:
    """The edge of a shape, without the seams at ±180° and the poles where it was cut."""

    def __init__(self, area: shapely.Polygon | shapely.MultiPolygon) -> None:
        starts, ends = _edges(area)
        self._start, self._step = starts, ends - starts
        lon = np.concatenate([starts[:, 0], ends[:, 0], [0.0]])
        self._west, self._east = float(lon.min()), float(lon.max())

    def is_nearer(self, lon_deg: float, lat_deg: float, radius_m: float) -> bool:
        """Return whether the edge comes nearer than `radius_m` to the fix."""
        return self.distance_m(lon_deg, lat_deg) < radius_m

    def distance_m(self, lon_deg: float, lat_deg: float) -> float:
        """Return the metres from the fix to the nearest point of the edge."""
        if not len(self._start):
            return math.inf
        scale_m = metres_per_degree(lat_deg)
        square_m2 = self._square_m2(lon_deg, lat_deg, scale_m)
        if lon_deg - self._west > 180.0 or self._east - lon_deg > 180.0:
            # Part of the edge is nearer over the antimeridian.
            seen_from = lon_deg - math.copysign(360.0, lon_deg)
            square_m2 = min(square_m2, self._square_m2(seen_from, lat_deg, scale_m))
        return math.sqrt(square_m2)

    def _square_m2(self, lon_deg: float, lat_deg: float, scale_m: tuple[float, float]) -> float:
        lon_m, lat_m = scale_m
        x, y = (lon_deg - self._start[:, 0]) * lon_m, (lat_deg - self._start[:, 1]) * lat_m
        dx, dy = self._step[:, 0] * lon_m, self._step[:, 1] * lat_m
        length2 = dx * dx + dy * dy
        along = np.clip((x * dx + y * dy) / np.where(length2 > 0, length2, 1.0), 0.0, 1.0)
        return float(np.min((x - along * dx) ** 2 + (y - along * dy) ** 2))


def _edges(area: shapely.Polygon | shapely.MultiPolygon) -> tuple[Floats, Floats]:
    """Return the starts and ends of the edges, without seams along the border of the plane."""
    rings = shapely.get_rings(shapely.get_parts(area))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    is_edge = ring[:-1] == ring[1:]
    start, end = points[:-1][is_edge], points[1:][is_edge]
    at_pole = (np.abs(start[:, 1]) == 90.0) & (start[:, 1] == end[:, 1])
    at_180 = (np.abs(start[:, 0]) == 180.0) & (start[:, 0] == end[:, 0])
    real_start, real_end = _beside_one_part(start[at_180], end[at_180])
    plain = ~(at_pole | at_180)
    return np.vstack([start[plain], real_start]), np.vstack([end[plain], real_end])


def _beside_one_part(start: Floats, end: Floats) -> tuple[Floats, Floats]:
    """Return the parts of edges along the antimeridian that have the shape on one side only."""
    sides: list[Any] = []
    for lon in (180.0, -180.0):
        here = start[:, 0] == lon
        lat = np.column_stack([start[here, 1], end[here, 1]])
        lines: Any = shapely.linestrings(np.stack([np.full_like(lat, 180.0), lat], axis=2))
        sides.append(shapely.union_all(lines))
    parts = shapely.get_parts(shapely.symmetric_difference(sides[0], sides[1]))
    points, line = shapely.get_coordinates(parts, return_index=True)
    is_edge = line[:-1] == line[1:]
    return points[:-1][is_edge], points[1:][is_edge]
