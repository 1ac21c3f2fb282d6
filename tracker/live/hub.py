"""The hub of a web process: takes frames from Redis, and wakes the viewers at each tick.

All of it runs in one event loop; only queries run in threads.
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

from core.broadcast import Changed, Crossed, HubFrame, Moved, SealedMessage, channel
from positions.latest_columns import LatestColumns
from tracker.live import access, frames
from tracker.live.connection import LISTS, Allowance, ViewerConnection
from tracker.live.database_threads import query_in_thread
from tracker.live.publishers import Publishers
from tracker.live.reconciling import Queries, Reconciler
from tracker.live.table import Table

logger = logging.getLogger(__name__)

ACCESS_EVERY_S = 3.0
SILENCE_CHECK_S = 1.0
RETRY_S = 0.5
VIEWERS = Gauge("tracker_live_viewers", "Open sockets of the live map")
LOSSES = Counter("tracker_live_losses", "Times that live messages were lost on their way")
_decode_message = msgspec.msgpack.Decoder(SealedMessage).decode
_decode_frame = msgspec.msgpack.Decoder(HubFrame).decode


@dataclass(slots=True, eq=False)
class Viewer:
    """A connection with its user. `due` is set at each tick, and when access ends."""

    connection: ViewerConnection
    credential: access.SocketCredential
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
    """The table, its viewers and its jobs. Started in the loop that serves the sockets."""

    def __init__(self, queries: Queries | None = None, *, redis_url: str = "") -> None:
        self.table = Table()
        self.tick_s = settings.LIVE_TICK_MS / 1000
        # The newest number of an alert, and how often the database turned out to be an older one.
        self.newest_alert = -1
        self.restores = 0
        self._newest_read = -1
        self._redis_url = redis_url or settings.REDIS_URL
        self._viewers: set[Viewer] = set()
        self._waiting: list[LatestColumns] = []
        self._allowance = Allowance()
        self._publishers = Publishers(now=time.monotonic())
        self._is_disconnected = False
        self._reconciler = Reconciler(
            self.table, queries or Queries(), self._pass_changed_lists, self._note_alert
        )
        self._tasks: list[asyncio.Task[None]] = []

    # --- life -------------------------------------------------------------

    def start(self) -> None:
        jobs = (self._listen, self._tick, self._watch_publishers, self._watch_access)
        for job in (*jobs, self._reconciler.run):
            self._tasks.append(asyncio.create_task(_run_forever(job)))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    @property
    def is_connected_to_redis(self) -> bool:
        return not self._is_disconnected

    # --- viewers ----------------------------------------------------------

    def join(self, credential: access.SocketCredential, opened: access.Access) -> Viewer:
        connection = ViewerConnection(
            self.table, opened.permitted, tick_s=self.tick_s, allowance=self._allowance
        )
        viewer = Viewer(connection, credential, opened)
        self._viewers.add(viewer)
        VIEWERS.inc()
        return viewer

    def leave(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)
        VIEWERS.dec()

    async def recheck_access(self, viewers: Sequence[Viewer]) -> None:
        """End viewers without access, and update the access of the others (fault F-089)."""
        if not viewers:
            return
        credentials = [viewer.credential for viewer in viewers]
        accesses = await query_in_thread(partial(access.accesses_of, credentials))
        for viewer in viewers:
            opened = accesses.get(viewer.credential)
            if opened is None or opened.user.pk != viewer.access.user.pk:
                viewer.end()
            else:
                viewer.access = opened
                viewer.connection.permit(opened.permitted)

    # --- frames -----------------------------------------------------------

    def receive(self, body: bytes) -> None:
        """Take a message of a publisher; a frame that cannot be read is left out alone."""
        try:
            message = _decode_message(body)
        except msgspec.MsgspecError as error:
            logger.warning("a live message cannot be read: %s", error)
            self._reconciler.report_loss()
            return
        if self._publishers.record(message, now=time.monotonic()):
            logger.info("live messages of publisher %s were lost", message.publisher)
            LOSSES.inc()
            self._reconciler.report_loss()
        for sealed in message.frames:
            try:
                self._forward(_decode_frame(sealed))
            except (msgspec.MsgspecError, ValueError, TypeError, OverflowError) as error:
                logger.warning("a live frame cannot be read: %s", error)
                self._reconciler.report_loss()

    def tick(self) -> None:
        """Write the waiting rows to the table, and wake every viewer."""
        waiting, self._waiting = self._waiting, []
        if not self.table.tick(waiting):
            self._reconciler.request_read()
        self._allowance.refill()
        for viewer in self._viewers:
            viewer.due.set()

    def _forward(self, frame: HubFrame) -> None:
        match frame:
            case Moved():
                self._waiting.append(frames.columns_of(frame))
            case Crossed():
                text = frames.text("crossing", crossing=frame.crossing)
                for viewer in self._viewers_of(frame.organisation_id):
                    viewer.connection.add_crossing(text)
            case Changed():
                self._pass_changed_lists(frame.what, organisation_id=frame.organisation_id)
                if frame.what == "assets":
                    self._reconciler.request_read(frame.organisation_id)

    def _viewers_of(self, organisation_id: int) -> list[Viewer]:
        return [viewer for viewer in self._viewers if viewer.may_see(organisation_id)]

    def _pass_changed_lists(self, *lists: str, organisation_id: int | None = None) -> None:
        is_for_all = organisation_id is None
        for viewer in self._viewers if is_for_all else self._viewers_of(organisation_id or 0):
            viewer.connection.add_changed_lists(*lists)

    def _note_alert(self, number: int) -> None:
        """Take the newest number that the database has; each viewer reads what is new to it."""
        if number < self._newest_read:
            self._begin_epoch()
        self._newest_read = number
        self.newest_alert = max(self.newest_alert, number)

    def _begin_epoch(self) -> None:
        """Begin an epoch: the database was restored to an older state."""
        logger.warning("the database is in an older state than before: viewers begin again")
        self.restores += 1
        self.newest_alert = -1
        self.table.begin_epoch()
        self._reconciler.request_read()
        self._pass_changed_lists(*LISTS)

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
            if self._publishers.drop_silent(now=time.monotonic()):
                self._reconciler.report_loss()

    async def _watch_access(self) -> None:
        while True:
            await asyncio.sleep(ACCESS_EVERY_S)
            await self.recheck_access(list(self._viewers))

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (redis.RedisError, OSError) as error:
                if not self._is_disconnected:
                    logger.warning("the live hub does not hear Redis: %s", error)
                self._is_disconnected = True
            await asyncio.sleep(RETRY_S)

    async def _listen_once(self) -> None:
        client = redis.asyncio.Redis.from_url(
            self._redis_url, socket_connect_timeout=2.0, retry=Retry(NoBackoff(), 0)
        )
        async with client, client.pubsub() as subscription:
            await subscription.subscribe(channel())
            # A ping after each silence: silence alone does not show that a connection is dead.
            pinged = False
            while True:
                received = await subscription.get_message(timeout=5.0)
                if received is None:
                    if pinged:
                        raise redis.ConnectionError("no answer")
                    await subscription.ping()
                    pinged = True
                    continue
                pinged = False
                self._handle(received["type"], received["data"])

    def _handle(self, kind: str, data: bytes) -> None:
        if kind == "message":
            self.receive(data)
        elif kind == "subscribe":
            # Also when the client library connected again by itself.
            self._publishers = Publishers(now=time.monotonic())
            self._reconciler.report_loss()
            if self._is_disconnected:
                logger.info("the live hub hears Redis again")
            self._is_disconnected = False


async def _run_forever(job: Callable[[], Awaitable[None]]) -> None:
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
