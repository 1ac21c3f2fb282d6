"""A second judge, as plain as can be: what the rules say, written without looking at the code.

It shares nothing with `geofence`: containment by casting a ray over the corners, distances as
geodesics to points along each edge, the fold as one loop over the fixes of one geofence. It is
slow, and knows neither versions nor late facts nor altitudes. What it takes for granted is that
times, places and accuracies were read already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from pyproj import Geod

EARTH = Geod(ellps="WGS84")
Ring = Sequence[Sequence[float]]
Place = tuple[float, float]
# Where on the way from one place (0) to another (1) it is inside: from, to.
Stretch = tuple[float, float]


@dataclass(frozen=True)
class Fix:
    at_us: int
    lon: float
    lat: float
    accuracy_m: float | None = None


@dataclass(frozen=True)
class Options:
    persist_fixes: int = 1
    persist_s: float = 0.0
    passes: bool = False
    max_gap_s: float = 300.0
    max_accuracy_m: float | None = None


class Area:
    """Polygons with holes, as lists of rings; edges straight in degrees, and part of the area."""

    def __init__(self, polygons: Sequence[Sequence[Ring]], cap_m: float) -> None:
        self.polygons = polygons
        self.cap_m = cap_m

    def _edges(self) -> Iterator[tuple[Sequence[float], Sequence[float]]]:
        for rings in self.polygons:
            for ring in rings:
                yield from pairwise(ring)

    def holds(self, lon: float, lat: float) -> bool:
        return any(self._holds(lon + turn, lat) for turn in (-360, 0, 360))

    def _holds(self, lon: float, lat: float) -> bool:
        if any(_is_on(lon, lat, one, other) for one, other in self._edges()):
            return True
        return any(
            _winds(rings[0], lon, lat) and not any(_winds(hole, lon, lat) for hole in rings[1:])
            for rings in self.polygons
        )

    def edge_m(self, lon: float, lat: float) -> float:
        """Return the metres to the nearest edge: first among 17 points of each, then closer."""
        starts, ends = (np.array(one) for one in zip(*self._edges(), strict=True))
        low, high = np.zeros(len(starts)), np.ones(len(starts))
        nearest = np.full(len(starts), np.inf)
        for _ in range(4):
            shares = np.linspace(low, high, 17, axis=1)
            points = starts[:, None] + shares[..., None] * (ends - starts)[:, None]
            metres = _metres(lon, lat, points)
            best = metres.argmin(axis=1)
            nearest = np.minimum(nearest, metres.min(axis=1))
            step = (high - low) / 16
            middle = np.take_along_axis(shares, best[:, None], 1)[:, 0]
            low, high = np.maximum(middle - step, 0), np.minimum(middle + step, 1)
        return float(nearest.min())

    def stretches(self, here: Place, there: Place) -> list[Stretch]:
        """Return the shares of the straight way on which it is inside."""
        there = (here[0] + _short_way(there[0] - here[0]), there[1])
        cuts = {0.0, 1.0}
        for turn in (-360, 0, 360):
            for one, other in self._edges():
                cuts.update(_cuts(_turned(here, turn), _turned(there, turn), one, other))
        shares = sorted(cuts)
        return _joined(
            (low, high)
            for low, high in pairwise(shares)
            if self.holds(*_along(here, there, (low + high) / 2))
        )


class Near(Area):
    """Whatever is within so many metres of a line, or of a point: `line` of one or more points."""

    def __init__(self, line: Sequence[Place], reach_m: float, cap_m: float) -> None:
        super().__init__([[[*line, line[-1]] if len(line) == 1 else line]], cap_m)
        self.reach_m = reach_m

    def _line_m(self, lon: float, lat: float) -> float:
        return super().edge_m(lon, lat)

    def holds(self, lon: float, lat: float) -> bool:
        return self._line_m(lon, lat) <= self.reach_m

    def edge_m(self, lon: float, lat: float) -> float:
        return abs(self.reach_m - self._line_m(lon, lat))

    def way_m(self, one: Fix, other: Fix) -> float:
        """Return how near the straight way between two fixes comes to the line."""
        here = (one.lon, one.lat)
        there = (one.lon + _short_way(other.lon - one.lon), other.lat)
        return min(self._line_m(*_along(here, there, number / 200)) for number in range(201))

    def stretches(self, here: Place, there: Place) -> list[Stretch]:
        there = (here[0] + _short_way(there[0] - here[0]), there[1])
        shares = [number / 50 for number in range(51)]
        inside = [self.holds(*_along(here, there, share)) for share in shares]
        return _joined(
            (
                low if first else _bisected(self.holds, here, there, low, high),
                high if second else _bisected(self.holds, here, there, low, high),
            )
            for low, high, first, second in zip(
                shares, shares[1:], inside, inside[1:], strict=False
            )
            if first or second
        )


def _turned(place: Place, turn: float) -> Place:
    return place[0] + turn, place[1]


def _short_way(degrees: float) -> float:
    return (degrees + 180) % 360 - 180


def _along(here: Place, there: Place, share: float) -> Place:
    return here[0] + share * (there[0] - here[0]), here[1] + share * (there[1] - here[1])


def _metres(lon: float, lat: float, points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    lons, lats = points[..., 0], points[..., 1]
    _, _, metres = EARTH.inv(np.full_like(lons, lon), np.full_like(lats, lat), lons, lats)
    return np.asarray(metres)


def _is_on(lon: float, lat: float, one: Sequence[float], other: Sequence[float]) -> bool:
    turn = (other[0] - one[0]) * (lat - one[1]) - (other[1] - one[1]) * (lon - one[0])
    between = min(one[0], other[0]) <= lon <= max(one[0], other[0])
    return turn == 0 and between and min(one[1], other[1]) <= lat <= max(one[1], other[1])


def _winds(ring: Ring, lon: float, lat: float) -> bool:
    """Cast a ray to the east and count the edges that it meets."""
    inside = False
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 > lat) != (y2 > lat) and lon < x1 + (lat - y1) * (x2 - x1) / (y2 - y1):
            inside = not inside
    return inside


def _cuts(here: Place, there: Place, one: Sequence[float], other: Sequence[float]) -> list[float]:
    """Return where the way from here to there meets the edge; nothing where they are parallel."""
    dx, dy = there[0] - here[0], there[1] - here[1]
    ex, ey = other[0] - one[0], other[1] - one[1]
    turn = dx * ey - dy * ex
    if turn == 0:
        return []
    share = ((one[0] - here[0]) * ey - (one[1] - here[1]) * ex) / turn
    at_edge = ((one[0] - here[0]) * dy - (one[1] - here[1]) * dx) / turn
    return [share] if 0 <= share <= 1 and 0 <= at_edge <= 1 else []


def _bisected(
    holds: Callable[[float, float], bool], here: Place, there: Place, low: float, high: float
) -> float:
    first = holds(*_along(here, there, low))
    for _ in range(30):
        middle = (low + high) / 2
        if holds(*_along(here, there, middle)) == first:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _joined(stretches: Iterator[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for low, high in stretches:
        if joined and joined[-1][1] == low:
            joined[-1] = joined[-1][0], high
        else:
            joined.append((low, high))
    return joined


@dataclass
class _State:
    side: str | None = None
    # The last sure fix on the side that is known.
    last: Fix | None = None
    candidate: list[Fix] = field(default_factory=list)
    previous_sure: Fix | None = None
    previous_side: str | None = None


def answer(fix: Fix, area: Area, options: Options) -> str:
    accuracy_m = fix.accuracy_m or 0.0
    if options.max_accuracy_m is not None and accuracy_m > options.max_accuracy_m:
        return "unsure"
    is_inside = area.holds(fix.lon, fix.lat)
    edge_m = area.edge_m(fix.lon, fix.lat)
    distance_m = edge_m if is_inside else -edge_m
    counted_m = min(accuracy_m, area.cap_m)
    if counted_m == 0:
        return "inside" if is_inside else "outside"
    if distance_m >= counted_m:
        return "inside"
    return "outside" if distance_m <= -counted_m else "unsure"


def margin_m(fix: Fix, area: Area) -> float:
    """Return by how many metres the answer is what it is; two judges may differ in the last few."""
    edge_m = area.edge_m(fix.lon, fix.lat)
    counted_m = min(fix.accuracy_m or 0.0, area.cap_m)
    return abs(edge_m - counted_m) if counted_m else edge_m


def crossings(fixes: Sequence[Fix], area: Area, options: Options) -> list[dict[str, Any]]:
    """Return the crossings of one geofence, times in µs."""
    found: list[dict[str, Any]] = []
    state = _State()
    for fix in sorted(fixes, key=lambda one: one.at_us):
        side = answer(fix, area, options)
        if side == "unsure":
            continue
        found += _step(state, fix, side, area, options)
        state.previous_sure, state.previous_side = fix, side
    return sorted(found, key=lambda one: one["at"])


def _step(state: _State, fix: Fix, side: str, area: Area, options: Options) -> list[dict[str, Any]]:
    if state.side is None:
        state.side, state.last = side, fix
        return []
    if side != state.side:
        state.candidate.append(fix)
        held_s = (fix.at_us - state.candidate[0].at_us) / 1e6
        if len(state.candidate) < options.persist_fixes or held_s < options.persist_s:
            return []
        crossing = _crossing(state.last, state.candidate[0], side, area)
        state.side, state.last, state.candidate = side, fix, []
        return [crossing]
    found = []
    if options.passes and side == "outside" and state.previous_side == "outside":
        found = _passing(state.previous_sure, fix, area, options)
    state.last, state.candidate = fix, []
    return found


def _crossing(before: Fix | None, first: Fix, side: str, area: Area) -> dict[str, Any]:
    assert before is not None
    stretches = area.stretches((before.lon, before.lat), (first.lon, first.lat))
    # It entered where it has been inside ever since, and left where it had been inside till then.
    share = 0.5
    if stretches:
        share = stretches[-1][0] if side == "inside" else stretches[0][1]
    return {
        "kind": "enter" if side == "inside" else "exit",
        "at": first.at_us,
        "not_before": before.at_us,
        "not_after": first.at_us,
        "estimate": before.at_us + share * (first.at_us - before.at_us),
        "inferred": False,
    }


def _passing(before: Fix | None, fix: Fix, area: Area, options: Options) -> list[dict[str, Any]]:
    assert before is not None
    gap_us = fix.at_us - before.at_us
    stretches = area.stretches((before.lon, before.lat), (fix.lon, fix.lat))
    stretches = [(low, high) for low, high in stretches if high > low]
    if gap_us / 1e6 > options.max_gap_s or not stretches:
        return []
    return [
        {
            "kind": "pass",
            "at": fix.at_us,
            "not_before": before.at_us,
            "not_after": fix.at_us,
            "entered": before.at_us + stretches[0][0] * gap_us,
            "left": before.at_us + stretches[-1][1] * gap_us,
            "inferred": True,
        }
    ]
