"""Builders for the fold alone: zones around the depot, and vans that drive north and south."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import shapely

from core.judged_fact import DecidingFix
from geofence.crossing_state import CrossingState, FoundCrossing, LinkedAsset
from geofence.crossings import find_crossings
from geofence.distance import metres_per_degree
from geofence.zone import Zone
from geofence.zone_index import ZoneIndex
from tests.builders import DEPOT_LONLAT_DEG

SECOND = 1_000_000
_LON_M, _LAT_M = metres_per_degree(DEPOT_LONLAT_DEG[1])


def place(north_m: float, east_m: float = 0.0) -> tuple[float, float]:
    """Return the place so many metres north and east of the depot."""
    lon, lat = DEPOT_LONLAT_DEG
    return lon + east_m / _LON_M, lat + north_m / _LAT_M


def square(half_m: float = 100.0, north_m: float = 0.0, east_m: float = 0.0) -> shapely.Polygon:
    west, south = place(north_m - half_m, east_m - half_m)
    east, north = place(north_m + half_m, east_m + half_m)
    return shapely.box(west, south, east, north)


def zone(area: Any = None, number: int = 1, version: int | None = None, **options: Any) -> Zone:
    """Return a zone, by default 100 m to each side of the depot."""
    return Zone(
        geofence_id=number,
        version_id=number * 10 if version is None else version,
        area=square() if area is None else area,
        **options,
    )


def mark(second: float, north_m: float, accuracy_m: float = 0.0, **more: Any) -> DecidingFix:
    lon, lat = place(north_m, more.pop("east_m", 0.0))
    device_id = more.pop("device_id", 1)
    return DecidingFix(round(second * SECOND), device_id, lon, lat, accuracy_m, **more)


def walk(*metres: float, every_s: float = 60.0, accuracy_m: float = 0.0) -> list[DecidingFix]:
    """Return a fix each `every_s` seconds, so many metres north of the depot."""
    return [mark(number * every_s, north_m, accuracy_m) for number, north_m in enumerate(metres)]


def judged(
    marks: Sequence[DecidingFix],
    *zones: Zone,
    scope: LinkedAsset | None = None,
    fold: CrossingState | None = None,
) -> list[FoundCrossing]:
    # `fold or CrossingState()` would be wrong for none: an empty fold is to be filled.
    state = CrossingState() if fold is None else fold
    return find_crossings(state, marks, ZoneIndex(zones), scope or LinkedAsset())


def brief(found: Sequence[FoundCrossing]) -> list[tuple[str, float]]:
    """Return the kind and the second of each finding."""
    return [(one.kind, one.at_us / SECOND) for one in found]


def crossed(found: Sequence[FoundCrossing]) -> list[tuple[str, float]]:
    """Return the same without `found` and `lost`, which are no crossings."""
    return [one for one in brief(found) if one[0] not in ("found", "lost")]
