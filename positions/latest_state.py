"""The latest state of an asset, moved forward only by newer facts."""

from __future__ import annotations

from collections.abc import Iterable

from core.observation import Fix, Value
from positions.facts import Fact, place_order, value_order
from positions.store import StateRow


def move_forward(state: StateRow, facts: Iterable[Fact]) -> bool:
    """Let plausible facts move `state`; each member only by what is newer than it holds.

    A time in the future beyond the clock tolerance moves nothing (faults F-043, F-045).
    Returns whether anything moved.
    """
    moved = False
    for fact in facts:
        if not fact.is_clock_suspect:
            moved |= _take(state, fact)
    return moved


def _take(state: StateRow, fact: Fact) -> bool:
    moved = _take_readings(state, fact)
    if fact.fix and _is_newer_fix(state, fact, fact.fix):
        _take_fix(state, fact, fact.fix)
        moved = True
    if _is_newer(state, fact):
        state.measured_at, state.received_at = fact.measured_at, fact.received_at
        state.device_id = fact.device_id
        moved = True
    return moved


def _is_newer(state: StateRow, fact: Fact) -> bool:
    """Of two devices' copies of one moment the greater device id counts."""
    if state.measured_at is None or state.device_id is None:
        return True
    return (fact.measured_at, fact.device_id) >= (state.measured_at, state.device_id)


def _is_newer_fix(state: StateRow, fact: Fact, fix: Fix) -> bool:
    """Of two fixes of one moment the better place counts, as in `facts.merged`."""
    if state.fix_at is None or fact.measured_at != state.fix_at:
        return state.fix_at is None or fact.measured_at > state.fix_at
    assert state.method is not None, "a fix has a method"
    assert state.lon_deg is not None, "a fix has a place"
    assert state.lat_deg is not None, "a fix has a place"
    place = place_order(fix.method, fix.lon_deg, fix.lat_deg)
    held = place_order(state.method, state.lon_deg, state.lat_deg)
    return (place, fact.device_id) >= (held, state.fix_device_id or 0)


def _take_fix(state: StateRow, fact: Fact, fix: Fix) -> None:
    state.fix_at, state.fix_device_id = fact.measured_at, fact.device_id
    state.lon_deg, state.lat_deg = fix.lon_deg, fix.lat_deg
    state.altitude_m, state.accuracy_m = fix.altitude_m, fix.accuracy_m
    state.speed_mps, state.course_deg = fix.speed_mps, fix.course_deg
    state.method = fix.method


def _is_newer_reading(value: Value, at_us: int, held: Value, held_us: int) -> bool:
    """Of two readings of one moment the greater counts."""
    return at_us > held_us or (at_us == held_us and value_order(value) > value_order(held))


def _take_readings(state: StateRow, fact: Fact) -> bool:
    at_us = fact.at_us
    held_readings, is_any_fresh = state.readings, False
    for name, value in fact.readings.items():
        held = held_readings.get(name)
        if held is not None and not _is_newer_reading(value, at_us, *held):
            continue
        if not is_any_fresh:
            held_readings, is_any_fresh = dict(held_readings), True
        held_readings[name] = [value, at_us]
    state.readings = held_readings
    return is_any_fresh
