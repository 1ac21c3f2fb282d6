"""The zone: a version of a geofence as a plain value, ready for judging."""

from __future__ import annotations

import math

import shapely
from msgspec import Struct

FAR_FUTURE_US = 1 << 62


class Zone(Struct, frozen=True):
    """A version of a geofence.

    `area` is a valid shapely Polygon or MultiPolygon in degrees, longitude first; times are
    microseconds since 1970, half-open. `accuracy_cap_m` has its default already
    filled in; `max_accuracy_m`, `floor_m` and `ceiling_m` are infinite where not set.
    """

    geofence_id: int
    version_id: int
    area: shapely.Polygon | shapely.MultiPolygon
    valid_from_us: int = 0
    valid_to_us: int = FAR_FUTURE_US
    accuracy_cap_m: float = math.inf
    max_accuracy_m: float = math.inf
    persist_fixes: int = 1
    persist_us: int = 0
    judges_pass_through: bool = False
    max_gap_us: int = 300_000_000
    floor_m: float = -math.inf
    ceiling_m: float = math.inf
    asset_ids: frozenset[int] = frozenset()
    tags: frozenset[str] = frozenset()
