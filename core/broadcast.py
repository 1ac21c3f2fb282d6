"""Frames from the road to the live hubs, through Redis and never in its way.

A thread of its own sends them: a slow or missing Redis delays no commit. What is lost on the way
is noticed by the hub from the publisher's numbers and heartbeats, and made good from the database.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import redis
from django.conf import settings

from core.background import BackgroundQueue, OncePerProcess

logger = logging.getLogger(__name__)

BEAT_EVERY_S = 2.0
# A publisher that had nothing to say for so long says so, and beats no more.
REST_AFTER_S = 60.0
QUEUE_LIMIT = 10_000


class _Frame(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    organisation_id: int


class Moved(_Frame, frozen=True, kw_only=True, tag="moved"):
    """The latest states that one batch changed in one organisation, as equally long columns.

    `columns` are those that `positions.live_columns` declares, by name; absent is None.
    """

    id: list[int]
    columns: dict[str, list[int | None]]


class Crossed(_Frame, frozen=True, kw_only=True, tag="crossed"):
    """A crossing that was added, moved or withdrawn; `crossing` as in the REST API."""

    crossing: dict[str, Any]


class Alerted(_Frame, frozen=True, kw_only=True, tag="alerted"):
    """An alert changed: hubs read what is new from the database, by number."""

    number: int


class Changed(_Frame, frozen=True, kw_only=True, tag="changed"):
    """A list of who and what (`assets`, `geofences`) changed and should be read again."""

    what: str


Frame = Moved | Crossed | Alerted | Changed


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes over the wire. Without frames it is a heartbeat.

    `number` counts the messages with frames of one publisher; a heartbeat repeats the last.
    """

    publisher: str
    number: int
    frames: list[Frame] = []
    is_resting: bool = False


def channel() -> str:
    """Return the Redis channel: named after the database whose truth it carries."""
    return f"live:{settings.DATABASES['default']['NAME']}"


def connect() -> redis.Redis:
    """Return a client that gives up soon and leaves trying again to its caller."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=1.0, socket_connect_timeout=1.0, retry=None
    )


class Publisher(BackgroundQueue[Sequence[Frame]]):
    """Publishes the frames of one process, each lot as one message under its number."""

    content, receiver = "live frames", "Redis"
    failures = (redis.RedisError, OSError)
    at_once = 100

    def __init__(
        self,
        connect: Callable[[], redis.Redis] = connect,
        *,
        beat_every_s: float = BEAT_EVERY_S,
        rest_after_s: float = REST_AFTER_S,
        queue_limit: int = QUEUE_LIMIT,
    ) -> None:
        self.name = secrets.token_hex(8)
        self._connect = connect
        self._client: redis.Redis | None = None
        self._beat_every_s, self._rest_after_s = beat_every_s, rest_after_s
        self._spoke_at: float | None = None
        super().__init__(limit=queue_limit)

    def patience_s(self) -> float | None:
        return None if self._spoke_at is None else self._beat_every_s

    def hand_out(self, items: Sequence[tuple[int, Sequence[Frame]]]) -> None:
        now = time.monotonic()
        if items:
            self._spoke_at = now
        elif self._spoke_at is not None and now - self._spoke_at > self._rest_after_s:
            self._spoke_at = None
        bodies = [body for numbered in items if (body := self._body(*numbered))]
        self._publish(bodies or [self._beat(is_resting=self._spoke_at is None)])

    def farewell(self) -> None:
        self._publish([self._beat(is_resting=True)])

    def _body(self, number: int, frames: Sequence[Frame]) -> bytes | None:
        message = Message(publisher=self.name, number=number, frames=list(frames))
        try:
            return msgspec.msgpack.encode(message)
        except (TypeError, ValueError, OverflowError):
            # Our own mistake must not cost the other messages; hubs see the gap.
            logger.exception("a live frame cannot be written")
            return None

    def _beat(self, *, is_resting: bool) -> bytes:
        with self._wake:
            # What is still queued has a number already, but was not sent.
            sent = self._queue[0][0] - 1 if self._queue else self._number
        return msgspec.msgpack.encode(
            Message(publisher=self.name, number=sent, is_resting=is_resting)
        )

    def _publish(self, bodies: list[bytes]) -> None:
        if self._client is None:
            self._client = self._connect()
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                for body in bodies:
                    pipeline.publish(channel(), body)
                pipeline.execute()
        except (redis.RedisError, OSError):
            self._client.close()
            self._client = None
            raise


_publisher = OncePerProcess(Publisher)


def publish(frames: Sequence[Frame]) -> None:
    """Send `frames` to every hub, soon. Never blocks, never raises for what Redis does."""
    if frames:
        _publisher.get().put(frames)
