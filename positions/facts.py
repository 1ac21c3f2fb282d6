"""Two copies of the same moment made one, the same whatever order they came in.

`merged` is commutative, associative and idempotent: for each member the greatest value
under a fixed order wins, and what belongs to a place stays with that place.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from core.observation import (
    Fix,
    Observation,
    TimeSource,
    Value,
    is_clock_suspect,
    microseconds,
)

# The better way to find a place wins over the worse, then the greater coordinates.
_METHODS = (
    "gateway", "lora_rssi", "network", "cell", "lora_tdoa", "ble", "wifi", "manual", "gnss",
)  # fmt: skip
_METHOD_RANK = {name: rank for rank, name in enumerate(_METHODS)}
_TIME_RANK = {"server": 0, "network": 1, "device": 2}


class Fact(Struct, frozen=True, kw_only=True, gc=False):
    """A position as it is to be stored."""

    device_id: int
    measured_at: datetime
    received_at: datetime
    time_source: TimeSource
    fix: Fix | None
    readings: dict[str, Value]
    # Both follow from the times, and are asked for many times on the road.
    at_us: int
    is_clock_suspect: bool

    @classmethod
    def of(
        cls,
        *,
        device_id: int,
        measured_at: datetime,
        received_at: datetime,
        time_source: TimeSource,
        fix: Fix | None,
        readings: dict[str, Value],
    ) -> Fact:
        """Return the fact with what follows from its times."""
        return cls(
            device_id=device_id,
            measured_at=measured_at,
            received_at=received_at,
            time_source=time_source,
            fix=fix,
            readings=readings,
            at_us=microseconds(measured_at),
            is_clock_suspect=is_clock_suspect(measured_at, received_at),
        )

    @property
    def key(self) -> tuple[int, datetime]:
        return self.device_id, self.measured_at


def fact_of(observation: Observation, *, device_id: int, received_at: datetime) -> Fact:
    return Fact.of(
        device_id=device_id,
        measured_at=observation.measured_at,
        received_at=received_at,
        time_source=observation.time_source,
        fix=observation.fix,
        readings=observation.readings,
    )


def merged(one: Fact, other: Fact) -> Fact:
    """Return the one position that two copies of a device's moment make (fault F-051)."""
    return Fact.of(
        device_id=one.device_id,
        measured_at=one.measured_at,
        # The first copy decides whether the clock was plausible.
        received_at=min(one.received_at, other.received_at),
        time_source=max(one.time_source, other.time_source, key=_TIME_RANK.__getitem__),
        fix=_merged_fix(one.fix, other.fix),
        readings=_merged_readings(one.readings, other.readings),
    )


def _merged_fix(one: Fix | None, other: Fix | None) -> Fix | None:
    if one is None or other is None or one == other:
        return one or other
    place = place_order(one.method, one.lon_deg, one.lat_deg)
    other_place = place_order(other.method, other.lon_deg, other.lat_deg)
    if place != other_place:
        return one if place > other_place else other
    return Fix(
        lon_deg=one.lon_deg,
        lat_deg=one.lat_deg,
        method=one.method,
        altitude_m=_known(max, one.altitude_m, other.altitude_m),
        accuracy_m=_known(min, one.accuracy_m, other.accuracy_m),
        speed_mps=_known(max, one.speed_mps, other.speed_mps),
        course_deg=_known(max, one.course_deg, other.course_deg),
    )


def place_order(method: str, lon_deg: float, lat_deg: float) -> tuple[int, float, float]:
    """Order places that are claimed for one moment; the greatest wins."""
    return _METHOD_RANK[method], lon_deg, lat_deg


def _known(
    choose: Callable[[float, float], float], one: float | None, other: float | None
) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return choose(one, other)


def _merged_readings(one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
    if one == other and all(type(one[name]) is type(other[name]) for name in one):
        return one
    both = dict(one)
    for name, value in other.items():
        both[name] = max(both.get(name, value), value, key=value_order)
    return both


def value_order(value: Value) -> tuple[str, float, str]:
    """Order values of any type: by type first, so that 1, True and "1" never tie."""
    if isinstance(value, str):
        return "text", 0.0, value
    return type(value).__name__, float(value), ""
