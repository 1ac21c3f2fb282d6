"""The ingest application: the door with its threads, its spool and its start-up checks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from core.errors import Unavailable
from positions.durability import reason_of, require_durable
from positions.partitions import make_partitions
from tracker.ingest.asgi import Receive, Scope, Send, answer_over_asgi
from tracker.ingest.batcher import Batcher
from tracker.ingest.collector import calm_the_collector
from tracker.ingest.committer import Committer
from tracker.ingest.door import Admitted, Answer, Door
from tracker.ingest.metrics import CONTENT_TYPE, Metrics
from tracker.ingest.replies import Reply, problem_reply
from tracker.ingest.request import Head
from tracker.ingest.spool import Spool
from tracker.road.road_memory import memory_of_process

log = structlog.get_logger(__name__)

REFRESH_EVERY_S = 0.5
LOOPBACK = ("127.0.0.1", "::1", "")
# What a proxy adds to a request that it passes on.
FORWARDED = {
    "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip",
}  # fmt: skip
METRICS = ("/metrics", "/ingest/metrics")
INSPECTED = (*METRICS, "/healthz", "/readyz")
_TEXT = [(b"content-type", b"text/plain; charset=utf-8")]
_METRICS = [(b"content-type", CONTENT_TYPE.encode())]


class Ingest:
    """The door and what stands behind it, as `transport` and any ASGI server talk to it.

    Starts with the lifespan of its server, or with its first request where there is none.
    """

    def __init__(self) -> None:
        self._spool = Spool(settings.SPOOL_DIR, settings.SPOOL_MAX_BYTES)
        self._metrics = Metrics()
        # Two lanes: while the database works for one, the other can be decoded and judged.
        self._committer, self._second = (
            Committer(self._spool, self._metrics, settings.COMMIT_PATIENCE_S) for _ in range(2)
        )
        self._batcher: Batcher | None = None
        self._door: Door | None = None
        self._starting: asyncio.Lock | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if self._door is None and scope["path"] not in INSPECTED:
            await self._start_late()
        await answer_over_asgi(self, scope, receive, send, settings.READ_TIMEOUT_S)

    def admit(self, head: Head) -> Admitted | Reply:
        """Return who may come in, or the answer to what needs no body to be answered."""
        if head.path in INSPECTED:
            return self._inspected(head)
        if self._door is None:
            return problem_reply(Unavailable("nothing can be stored durably yet"))
        try:
            return self._door.admit(head)
        except Exception as error:  # the last resort: a bug of ours is a 500, never a hang
            return self._door.refuse(error)

    def take(self, admitted: Admitted, body: bytes, answer: Answer) -> None:
        """As the door's: answer once it is durable or refused."""
        assert self._door is not None, "it admitted"
        self._door.take(admitted, body, answer)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                if not await self._started_with_the_server(send):
                    return
            else:
                await self._stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _started_with_the_server(self, send: Send) -> bool:
        """Start; where that fails, let the server end with one line that says why."""
        try:
            await self._start()
        except ImproperlyConfigured as error:
            message = f"Refused to start: {error}"
        except (DatabaseError, InterfaceError) as error:
            message = f"Cannot start without the database: {reason_of(error)}"
        else:
            await send({"type": "lifespan.startup.complete"})
            return True
        await send({"type": "lifespan.startup.failed", "message": message})
        return False

    async def _start_late(self) -> None:
        """Start with the first request; where that fails, `admit` says so."""
        try:
            await self._start()
        except (DatabaseError, InterfaceError) as error:
            log.warning("ingest cannot start without the database", reason=reason_of(error))
        except ImproperlyConfigured as error:
            # The database was away when this process started, and came back like this.
            log.error("ingest refused to start", reason=str(error))  # noqa: TRY400  no bug of ours

    async def _start(self) -> None:
        if self._starting is None:
            self._starting = asyncio.Lock()
        async with self._starting:
            if self._door is not None:
                return
            await asyncio.to_thread(_prepare)
            self._batcher = Batcher(
                self._metrics,
                max_observations=settings.QUEUE_LIMIT_OBSERVATIONS,
                max_bytes=settings.QUEUE_LIMIT_BYTES,
            )
            self._tasks = [
                asyncio.create_task(self._batcher.run(self._committer.commit)),
                asyncio.create_task(self._batcher.run(self._second.commit, only_when_crowded=True)),
                asyncio.create_task(self._drain()),
            ]
            threading.Thread(
                target=_keep_fresh, args=(self._report,), name="refresh", daemon=True
            ).start()
            self._door = Door(memory_of_process().registry, self._batcher, self._metrics)

    async def _stop(self) -> None:
        if self._batcher is not None:
            await self._batcher.finish()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._committer.close()
        self._second.close()
        self._metrics.flush()

    async def _drain(self) -> None:
        while True:
            try:
                is_more = not self._spool.is_empty() and await self._committer.drain_some()
            except Exception:  # a bug of ours, or the disk: what is spooled stays, so try again
                log.exception("the spool could not be drained")
                is_more = False
            if not is_more:
                await asyncio.sleep(REFRESH_EVERY_S)

    def _report(self) -> None:
        """Report the metrics to the other processes of this door."""
        try:
            self._metrics.spool_bytes = self._spool.size_bytes()
            self._metrics.flush()
        except OSError as error:
            log.warning("the metrics cannot be reported", reason=str(error))

    def _inspected(self, head: Head) -> Reply:
        if head.path in METRICS:
            if not _is_of_this_machine(head):
                return Reply(404, _TEXT, b"")
            return Reply(200, _METRICS, self._metrics.page())
        status, body = 200, b"ok\n"
        if head.path == "/readyz" and self._committer.is_down:
            status, body = 503, b"the database does not take batches; spooling\n"
        return Reply(status, _TEXT, body)


def _is_of_this_machine(head: Head) -> bool:
    """Whether a scraper here asks, and no proxy for somebody else: counts tell of customers."""
    return head.peer in LOOPBACK and not head.headers.keys() & FORWARDED


def _prepare() -> None:
    """Check that a commit is durable and load what the door needs. Raises when it is not."""
    require_durable(connection)
    memory_of_process().registry.refresh()
    make_partitions(timezone.now())
    connection.close()
    calm_the_collector()


def _keep_fresh(report: Callable[[], None]) -> None:
    """Keep registry and zones up to date, so that batches seldom have to; report metrics."""
    is_broken = False
    while True:
        time.sleep(REFRESH_EVERY_S)
        report()
        try:
            close_old_connections()
            memory = memory_of_process()
            memory.registry.refresh()
            memory.zones.refresh()
            is_broken = False
        except (DatabaseError, InterfaceError) as error:
            connection.close()
            if not is_broken:
                log.warning("the registry is not refreshed: no database", reason=str(error)[:200])
            is_broken = True
