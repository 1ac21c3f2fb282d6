"""Routes of assets: smooth computed routes between named places, and recorded tracks."""

from __future__ import annotations

import json
import math
import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path as FilePath
from typing import Protocol

LonLat = tuple[float, float]

METRES_PER_DEGREE = 111_195.0
ACCELERATION_MPS2 = 0.8
# A computed route bends about this often and this far, as roads do.
BEND_EVERY_M = 4_000.0
BEND_M = 350.0
SAMPLE_M = 80.0

PLACES: dict[str, LonLat] = {
    "Ljubljana": (14.5450, 46.0660),
    "Vrhnika": (14.2950, 45.9660),
    "Logatec": (14.2260, 45.9140),
    "Postojna": (14.2144, 45.7745),
    "Cerknica": (14.3600, 45.7930),
    "Divača": (13.9700, 45.6840),
    "Sežana": (13.8730, 45.7090),
    "Trieste": (13.7720, 45.6390),
    "Monfalcone": (13.5330, 45.8050),
    "Gorizia": (13.6220, 45.9410),
    "Koper": (13.7480, 45.5440),
    "Buzet": (13.9670, 45.4090),
    "Pazin": (13.9370, 45.2400),
    "Poreč": (13.6050, 45.2270),
    "Višnjan": (13.7200, 45.2760),
    "Rovinj": (13.6600, 45.0830),
    "Pula": (13.8530, 44.8800),
    "Labin": (14.1190, 45.0950),
    "Opatija": (14.3000, 45.3420),
    "Rijeka": (14.4420, 45.3360),
    "Ilirska Bistrica": (14.2430, 45.5680),
    "Kranj": (14.3550, 46.2390),
    "Škofja Loka": (14.3060, 46.1660),
    "Novo mesto": (15.1690, 45.8030),
}


@dataclass(frozen=True, kw_only=True)
class Movement:
    """The true place, speed and course at a moment, without the noise of a receiver."""

    lon_deg: float
    lat_deg: float
    altitude_m: float = 0.0
    speed_mps: float = 0.0
    course_deg: float = 0.0

    @property
    def is_resting(self) -> bool:
        return self.speed_mps < 0.3


class Journey(Protocol):
    """A way of an asset, without end: its movement at any number of seconds."""

    def at(self, elapsed_s: float) -> Movement: ...


def distance_m(start: LonLat, end: LonLat) -> float:
    """Return the distance on a flat earth: exact to a metre over the length of a bend."""
    east = (end[0] - start[0]) * math.cos(math.radians((start[1] + end[1]) / 2))
    return math.hypot(east, end[1] - start[1]) * METRES_PER_DEGREE


def course_deg(start: LonLat, end: LonLat) -> float:
    east = (end[0] - start[0]) * math.cos(math.radians(start[1]))
    return math.degrees(math.atan2(east, end[1] - start[1])) % 360.0


def moved(point: LonLat, *, east_m: float, north_m: float) -> LonLat:
    """Return the point so many metres to the east and north."""
    lon_deg, lat_deg = point
    per_degree = METRES_PER_DEGREE * math.cos(math.radians(lat_deg))
    return (lon_deg + east_m / per_degree, lat_deg + north_m / METRES_PER_DEGREE)


class Line:
    """A polyline with the point at each distance from its beginning."""

    def __init__(self, points: Sequence[LonLat]) -> None:
        if len(points) < 2:
            raise ValueError("a line needs two points")
        self._points = list(points)
        self._metres = [0.0]
        for start, end in pairwise(points):
            self._metres.append(self._metres[-1] + distance_m(start, end))
        self.length_m = self._metres[-1]

    def at(self, metres: float) -> tuple[LonLat, float]:
        """Return the point and the course there; beyond the ends, the end and its course."""
        metres = min(max(metres, 0.0), self.length_m)
        index = min(bisect_right(self._metres, metres), len(self._points) - 1)
        start, end = self._points[index - 1], self._points[index]
        length = self._metres[index] - self._metres[index - 1]
        share = (metres - self._metres[index - 1]) / length if length else 0.0
        point = (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
        return point, course_deg(start, end)

    def reversed(self) -> Line:
        return Line(self._points[::-1])


def winding_line(start: LonLat, end: LonLat, chance: random.Random) -> Line:
    """Return a smooth line with bends, always the same for the same state of `chance`."""
    bends = max(1, round(distance_m(start, end) / BEND_EVERY_M))
    rough = [start]
    for number in range(1, bends):
        share = number / bends
        straight = (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
        aside = {"east_m": chance.gauss(0, BEND_M), "north_m": chance.gauss(0, BEND_M)}
        rough.append(moved(straight, **aside))
    rough.append(end)
    return Line(_smooth(rough))


def _smooth(rough: Sequence[LonLat]) -> list[LonLat]:
    """Return a Catmull-Rom spline through all points, sampled about every `SAMPLE_M`."""
    padded = [rough[0], *rough, rough[-1]]
    smooth = [rough[0]]
    for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        steps = max(1, round(distance_m(start, end) / SAMPLE_M))
        smooth.extend(
            _spline(before, start, end, after, step / steps) for step in range(1, steps + 1)
        )
    return smooth


def _spline(before: LonLat, start: LonLat, end: LonLat, after: LonLat, share: float) -> LonLat:
    def coordinate(a: float, b: float, c: float, d: float) -> float:
        return b + 0.5 * share * (
            c - a + share * (2 * a - 5 * b + 4 * c - d + share * (3 * (b - c) + d - a))
        )

    return (
        coordinate(before[0], start[0], end[0], after[0]),
        coordinate(before[1], start[1], end[1], after[1]),
    )


class Leg:
    """A drive along a line from rest to rest: speed up, cruise, slow down."""

    def __init__(self, line: Line, cruise_mps: float) -> None:
        self.line = line
        self._top_mps = min(cruise_mps, math.sqrt(ACCELERATION_MPS2 * line.length_m))
        self._ramp_s = self._top_mps / ACCELERATION_MPS2
        self._ramp_m = self._top_mps * self._ramp_s / 2
        self.duration_s = 2 * self._ramp_s + (line.length_m - 2 * self._ramp_m) / self._top_mps

    def at(self, elapsed_s: float) -> Movement:
        left_s = self.duration_s - elapsed_s
        speed_mps = max(
            0.0, min(self._top_mps, *(ACCELERATION_MPS2 * s for s in (elapsed_s, left_s)))
        )
        if elapsed_s < self._ramp_s:
            metres = speed_mps * elapsed_s / 2
        elif left_s < self._ramp_s:
            metres = self.line.length_m - speed_mps * left_s / 2
        else:
            metres = self._ramp_m + self._top_mps * (elapsed_s - self._ramp_s)
        (lon_deg, lat_deg), course = self.line.at(metres)
        return Movement(lon_deg=lon_deg, lat_deg=lat_deg, speed_mps=speed_mps, course_deg=course)


class Shuttle:
    """Drives from stop to stop and back again, resting `stop_s` at each."""

    def __init__(
        self, stops: Sequence[LonLat], *, cruise_mps: float, stop_s: float, chance: random.Random
    ) -> None:
        there = [winding_line(start, end, chance) for start, end in pairwise(stops)]
        back = [line.reversed() for line in reversed(there)]
        self._legs = [Leg(line, cruise_mps) for line in (*there, *back)]
        self._stop_s = stop_s
        self.period_s = sum(leg.duration_s + stop_s for leg in self._legs)

    def at(self, elapsed_s: float) -> Movement:
        left_s = elapsed_s % self.period_s
        for leg in self._legs:
            if left_s < leg.duration_s:
                return leg.at(left_s)
            left_s -= leg.duration_s
            if left_s < self._stop_s:
                return leg.at(leg.duration_s)
            left_s -= self._stop_s
        return self._legs[-1].at(self._legs[-1].duration_s)


class Parked:
    """Stays at a point."""

    def __init__(self, point: LonLat, altitude_m: float = 0.0) -> None:
        self._motion = Movement(lon_deg=point[0], lat_deg=point[1], altitude_m=altitude_m)

    def at(self, elapsed_s: float) -> Movement:
        return self._motion


@dataclass(frozen=True)
class TrackPoint:
    after_s: float
    lonlat_deg: LonLat
    altitude_m: float


class RecordedJourney:
    """Follows a recorded track at its recorded speed, then goes back the same way."""

    def __init__(self, track: Sequence[TrackPoint], *, rest_s: float = 240.0) -> None:
        self._track = track
        self._times = [point.after_s for point in track]
        self.period_s = 2 * (self._times[-1] + rest_s)

    def at(self, elapsed_s: float) -> Movement:
        left_s = elapsed_s % self.period_s
        half_s = self.period_s / 2
        is_back = left_s >= half_s
        left_s = min(left_s - half_s if is_back else left_s, self._times[-1])
        return self._walked(self._times[-1] - left_s if is_back else left_s, is_back=is_back)

    def _walked(self, after_s: float, *, is_back: bool) -> Movement:
        index = min(max(bisect_right(self._times, after_s), 1), len(self._track) - 1)
        start, end = self._track[index - 1], self._track[index]
        span_s = end.after_s - start.after_s
        share = (after_s - start.after_s) / span_s if span_s else 0.0
        (lon_a, lat_a), (lon_b, lat_b) = start.lonlat_deg, end.lonlat_deg
        ends = (end.lonlat_deg, start.lonlat_deg) if is_back else (start.lonlat_deg, end.lonlat_deg)
        is_at_an_end = after_s in (0.0, self._times[-1])
        length_m = distance_m(start.lonlat_deg, end.lonlat_deg)
        return Movement(
            lon_deg=lon_a + (lon_b - lon_a) * share,
            lat_deg=lat_a + (lat_b - lat_a) * share,
            altitude_m=start.altitude_m + (end.altitude_m - start.altitude_m) * share,
            speed_mps=0.0 if is_at_an_end or not span_s else length_m / span_s,
            course_deg=course_deg(*ends),
        )


def load_track(file: FilePath) -> list[TrackPoint]:
    """Read `fixtures/tracks/*.json`: rows of longitude, latitude, altitude, time."""
    rows = json.loads(file.read_text())["rows"]
    times = [datetime.fromisoformat(row[3]) for row in rows]
    return [
        TrackPoint((time - times[0]).total_seconds(), (row[0], row[1]), row[2])
        for row, time in zip(rows, times, strict=True)
    ]
