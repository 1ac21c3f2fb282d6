"""Frames from the road to the live hubs, through Redis.

A background thread sends them: a slow or missing Redis delays no commit. The hub notices lost
frames by the publisher's numbers and heartbeats, and reads the database instead.
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
from core.socket_groups import nudge_about_alert

logger = logging.getLogger(__name__)

BEAT_EVERY_S = 2.0
# A publisher without frames for so long announces that it rests, and stops its heartbeats.
REST_AFTER_S = 60.0
QUEUE_LIMIT = 10_000


class _Frame(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    organisation_id: int


class Moved(_Frame, frozen=True, kw_only=True, tag="moved"):
    """The latest states that one batch changed in one organisation, as equally long columns.

    `columns` are the columns of `positions.live_columns`, by name; absent is None.
    """

    id: list[int]
    columns: dict[str, list[int | None]]


class Crossed(_Frame, frozen=True, kw_only=True, tag="crossed"):
    """A crossing that was added, moved or withdrawn; `crossing` as in the REST API."""

    crossing: dict[str, Any]


class Alerted(_Frame, frozen=True, kw_only=True):
    """A changed alert: rare, so it goes to the sockets directly, see `core.socket_groups`."""

    number: int


class Changed(_Frame, frozen=True, kw_only=True, tag="changed"):
    """A list that the console holds (`assets`, `geofences`) changed and should be read again."""

    what: str


HubFrame = Moved | Crossed | Changed
Frame = HubFrame | Alerted


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message of a publisher to the hubs. Without frames it is a heartbeat.

    `number` counts a publisher's messages with frames; a heartbeat repeats the last number.
    """

    publisher: str
    number: int
    frames: list[HubFrame] = []
    is_resting: bool = False


class SealedMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `Message` as a hub reads it: each frame by itself, so that a bad one spoils no other."""

    publisher: str
    number: int
    frames: list[msgspec.Raw] = []
    is_resting: bool = False


def channel() -> str:
    """Return the name of the Redis channel, which contains the name of the database."""
    return f"live:{settings.DATABASES['default']['NAME']}"


def connect() -> redis.Redis:
    """Return a client with short timeouts that leaves retrying to its caller."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=1.0, socket_connect_timeout=1.0, retry=None
    )


class Publisher(BackgroundQueue[Sequence[HubFrame]]):
    """Publishes the frames of this process; the frames of one `put` are one numbered message."""

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
        self._last_frames_at: float | None = None
        super().__init__(limit=queue_limit)

    def wait_s(self) -> float | None:
        return None if self._last_frames_at is None else self._beat_every_s

    def hand_out(self, items: Sequence[tuple[int, Sequence[HubFrame]]]) -> None:
        now = time.monotonic()
        if items:
            self._last_frames_at = now
        elif self._last_frames_at is not None and now - self._last_frames_at > self._rest_after_s:
            self._last_frames_at = None
        bodies = [body for numbered in items if (body := self._body(*numbered))]
        self._publish(bodies or [self._beat(is_resting=self._last_frames_at is None)])

    def finish(self) -> None:
        self._publish([self._beat(is_resting=True)])

    def _body(self, number: int, frames: Sequence[HubFrame]) -> bytes | None:
        message = Message(publisher=self.name, number=number, frames=list(frames))
        try:
            return msgspec.msgpack.encode(message)
        except (TypeError, ValueError, OverflowError):
            # Our own mistake must not lose the other messages; hubs see the gap.
            logger.exception("a live frame cannot be written")
            return None

    def _beat(self, *, is_resting: bool) -> bytes:
        with self._wake:
            # Queued messages have numbers already, but were not sent.
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
    """Send `frames` to the concerned hubs and sockets, soon. Never blocks, never raises."""
    for_hubs = [frame for frame in frames if not isinstance(frame, Alerted)]
    if for_hubs:
        _publisher.get().put(for_hubs)
    for frame in frames:
        if isinstance(frame, Alerted):
            nudge_about_alert(frame.organisation_id, frame.number)
