"""The latest state of an asset, moved forward only by newer facts."""

from __future__ import annotations

from collections.abc import Iterable

from core.observation import Fix, Value
from positions.store import StateRow
from positions.stored_fact import Fact

# A reading in a state: its value, the moment of its fact in µs since 1970, and how many µs later
# it was reported.
HeldReading = list[Value | int]


def move_forward(state: StateRow, facts: Iterable[Fact]) -> bool:
    """Update `state` with plausible facts; each member only by a newer fact than it holds.

    Newer means later in the order of facts. A fact with a doubted clock changes nothing
    (faults F-043, F-045). Returns whether anything changed.
    """
    moved = False
    for fact in facts:
        if not fact.is_clock_suspect:
            moved |= _take(state, fact)
    return moved


def _take(state: StateRow, fact: Fact) -> bool:
    moved = _take_readings(state, fact)
    key = fact.key.to_bytes()
    if fact.fix and (state.fix_key is None or key >= state.fix_key):
        _take_fix(state, fact, fact.fix)
        state.fix_key = key
        moved = True
    if state.newest_key is None or key >= state.newest_key:
        state.measured_at, state.received_at = fact.measured_at, fact.received_at
        state.device_id, state.newest_key = fact.device_id, key
        moved = True
    return moved


def _take_fix(state: StateRow, fact: Fact, fix: Fix) -> None:
    state.fix_at = fact.measured_at
    state.lon_deg, state.lat_deg = fix.lon_deg, fix.lat_deg
    state.altitude_m, state.accuracy_m = fix.altitude_m, fix.accuracy_m
    state.speed_mps, state.course_deg = fix.speed_mps, fix.course_deg
    state.method = fix.method


def _take_readings(state: StateRow, fact: Fact) -> bool:
    at_us, delay_us = fact.at_us, fact.key.reported_us - fact.at_us
    held_readings, is_any_fresh = state.readings, False
    for name, value in fact.readings.items():
        held = held_readings.get(name)
        if held is not None and not _is_newer_reading(value, at_us, delay_us, held):
            continue
        if not is_any_fresh:
            held_readings, is_any_fresh = dict(held_readings), True
        held_readings[name] = [value, at_us, delay_us]
    state.readings = held_readings
    return is_any_fresh


def _is_newer_reading(value: Value, at_us: int, delay_us: int, held: HeldReading) -> bool:
    """Return whether a reading replaces the held reading.

    If two devices reported the same moment at the same time, the greater value counts.
    """
    held_value, held_us, held_delay_us = held
    place, held_place = (at_us, delay_us), (held_us, held_delay_us)
    return place > held_place or (
        place == held_place and _value_order(value) > _value_order(held_value)
    )


def _value_order(value: Value) -> tuple[str, float, str]:
    """Return a sort key for values of any type: by type first, so that 1, True and "1" differ."""
    if isinstance(value, str):
        return "text", 0.0, value
    return type(value).__name__, float(value), ""
