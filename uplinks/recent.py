"""The last uplinks of each source and device, with what their decoder noted, for people to see.

Kept in Redis, bounded and for some days, outside of any transaction: it may be lost. Joins,
acknowledgements and logs, which make no observation, are to be seen nowhere else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import redis
from django.conf import settings
from msgspec import Struct

from core.background import BackgroundQueue, OncePerProcess
from core.broadcast import connect
from core.errors import Unavailable

# So many of each source, and of each device.
KEPT = 50
# So many devices of one uplink.
MAX_DEVICES = 10
QUEUE_LIMIT = 1_000


class RecentUplink(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An uplink as its decoder and the road saw it.

    `dispositions` counts what became of its observations; `codes` say why some were not stored.
    """

    organisation_id: int
    source_id: int
    received_at: datetime
    wire_format: str
    message: str
    size: int
    devices: tuple[str, ...] = ()
    dispositions: dict[str, int] = {}
    codes: tuple[str, ...] = ()
    notes: dict[str, Any] = {}


# An uplink, and those of its devices that are registered: strangers fill no list of their own.
Queued = tuple[RecentUplink, Sequence[str]]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(RecentUplink).decode


class RecentUplinks(BackgroundQueue[Queued]):
    """Writes recent uplinks to Redis, soon."""

    content, receiver = "recent uplinks", "Redis"
    failures = (redis.RedisError, OSError)
    at_once = 100

    def __init__(self, connect: Callable[[], redis.Redis] = connect) -> None:
        self._connect = connect
        self._client: redis.Redis | None = None
        super().__init__(limit=QUEUE_LIMIT)

    def hand_out(self, items: Sequence[tuple[int, Queued]]) -> None:
        bodies: dict[str, list[bytes]] = defaultdict(list)
        for _, (uplink, devices) in items:
            body = _encode(uplink)
            bodies[_key_of_source(uplink.source_id)].append(body)
            for identifier in devices:
                bodies[_key_of_device(uplink.organisation_id, identifier)].append(body)
        if self._client is None:
            self._client = self._connect()
        lifetime = timedelta(days=settings.RECENT_UPLINKS_DAYS)
        with self._client.pipeline(transaction=False) as pipeline:
            for key, of_key in bodies.items():
                pipeline.lpush(key, *of_key[-KEPT:])
                pipeline.ltrim(key, 0, KEPT - 1)
                pipeline.expire(key, lifetime)
            pipeline.execute()


_queue = OncePerProcess(RecentUplinks)


def keep(uplink: RecentUplink, registered: Sequence[str]) -> None:
    """Keep an uplink with its source and with those of its devices that are registered.

    Never blocks and never raises for what Redis does.
    """
    _queue.get().put((uplink, registered))


def recent_of_source(source_id: int) -> list[RecentUplink]:
    """Return the last uplinks of a source, the newest first. Raises Unavailable without Redis."""
    return _recent([_key_of_source(source_id)])


def recent_of_devices(devices: Iterable[tuple[int, str]]) -> list[RecentUplink]:
    """Return the last uplinks of devices, each given by organisation and identifier, as above."""
    return _recent([_key_of_device(*device) for device in devices])


def _recent(keys: Sequence[str]) -> list[RecentUplink]:
    try:
        with connect() as client, client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.lrange(key, 0, KEPT - 1)
            lists = pipeline.execute()
    except (redis.RedisError, OSError) as error:
        raise Unavailable("Recent uplinks are not at hand just now.") from error
    found = [_decode(body) for bodies in lists for body in bodies]
    return sorted(found, key=lambda one: one.received_at, reverse=True)[:KEPT]


def _key_of_source(source_id: int) -> str:
    return f"{_prefix()}:source:{source_id}"


def _key_of_device(organisation_id: int, identifier: str) -> str:
    return f"{_prefix()}:device:{organisation_id}:{identifier}"


def _prefix() -> str:
    """Return the beginning of all keys: named after the database whose sources they are."""
    return f"uplinks:{settings.DATABASES['default']['NAME']}"
