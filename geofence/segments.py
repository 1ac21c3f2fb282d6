"""Estimated times, in µs, at which the straight way between two fixes meets the edge of a zone.

Straight in longitude, latitude and, if a zone has an altitude band, in altitude.
"""

from __future__ import annotations

import math
from typing import Protocol

import shapely

from geofence.zone import Zone

# Shorter than this, in degrees (about 1 mm), a line touches and does not cut.
_TOUCH_DEG = 1e-8


class TimedPlace(Protocol):
    """A fix at a time."""

    @property
    def at_us(self) -> int: ...
    @property
    def lon_deg(self) -> float: ...
    @property
    def lat_deg(self) -> float: ...
    @property
    def altitude_m(self) -> float | None: ...


Stretch = tuple[float, float]
Point = tuple[float, float]

# Rounding leaves the parts of a way this far apart, as a fraction of it.
_SEAM = 1e-9


def crossing_time_us(
    start: TimedPlace, end: TimedPlace, zone: Zone, *, is_entry: bool
) -> int | None:
    """Return when the straight way from `start` to `end` last entered the zone, or first left it.

    None if the way does not meet the zone.
    """
    stretches = _stretches_inside(start, end, zone)
    if not stretches:
        return None
    return _time_us(start, end, stretches[-1][0] if is_entry else stretches[0][1])


def passing_times_us(start: TimedPlace, end: TimedPlace, zone: Zone) -> tuple[int, int] | None:
    """Return when the straight way first entered and last left; None if it only touches."""
    stretches = [s for s in _stretches_inside(start, end, zone) if s[1] > s[0]]
    if not stretches:
        return None
    return _time_us(start, end, stretches[0][0]), _time_us(start, end, stretches[-1][1])


def _time_us(start: TimedPlace, end: TimedPlace, fraction: float) -> int:
    return start.at_us + round((end.at_us - start.at_us) * fraction)


def _stretches_inside(start: TimedPlace, end: TimedPlace, zone: Zone) -> list[Stretch]:
    """Return the stretches of the way inside the zone as fractions of it, in order."""
    floor, ceiling = _in_band(start.altitude_m, end.altitude_m, zone)
    stretches = [(max(low, floor), min(high, ceiling)) for low, high in _over(start, end, zone)]
    return [stretch for stretch in stretches if stretch[0] <= stretch[1]]


def _over(start: TimedPlace, end: TimedPlace, zone: Zone) -> list[Stretch]:
    """Return the stretches over the area, at any altitude, without overlaps."""
    step = end.lon_deg - start.lon_deg
    if abs(step) > 180.0:
        step -= math.copysign(360.0, step)
    stretches: list[Stretch] = []
    for shift in (0.0, 360.0, -360.0):
        lon = start.lon_deg + shift
        if max(lon, lon + step) < -180.0 or min(lon, lon + step) > 180.0:
            continue
        way = ((lon, start.lat_deg), (lon + step, end.lat_deg))
        line = shapely.LineString(way)
        if shapely.intersects(zone.area, line):
            stretches += _fractions(way, shapely.intersection(line, zone.area))
    length_deg = math.hypot(step, end.lat_deg - start.lat_deg)
    # Only after joining: the antimeridian may cut off a piece as short as that.
    return [
        (low, low) if (high - low) * length_deg <= _TOUCH_DEG else (low, high)
        for low, high in _joined(sorted(stretches))
    ]


def _in_band(start_m: float | None, end_m: float | None, zone: Zone) -> Stretch:
    """Return the fractions of the way between which its altitude is in the band; (1, 0) if never.

    If the altitude is known at one end only, it counts for the whole way.
    """
    if start_m is None or end_m is None:
        known_m = start_m if end_m is None else end_m
        start_m = end_m = zone.floor_m if known_m is None else known_m
    if start_m == end_m:
        return (0.0, 1.0) if zone.floor_m <= start_m <= zone.ceiling_m else (1.0, 0.0)
    climb_m = end_m - start_m
    ends = sorted([(zone.floor_m - start_m) / climb_m, (zone.ceiling_m - start_m) / climb_m])
    return max(ends[0], 0.0), min(ends[1], 1.0)


def _fractions(way: tuple[Point, Point], inside: shapely.Geometry) -> list[Stretch]:
    """Return the beginnings and ends of the parts of `inside`, as fractions of the way."""
    (lon, lat), (end_lon, end_lat) = way
    east, north = end_lon - lon, end_lat - lat
    square = east * east + north * north
    if square == 0.0:
        return [(0.0, 0.0)]
    stretches = []
    for part in shapely.get_parts(inside):
        along = [
            min(max(((x - lon) * east + (y - lat) * north) / square, 0.0), 1.0)
            for x, y in shapely.get_coordinates(part).tolist()
        ]
        stretches.append((min(along), max(along)))
    return stretches


def _joined(stretches: list[Stretch]) -> list[Stretch]:
    whole: list[Stretch] = []
    for low, high in stretches:
        if whole and low <= whole[-1][1] + _SEAM:
            whole[-1] = (whole[-1][0], max(whole[-1][1], high))
        else:
            whole.append((low, high))
    return whole
