"""The ingest application: the door over HTTP in front of the intake, as a server starts it."""

from __future__ import annotations

import asyncio

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError

from core.errors import Unavailable
from positions.durability import reason_of
from tracker.ingest.asgi import Receive, Scope, Send, answer_over_asgi
from tracker.ingest.door import Admitted, Answer, Door
from tracker.ingest.metrics import CONTENT_TYPE, DoorMetrics, page
from tracker.ingest.replies import Reply, problem_reply
from tracker.ingest.request import Head
from tracker.intake.collector import calm_the_collector
from tracker.intake.intake import Intake, Limits
from tracker.intake.spool import Spool
from tracker.road.road_memory import memory_of_process
from uplinks import recent

log = structlog.get_logger(__name__)

LOOPBACK = ("127.0.0.1", "::1", "")
# What a proxy adds to a request that it passes on.
FORWARDED = {
    "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip",
}  # fmt: skip
METRICS = ("/metrics", "/ingest/metrics")
INSPECTED = (*METRICS, "/healthz", "/readyz")
_TEXT = [(b"content-type", b"text/plain; charset=utf-8")]
_METRICS = [(b"content-type", CONTENT_TYPE.encode())]


def intake_of_settings(metrics: DoorMetrics) -> Intake:
    return Intake(
        memory_of_process(),
        Spool(settings.SPOOL_DIR, settings.SPOOL_MAX_BYTES),
        Limits(
            waiting_observations=settings.QUEUE_LIMIT_OBSERVATIONS,
            waiting_bytes=settings.QUEUE_LIMIT_BYTES,
            commit_patience_s=settings.COMMIT_PATIENCE_S,
            observations_per_device_and_minute=settings.OBSERVATIONS_PER_DEVICE_AND_MINUTE,
        ),
        keep=recent.keep,
        report=metrics.flush,
    )


class Ingest:
    """The door and the intake behind it, as `transport` and any ASGI server talk to it.

    Starts with the lifespan of its server, or with its first request where there is none.
    """

    def __init__(self) -> None:
        self._metrics = DoorMetrics()
        self._intake = intake_of_settings(self._metrics)
        self._door: Door | None = None
        self._starting: asyncio.Lock | None = None

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
            await self._intake.start()
            await asyncio.to_thread(calm_the_collector)
            self._door = Door(self._intake, self._metrics)

    async def _stop(self) -> None:
        if self._door is not None:
            await self._intake.stop()
        self._metrics.flush()

    def _inspected(self, head: Head) -> Reply:
        if head.path in METRICS:
            if not _is_of_this_machine(head):
                return Reply(404, _TEXT, b"")
            for metrics in (self._intake.metrics, self._metrics):
                metrics.flush()
            return Reply(200, _METRICS, page())
        status, body = 200, b"ok\n"
        if head.path == "/readyz" and self._intake.is_down:
            status, body = 503, b"the database does not take batches; spooling\n"
        return Reply(status, _TEXT, body)


def _is_of_this_machine(head: Head) -> bool:
    """Whether a scraper here asks, and no proxy for somebody else: counts tell of customers."""
    return head.peer in LOOPBACK and not head.headers.keys() & FORWARDED
