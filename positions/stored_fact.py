"""A position as it is stored: one message of a device about one moment (ADR 12)."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from core.fact_order import FactKey, message_of
from core.observation import (
    Fix,
    Observation,
    Scans,
    TimeSource,
    Value,
    is_clock_suspect,
    microseconds,
)

_TIME_RANK = {"server": 0, "network": 1, "device": 2}
# Device, moment and message: by them a repeat is known.
Identity = tuple[int, datetime, int]


class Fact(Struct, frozen=True, kw_only=True, gc=False):
    """A position as it is to be stored. Of one that is read back, `scans` stay in the table."""

    device_id: int
    measured_at: datetime
    message: int
    reported_at: datetime | None
    received_at: datetime
    time_source: TimeSource
    fix: Fix | None
    readings: dict[str, Value]
    scans: Scans | None
    # All follow from the others, and are asked for many times on the road.
    key: FactKey
    at_us: int
    is_clock_suspect: bool

    @classmethod
    def of(
        cls,
        *,
        device_id: int,
        measured_at: datetime,
        message: int,
        reported_at: datetime | None,
        received_at: datetime,
        time_source: TimeSource,
        fix: Fix | None,
        readings: dict[str, Value],
        scans: Scans | None = None,
    ) -> Fact:
        """Return the fact with what follows from its times."""
        at_us = microseconds(measured_at)
        # Where nobody says when it was made, its first receipt stands in.
        reported_us = microseconds(reported_at or received_at)
        return cls(
            device_id=device_id,
            measured_at=measured_at,
            message=message,
            reported_at=reported_at,
            received_at=received_at,
            time_source=time_source,
            fix=fix,
            readings=readings,
            scans=scans,
            key=FactKey(at_us, reported_us, device_id, message),
            at_us=at_us,
            is_clock_suspect=is_clock_suspect(measured_at, received_at),
        )

    @property
    def identity(self) -> Identity:
        return self.device_id, self.measured_at, self.message


def fact_of(observation: Observation, *, device_id: int, received_at: datetime) -> Fact:
    return Fact.of(
        device_id=device_id,
        measured_at=observation.measured_at,
        message=message_of(observation),
        reported_at=observation.reported_at,
        received_at=received_at,
        time_source=observation.time_source,
        fix=observation.fix,
        readings=observation.readings,
        scans=observation.scans,
    )


def merged(one: Fact, other: Fact) -> Fact:
    """Return the one fact that two copies of a message make, the same in whatever order they came.

    The first receipt decides whether the clock was plausible; the last report is the one that
    counts among different messages of one moment.
    """
    return Fact.of(
        device_id=one.device_id,
        measured_at=one.measured_at,
        message=one.message,
        reported_at=max(filter(None, (one.reported_at, other.reported_at)), default=None),
        received_at=min(one.received_at, other.received_at),
        time_source=max(one.time_source, other.time_source, key=_TIME_RANK.__getitem__),
        fix=one.fix,
        readings=one.readings,
        scans=one.scans,
    )
