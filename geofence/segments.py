"""When the straight way between two fixes meets the edge of a zone: estimates, in µs."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import shapely

# Shorter than this, in degrees (about 1 mm), a line touches and does not cut.
_TOUCH_DEG = 1e-8


class Moment(Protocol):
    """A fix at a time."""

    @property
    def at_us(self) -> int: ...
    @property
    def lon_deg(self) -> float: ...
    @property
    def lat_deg(self) -> float: ...


Area = shapely.Polygon | shapely.MultiPolygon
Stretch = tuple[float, float]


def crossing_time_us(start: Moment, end: Moment, area: Area, *, is_entry: bool) -> int | None:
    """Return when the straight way from `start` to `end` came in last, or first went out.

    None if the way does not meet the area, as when an altitude band decided.
    """
    stretches = _stretches_inside(start, end, area)
    if not stretches:
        return None
    return _time_us(start, end, stretches[-1][0] if is_entry else stretches[0][1])


def passing_times_us(start: Moment, end: Moment, area: Area) -> tuple[int, int] | None:
    """Return when the straight way first came in and last went out; None if it only touches."""
    stretches = [s for s in _stretches_inside(start, end, area) if s[1] > s[0]]
    if not stretches:
        return None
    return _time_us(start, end, stretches[0][0]), _time_us(start, end, stretches[-1][1])


def _time_us(start: Moment, end: Moment, fraction: float) -> int:
    return start.at_us + round((end.at_us - start.at_us) * fraction)


def _stretches_inside(start: Moment, end: Moment, area: Area) -> list[Stretch]:
    """Return the stretches of the way inside `area` as fractions of it, in order and joined."""
    step = end.lon_deg - start.lon_deg
    if abs(step) > 180.0:
        step -= np.sign(step) * 360.0
    stretches: list[Stretch] = []
    for shift in (0.0, 360.0, -360.0):
        line = shapely.LineString(
            [
                (start.lon_deg + shift, start.lat_deg),
                (start.lon_deg + shift + step, end.lat_deg),
            ]
        )
        if shapely.intersects(line, area):
            stretches += _fractions(line, area)
    return _joined(sorted(stretches))


def _fractions(line: shapely.LineString, area: Area) -> list[Stretch]:
    if line.length == 0.0:
        return [(0.0, 0.0)]
    parts = []
    for part in shapely.get_parts(shapely.intersection(line, area)):
        points = shapely.points(shapely.get_coordinates(part))
        along = shapely.line_locate_point(line, points, normalized=True)
        low, high = float(along.min()), float(along.max())
        is_touch = (high - low) * line.length <= _TOUCH_DEG
        parts.append((low, low) if is_touch else (low, high))
    return parts


def _joined(stretches: list[Stretch]) -> list[Stretch]:
    whole: list[Stretch] = []
    for low, high in stretches:
        if whole and low <= whole[-1][1] + 1e-12:
            whole[-1] = (whole[-1][0], max(whole[-1][1], high))
        else:
            whole.append((low, high))
    return whole
