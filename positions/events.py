"""Senders' own names of observations: a repeat is known by them even when its time is ours."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from core.fact_order import message_of
from core.observation import Observation
from core.statements import records, run

_encode = msgspec.msgpack.Encoder().encode


class Event(Struct, frozen=True, gc=False):
    """An observation of a device under its sender's name."""

    device_id: int
    event_id: str
    measured_at: datetime
    message: int
    digest: bytes

    @property
    def key(self) -> tuple[int, str]:
        return self.device_id, self.event_id


def event_of(observation: Observation, device_id: int) -> Event | None:
    """Return the event, or None where the sender gives no names."""
    if observation.event_id is None:
        return None
    # A time that we gave ourselves is no part of what the sender said.
    said_at = None if observation.time_source == "server" else observation.measured_at
    said = (said_at, observation.fix, observation.readings)
    content = _encode((*said, observation.scans) if observation.scans else said)
    digest = hashlib.blake2b(content, digest_size=16).digest()
    return Event(
        device_id,
        observation.event_id,
        observation.measured_at,
        message_of(observation),
        digest,
    )


def recall(events: Sequence[Event]) -> dict[tuple[int, str], Event]:
    """Return those events that are known already, as they first were."""
    if not events:
        return {}
    known = records(
        Event,
        "SELECT e.device_id, e.event_id, e.measured_at, e.message, e.digest"
        " FROM unnest(%s::bigint[], %s::text[]) AS k(d, n) JOIN positions_eventid e"
        " ON e.device_id = k.d AND e.event_id = k.n",
        [[event.device_id for event in events], [event.event_id for event in events]],
    )
    return {event.key: event for event in known}


def remember(events: Sequence[Event]) -> None:
    """Remember events that were not known, in the order of their keys."""
    if not events:
        return
    fresh = sorted({event.key: event for event in events}.items())
    run(
        "INSERT INTO positions_eventid (device_id, event_id, measured_at, message, digest)"
        " SELECT * FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::bigint[],"
        " %s::bytea[])"
        " ON CONFLICT DO NOTHING",
        [
            [event.device_id for _, event in fresh],
            [event.event_id for _, event in fresh],
            [event.measured_at for _, event in fresh],
            [event.message for _, event in fresh],
            [event.digest for _, event in fresh],
        ],
    )
