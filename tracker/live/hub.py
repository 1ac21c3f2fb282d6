"""One per web process: takes frames from Redis, and wakes the viewers at each tick.

Everything here runs in one event loop; what asks the database does so in a thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import msgspec
import redis.asyncio
from django.conf import settings
from prometheus_client import Counter, Gauge
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from core.broadcast import Changed, Crossed, HubFrame, Message, Moved, channel
from positions.latest_columns import LatestColumns
from tracker.live import access, frames
from tracker.live.connection import LISTS, Allowance, Connection
from tracker.live.database import asked
from tracker.live.healing import Healer, Sources
from tracker.live.publishers import Publishers
from tracker.live.table import Table

logger = logging.getLogger(__name__)

ACCESS_EVERY_S = 3.0
SILENCE_CHECK_S = 1.0
RETRY_S = 0.5
VIEWERS = Gauge("tracker_live_viewers", "Open sockets of the live map")
LOSSES = Counter("tracker_live_losses", "Times that live messages were lost on their way")
_decode = msgspec.msgpack.Decoder(Message).decode


@dataclass(slots=True, eq=False)
class Viewer:
    """A connection with whose it is. `due` is set at each tick, and when access ends."""

    connection: Connection
    credential: access.Credential
    access: access.Access
    due: asyncio.Event = field(default_factory=asyncio.Event)
    is_ended: bool = False

    def end(self) -> None:
        self.is_ended = True
        self.due.set()

    def may_see(self, organisation_id: int) -> bool:
        permitted = self.access.permitted
        return permitted is None or organisation_id in permitted


class Hub:
    """Start it in the loop that serves the sockets."""

    def __init__(self, sources: Sources | None = None, *, redis_url: str = "") -> None:
        self.table = Table()
        self.tick_s = settings.LIVE_TICK_MS / 1000
        # The newest number of an alert, and how often the database turned out to be an older one.
        self.alerts_known = -1
        self.restores = 0
        self._newest_read = -1
        self._redis_url = redis_url or settings.REDIS_URL
        self._viewers: set[Viewer] = set()
        self._waiting: list[LatestColumns] = []
        self._allowance = Allowance()
        self._publishers = Publishers(now=time.monotonic())
        self._is_deaf = False
        self._healer = Healer(self.table, sources or Sources(), self._changed, self._alerted)
        self._tasks: list[asyncio.Task[None]] = []

    # --- life -------------------------------------------------------------

    def start(self) -> None:
        jobs = (self._listen, self._tick, self._watch_publishers, self._watch_access)
        for job in (*jobs, self._healer.run):
            self._tasks.append(asyncio.create_task(_for_ever(job)))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    @property
    def hears_redis(self) -> bool:
        return not self._is_deaf

    # --- viewers ----------------------------------------------------------

    def join(self, credential: access.Credential, opened: access.Access) -> Viewer:
        connection = Connection(
            self.table, opened.permitted, tick_s=self.tick_s, allowance=self._allowance
        )
        viewer = Viewer(connection, credential, opened)
        self._viewers.add(viewer)
        VIEWERS.inc()
        return viewer

    def part(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)
        VIEWERS.dec()

    async def recheck_access(self, viewers: Sequence[Viewer]) -> None:
        """End what is no longer allowed, and narrow or widen the rest (fault F-089)."""
        if not viewers:
            return
        now = await asked(partial(access.accesses, [viewer.credential for viewer in viewers]))
        for viewer in viewers:
            opened = now.get(viewer.credential)
            if opened is None or opened.user.pk != viewer.access.user.pk:
                viewer.end()
            else:
                viewer.access = opened
                viewer.connection.permit(opened.permitted)

    # --- frames -----------------------------------------------------------

    def receive(self, body: bytes) -> None:
        """Take what a publisher sent."""
        try:
            message = _decode(body)
            moved = [frames.columns_of(f) for f in message.frames if isinstance(f, Moved)]
        except (msgspec.MsgspecError, ValueError, TypeError, OverflowError) as error:
            logger.warning("a live message cannot be read: %s", error)
            self._healer.lost()
            return
        if self._publishers.heard(message, now=time.monotonic()):
            logger.info("live messages of publisher %s were lost", message.publisher)
            LOSSES.inc()
            self._healer.lost()
        self._waiting += moved
        for frame in message.frames:
            self._pass_on(frame)

    def tick(self) -> None:
        """Take what waits, and let every viewer see what it is owed."""
        waiting, self._waiting = self._waiting, []
        if not self.table.tick(waiting):
            self._healer.wanted()
        self._allowance.refill()
        for viewer in self._viewers:
            viewer.due.set()

    def _pass_on(self, frame: HubFrame) -> None:
        match frame:
            case Crossed():
                text = frames.text("crossing", crossing=frame.crossing)
                for viewer in self._viewers_of(frame.organisation_id):
                    viewer.connection.crossed(text)
            case Changed():
                self._changed(frame.what, organisation_id=frame.organisation_id)
                if frame.what == "assets":
                    self._healer.wanted(frame.organisation_id)

    def _viewers_of(self, organisation_id: int) -> list[Viewer]:
        return [viewer for viewer in self._viewers if viewer.may_see(organisation_id)]

    def _changed(self, *what: str, organisation_id: int | None = None) -> None:
        everyone = organisation_id is None
        for viewer in self._viewers if everyone else self._viewers_of(organisation_id or 0):
            viewer.connection.changed(*what)

    def _alerted(self, number: int) -> None:
        """Take the newest number that the database has; each viewer reads what is new to it."""
        if number < self._newest_read:
            self._begin_anew()
        self._newest_read = number
        self.alerts_known = max(self.alerts_known, number)

    def _begin_anew(self) -> None:
        """Begin an epoch: the database was restored to an older state."""
        logger.warning("the database is in an older state than before: viewers begin anew")
        self.restores += 1
        self.alerts_known = -1
        self.table.begin_anew()
        self._healer.wanted()
        self._changed(*LISTS)

    # --- jobs -------------------------------------------------------------

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time()
        while True:
            at = max(at + self.tick_s, loop.time())
            await asyncio.sleep(at - loop.time())
            self.tick()

    async def _watch_publishers(self) -> None:
        while True:
            await asyncio.sleep(SILENCE_CHECK_S)
            if self._publishers.fell_silent(now=time.monotonic()):
                self._healer.lost()

    async def _watch_access(self) -> None:
        while True:
            await asyncio.sleep(ACCESS_EVERY_S)
            await self.recheck_access(list(self._viewers))

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (redis.RedisError, OSError) as error:
                if not self._is_deaf:
                    logger.warning("the live hub does not hear Redis: %s", error)
                self._is_deaf = True
            await asyncio.sleep(RETRY_S)

    async def _listen_once(self) -> None:
        client = redis.asyncio.Redis.from_url(
            self._redis_url, socket_connect_timeout=2.0, retry=Retry(NoBackoff(), 0)
        )
        async with client, client.pubsub() as subscription:
            await subscription.subscribe(channel())
            # Asked for once in a while, since silence alone does not tell a dead line.
            pinged = False
            while True:
                heard = await subscription.get_message(timeout=5.0)
                if heard is None:
                    if pinged:
                        raise redis.ConnectionError("no answer")
                    await subscription.ping()
                    pinged = True
                    continue
                pinged = False
                self._heard(heard["type"], heard["data"])

    def _heard(self, kind: str, data: bytes) -> None:
        if kind == "message":
            self.receive(data)
        elif kind == "subscribe":
            # Also when the client library connected anew by itself.
            self._publishers = Publishers(now=time.monotonic())
            self._healer.lost()
            if self._is_deaf:
                logger.info("the live hub hears Redis again")
            self._is_deaf = False


async def _for_ever(job: Callable[[], Awaitable[None]]) -> None:
    """Run `job` again and again: a mistake in one round must not end the live map."""
    while True:
        try:
            await job()
        except Exception:
            logger.exception("a job of the live hub failed")
        await asyncio.sleep(1.0)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def ensure_started() -> Hub:
    """Return the hub of the running loop, started on the first call."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
        _hubs[loop].start()
    return _hubs[loop]
