"""Frames from the road to the live hubs, through Redis and never in its way.

`publish` hands frames to a thread of its own: a slow or missing Redis delays no
commit. What is lost on the way is noticed by the hub from the publisher's numbers
and heartbeats, and made good from the database.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import redis
from django.conf import settings

logger = logging.getLogger(__name__)

BEAT_EVERY_S = 2.0
# A publisher that had nothing to say for so long says so, and beats no more.
REST_AFTER_S = 60.0
QUEUE_LIMIT = 10_000
FAREWELL_S = 1.0


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


class Publisher:
    """A bounded queue and the thread that empties it, for one process."""

    def __init__(
        self,
        connect: Callable[[], redis.Redis] = connect,
        *,
        beat_every_s: float = BEAT_EVERY_S,
        rest_after_s: float = REST_AFTER_S,
        queue_limit: int = QUEUE_LIMIT,
    ) -> None:
        self.name = secrets.token_hex(8)
        self.pid = os.getpid()
        self.dropped = 0
        self._connect = connect
        self._client: redis.Redis | None = None
        self._beat_every_s, self._rest_after_s = beat_every_s, rest_after_s
        self._queue: deque[tuple[int, Sequence[Frame]]] = deque(maxlen=queue_limit)
        self._number = 0
        self._wake = threading.Condition()
        self._is_leaving = self._is_broken = False
        self._thread = threading.Thread(target=self._run, name="broadcast", daemon=True)
        self._thread.start()

    def put(self, frames: Sequence[Frame]) -> None:
        """Queue `frames` as one message. When full the oldest message is dropped: hubs notice."""
        with self._wake:
            self._number += 1
            self.dropped += len(self._queue) == self._queue.maxlen
            self._queue.append((self._number, frames))
            self._wake.notify()

    def leave(self, within_s: float = FAREWELL_S) -> None:
        """Send what is queued, say goodbye and end the thread, if that takes no longer."""
        if self.pid != os.getpid():
            return
        with self._wake:
            self._is_leaving = True
            self._wake.notify()
        self._thread.join(within_s)

    def _run(self) -> None:
        spoke_at = float("-inf")
        while True:
            batch, is_leaving = self._next(is_awake=spoke_at > float("-inf"))
            now = time.monotonic()
            if batch:
                spoke_at = now
            is_resting = is_leaving or now - spoke_at > self._rest_after_s
            self._send(batch, is_resting=is_resting)
            if is_leaving:
                return
            if is_resting:
                spoke_at = float("-inf")

    def _next(self, *, is_awake: bool) -> tuple[list[tuple[int, Sequence[Frame]]], bool]:
        """Wait for something to send, or for the next beat while awake."""
        with self._wake:
            if not self._queue and not self._is_leaving:
                self._wake.wait(self._beat_every_s if is_awake else None)
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), 100))]
            return batch, self._is_leaving and not self._queue

    def _send(self, batch: list[tuple[int, Sequence[Frame]]], *, is_resting: bool) -> None:
        bodies = [body for number, frames in batch if (body := self._body(number, frames))]
        if not batch or is_resting:
            bodies.append(self._beat(is_resting=is_resting))
        try:
            self._publish(bodies)
        except (redis.RedisError, OSError) as error:
            self._broke(error)
        else:
            self._mended()

    def _body(self, number: int, frames: Sequence[Frame]) -> bytes | None:
        message = Message(publisher=self.name, number=number, frames=list(frames))
        try:
            return msgspec.msgpack.encode(message)
        except (TypeError, ValueError, OverflowError):
            # Our own mistake must not end the thread; hubs see the gap.
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
        with self._client.pipeline(transaction=False) as pipeline:
            for body in bodies:
                pipeline.publish(channel(), body)
            pipeline.execute()

    def _broke(self, error: Exception) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None
        if not self._is_broken:
            logger.warning("live frames do not reach Redis: %s", error)
        self._is_broken = True
        # Do not spin through a full queue against a closed door.
        time.sleep(0 if self._is_leaving else 0.2)

    def _mended(self) -> None:
        if self._is_broken:
            logger.info("live frames reach Redis again; dropped %d", self.dropped)
        self._is_broken = False


_publisher: Publisher | None = None
_starting = threading.Lock()


def publish(frames: Sequence[Frame]) -> None:
    """Send `frames` to every hub, soon. Never blocks, never raises for what Redis does."""
    global _publisher
    if not frames:
        return
    publisher = _publisher
    # A forked child has the parent's object but not its thread.
    if publisher is None or publisher.pid != os.getpid():
        with _starting:
            if _publisher is None or _publisher.pid != os.getpid():
                _publisher = Publisher()
                atexit.register(_publisher.leave)
            publisher = _publisher
    publisher.put(frames)


def _after_fork() -> None:
    # Another thread may have held the lock while the process forked.
    global _starting
    _starting = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
