"""Shapes for tests, longitude first."""

from __future__ import annotations

import math
import random
from typing import Any

Lonlat = tuple[float, float]


def ring(*points: Lonlat) -> list[list[float]]:
    """Return a closed ring."""
    return [list(point) for point in (*points, points[0])]


def box_ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return ring((west, south), (east, south), (east, north), (west, north))


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "polygon", "coordinates": list(rings)}


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    return polygon(box_ring(west, south, east, north))


def circle(center: Lonlat, radius_m: float) -> dict[str, Any]:
    return {"type": "circle", "center": list(center), "radius_m": radius_m}


def corridor(width_m: float, *points: Lonlat) -> dict[str, Any]:
    return {"type": "corridor", "coordinates": [list(p) for p in points], "width_m": width_m}


def round_ring(center: Lonlat, radius_deg: float, points: int) -> list[list[float]]:
    """Return a closed ring of as many points, the last being the first again."""
    turn = 2 * math.pi / (points - 1)
    lon, lat = center
    return ring(
        *(
            (lon + radius_deg * math.cos(i * turn), lat + radius_deg * math.sin(i * turn))
            for i in range(points - 1)
        )
    )


def scribble(points: int, seed: int = 1) -> list[list[float]]:
    """Return a closed ring that crosses itself nearly everywhere."""
    pen = random.Random(seed)
    return ring(*((pen.random(), pen.random()) for _ in range(points - 1)))
