"""A position as it is stored: a message of a device about a moment (ADR 12)."""

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
# Device, moment and message, by which a repeat is recognised.
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
    # Computed from the others once, since the road uses them many times.
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
        """Return the fact with the members that are computed from its times."""
        at_us = microseconds(measured_at)
        # Without a report time, the time of its first receipt counts.
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


def merged(fact: Fact, copy: Fact) -> Fact:
    """Return the fact that two copies of a message make, whatever their order.

    The first receipt decides whether the clock was plausible; the last report time counts in the
    order of messages of the same moment.
    """
    return Fact.of(
        device_id=fact.device_id,
        measured_at=fact.measured_at,
        message=fact.message,
        reported_at=max(filter(None, (fact.reported_at, copy.reported_at)), default=None),
        received_at=min(fact.received_at, copy.received_at),
        time_source=max(fact.time_source, copy.time_source, key=_TIME_RANK.__getitem__),
        fix=fact.fix,
        readings=fact.readings,
        scans=fact.scans,
    )
