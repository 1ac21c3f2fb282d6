"""The ingest application, as an HTTP server starts it: the door, and the intake behind it."""

from __future__ import annotations

import asyncio
import hmac

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError

from core.errors import Unavailable
from positions.durability import reason_of
from tracker.ingest.asgi import Receive, Scope, Send, answer_over_asgi
from tracker.ingest.door import AdmittedRequest, Door, SendReply
from tracker.ingest.door_metrics import CONTENT_TYPE, DoorMetrics, metrics_page
from tracker.ingest.replies import Reply, problem_reply
from tracker.ingest.request import RequestHead
from tracker.intake.garbage_collection import tune_garbage_collection
from tracker.intake.intake import Intake, IntakeLimits
from tracker.intake.spool import Spool
from tracker.road.road_memory import memory_of_process
from uplinks import recent

log = structlog.get_logger(__name__)

LOOPBACK = ("127.0.0.1", "::1", "")
# Headers that a proxy adds to a request that it forwards.
FORWARDING_HEADERS = {
    "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip",
}  # fmt: skip
METRICS_PATHS = ("/metrics", "/ingest/metrics")
MONITORING_PATHS = (*METRICS_PATHS, "/healthz", "/readyz")
_TEXT = [(b"content-type", b"text/plain; charset=utf-8")]
_METRICS = [(b"content-type", CONTENT_TYPE.encode())]


def intake_of_settings(metrics: DoorMetrics) -> Intake:
    return Intake(
        memory_of_process(),
        Spool(settings.SPOOL_DIR, settings.SPOOL_MAX_BYTES),
        IntakeLimits(
            waiting_observations=settings.QUEUE_LIMIT_OBSERVATIONS,
            waiting_bytes=settings.QUEUE_LIMIT_BYTES,
            commit_timeout_s=settings.COMMIT_TIMEOUT_S,
            observations_per_device_and_minute=settings.OBSERVATIONS_PER_DEVICE_AND_MINUTE,
        ),
        keep_uplink=recent.keep,
        report=metrics.flush,
    )


class IngestApplication:
    """The door and the intake behind it, for `transport` and for any ASGI server.

    Starts with the lifespan of its server, or with its first request if the server has none.
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
        if self._door is None and scope["path"] not in MONITORING_PATHS:
            await self._start_late()
        await answer_over_asgi(self, scope, receive, send, settings.READ_TIMEOUT_S)

    def admit(self, head: RequestHead) -> AdmittedRequest | Reply:
        """Return the admitted request, or the reply if none of its body is needed."""
        if head.path in MONITORING_PATHS:
            return self._monitoring_reply(head)
        if self._door is None:
            return problem_reply(Unavailable("nothing can be stored durably yet"))
        try:
            return self._door.admit(head)
        except Exception as error:  # the last resort: a bug of ours is a 500, never a hang
            return self._door.refuse(error)

    def take(self, admitted: AdmittedRequest, body: bytes, send_reply: SendReply) -> None:
        """Take the body of an admitted request; `send_reply` as in `Door.take`."""
        assert self._door is not None, "the door admitted the request"
        self._door.take(admitted, body, send_reply)

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
        """Start; if that fails, end the server with the reason in one line."""
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
        """Start with the first request; if that fails, `admit` replies Unavailable."""
        try:
            await self._start()
        except (DatabaseError, InterfaceError) as error:
            log.warning("ingest cannot start without the database", reason=reason_of(error))
        except ImproperlyConfigured as error:
            # The database was away when this process started, and is not durable now.
            log.error("ingest refused to start", reason=str(error))  # noqa: TRY400  no bug of ours

    async def _start(self) -> None:
        if self._starting is None:
            self._starting = asyncio.Lock()
        async with self._starting:
            if self._door is not None:
                return
            await self._intake.start()
            await asyncio.to_thread(tune_garbage_collection)
            self._door = Door(self._intake, self._metrics)

    async def _stop(self) -> None:
        if self._door is not None:
            await self._intake.stop()
        self._metrics.flush()

    def _monitoring_reply(self, head: RequestHead) -> Reply:
        if head.path in METRICS_PATHS:
            if not _may_read_metrics(head):
                return Reply(404, _TEXT, b"")
            for metrics in (self._intake.metrics, self._metrics):
                metrics.flush()
            return Reply(200, _METRICS, metrics_page())
        status, body = 200, b"ok\n"
        if head.path == "/readyz" and self._intake.is_database_down:
            status, body = 503, b"the database does not take batches; spooling\n"
        return Reply(status, _TEXT, body)


def _may_read_metrics(head: RequestHead) -> bool:
    """Return whether the request brings `METRICS_TOKEN`, or is from this machine where none is set.

    The counts would tell others about customers. Not every proxy on this machine says that it
    forwards: behind an https address only the token counts.
    """
    if settings.METRICS_TOKEN:
        token = head.headers.get("authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(token.encode(), settings.METRICS_TOKEN.encode())
    is_behind_proxy = settings.IS_HTTPS or settings.INGEST_URL.startswith("https://")
    is_forwarded = bool(head.headers.keys() & FORWARDING_HEADERS)
    return head.peer in LOOPBACK and not is_forwarded and not is_behind_proxy
