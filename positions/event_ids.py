"""Event ids of senders: a repeat is recognised by its id even if the server set its time."""

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


class SenderEvent(Struct, frozen=True, gc=False):
    """An observation of a device with the event id of its sender, and a digest of its content."""

    device_id: int
    event_id: str
    measured_at: datetime
    message: int
    digest: bytes

    @property
    def key(self) -> tuple[int, str]:
        return self.device_id, self.event_id


def event_of(observation: Observation, device_id: int) -> SenderEvent | None:
    """Return the event, or None if the observation has no event id."""
    if observation.event_id is None:
        return None
    # A time set by the server is no part of the sender's content.
    sent_at = None if observation.time_source == "server" else observation.measured_at
    sent = (sent_at, observation.fix, observation.readings)
    content = _encode((*sent, observation.scans) if observation.scans else sent)
    digest = hashlib.blake2b(content, digest_size=16).digest()
    return SenderEvent(
        device_id,
        observation.event_id,
        observation.measured_at,
        message_of(observation),
        digest,
    )


def known_events(events: Sequence[SenderEvent]) -> dict[tuple[int, str], SenderEvent]:
    """Return the events whose ids are stored already, as they first came, by their keys."""
    if not events:
        return {}
    known = records(
        SenderEvent,
        "SELECT e.device_id, e.event_id, e.measured_at, e.message, e.digest"
        " FROM unnest(%s::bigint[], %s::text[]) AS k(d, n) JOIN positions_eventid e"
        " ON e.device_id = k.d AND e.event_id = k.n",
        [[event.device_id for event in events], [event.event_id for event in events]],
    )
    return {event.key: event for event in known}


def store_events(events: Sequence[SenderEvent]) -> None:
    """Store events, in the order of their keys; ids that are stored already stay unchanged."""
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
