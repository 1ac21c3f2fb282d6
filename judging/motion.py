"""The motion fold: an asset is moving, resting, or its motion is unknown.

A speed that the device reports decides. Without it, distance over time decides, with the
accuracy of both fixes subtracted from the distance: 20 km between two fixes are no stop. An
asset rests once its fixes have been near one place for three minutes. If it was displaced so
slowly that it may have stopped since, its motion is unknown.
"""

from __future__ import annotations

import math
from collections.abc import MutableSequence, Sequence
from typing import Final, Literal

from msgspec import Struct

from core.fact_order import FactKey
from core.judged_fact import DecidingFix, JudgedFact
from judging.folds import FactFold, States
from judging.intervals import Edge

Motion = Literal["unknown", "moving", "resting"]

# Walking pace: receivers that stand still report less.
MOVING_MPS: Final = 1.0
# An asset that keeps its place for so long rests; a stop at traffic lights is no rest.
REST_US: Final = 180 * 1_000_000
# Remembered fixes are this far apart, so that the state stays small.
SPACING_US: Final = 60 * 1_000_000
# Fixes of a resting receiver wander, by more than their stated accuracy.
WANDER_M: Final = 50.0
# Accuracy is a radius of 68 %. Two fixes of one place lie farther apart than three times the root
# of the sum of their squares in one pair of some thirty thousand (Rayleigh), and an asset that
# stands for days has many pairs.
SIGMAS: Final = 3.0
# The assumed accuracy of a fix without a stated accuracy.
ASSUMED_ACCURACY_M: Final = 30.0
_EARTH_RADIUS_M: Final = 6_371_008.8


class MotionState(Struct, array_like=True):
    """`recent` holds fixes a minute apart, in order; the first is older than `REST_US`.

    `speed_mps` is reported, or estimated over the last minute; None if unknown.
    """

    motion: Motion = "unknown"
    last: DecidingFix | None = None
    recent: tuple[DecidingFix, ...] = ()
    speed_mps: float | None = None


class MotionFold(FactFold):
    """Finds intervals of kind `moving` and `resting`; between them motion is unknown."""

    name = "motion"
    state_type = MotionState

    def step(
        self,
        state: MotionState,
        fact: JudgedFact,
        looked_up: None,
        context: None,
        states: States,
        findings: MutableSequence[Edge],
    ) -> None:
        fix = fact.fix
        if fix is None:
            return
        motion: Motion = "moving"
        since_us, reported_mps = fix.at_us, fix.speed_mps
        if reported_mps is not None and reported_mps >= MOVING_MPS:
            # As most fixes of vehicles on their way: nothing to compare.
            state.speed_mps = reported_mps
        else:
            seen = _comparable(state, fix)
            motion, since_us = _motion_at(state, seen, fix)
            state.speed_mps = _speed_mps(seen, fix, motion)
        if motion != state.motion:
            findings.extend(_edges(state.motion, motion, since_us, fact.key))
        state.motion = motion
        state.recent = _remembered(state.recent, fix)
        state.last = fix


def _edges(former: Motion, motion: Motion, at_us: int, key: FactKey) -> list[Edge]:
    edges = []
    if former != "unknown":
        edges.append(Edge(kind=former, is_begin=False, at_us=at_us, key=key))
    if motion != "unknown":
        edges.append(Edge(kind=motion, is_begin=True, at_us=at_us, key=key))
    return edges


def _motion_at(
    state: MotionState, seen: Sequence[DecidingFix], fix: DecidingFix
) -> tuple[Motion, int]:
    """Return the motion at a fix, and since when, if it differs from the motion of the state.

    A reported speed is below `MOVING_MPS` here.
    """
    held = next((old for old in seen if fix.at_us - old.at_us >= REST_US), None)
    if held is not None and all(_sure_distance_m(old, fix) == 0.0 for old in seen):
        return "resting", held.at_us
    if fix.speed_mps is not None:
        # It has just stopped: it rests if it was not moving before, or was not seen for long.
        is_new = state.motion != "moving" or state.last is None
        rests = is_new or held is state.last
        return ("resting", fix.at_us) if rests else (state.motion, fix.at_us)
    if any(_sure_speed_mps(old, fix) >= MOVING_MPS for old in seen):
        since = state.last or fix
        return "moving", since.at_us
    # Displaced since then, but so slowly on the whole that it may have stopped.
    return ("unknown" if held is not None else state.motion), fix.at_us


def _comparable(state: MotionState, fix: DecidingFix) -> Sequence[DecidingFix]:
    """Return the earlier fixes to compare with; the first is at least `REST_US` old."""
    known = [old for old in (*state.recent, state.last) if old and old.at_us < fix.at_us]
    old_enough = [number for number, old in enumerate(known) if fix.at_us - old.at_us >= REST_US]
    return known[old_enough[-1] :] if old_enough else known


def _remembered(recent: tuple[DecidingFix, ...], fix: DecidingFix) -> tuple[DecidingFix, ...]:
    if recent and fix.at_us - recent[-1].at_us < SPACING_US:
        return recent
    kept = (*recent, fix)
    old_enough = [number for number, old in enumerate(kept) if fix.at_us - old.at_us >= REST_US]
    return kept[old_enough[-1] :] if old_enough else kept


def _speed_mps(seen: Sequence[DecidingFix], fix: DecidingFix, motion: Motion) -> float | None:
    if fix.speed_mps is not None:
        return fix.speed_mps
    if motion == "resting":
        return 0.0
    if motion == "unknown" or not seen:
        return None
    # Between fixes of a few seconds a speed would be mostly noise.
    apart = (old for old in reversed(seen) if fix.at_us - old.at_us >= SPACING_US)
    old = next(apart, seen[0])
    return distance_m(old, fix) / ((fix.at_us - old.at_us) / 1e6)


def _sure_speed_mps(old: DecidingFix, fix: DecidingFix) -> float:
    return _sure_distance_m(old, fix) / ((fix.at_us - old.at_us) / 1e6)


def _sure_distance_m(old: DecidingFix, fix: DecidingFix) -> float:
    """Return the least distance that the asset moved; 0 if it may not have moved."""
    slack_m = max(WANDER_M, SIGMAS * math.hypot(_radius_m(old), _radius_m(fix)))
    return max(0.0, distance_m(old, fix) - slack_m)


def _radius_m(fix: DecidingFix) -> float:
    return fix.accuracy_m or ASSUMED_ACCURACY_M


def distance_m(start: DecidingFix, end: DecidingFix) -> float:
    """Return the distance on the sphere, by the haversine formula; within 0.6 % of geodesic."""
    start_lat, end_lat = math.radians(start.lat_deg), math.radians(end.lat_deg)
    by_lat = math.sin((end_lat - start_lat) / 2) ** 2
    by_lon = math.sin(math.radians(end.lon_deg - start.lon_deg) / 2) ** 2
    share = by_lat + math.cos(start_lat) * math.cos(end_lat) * by_lon
    return 2 * _EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(share)))
