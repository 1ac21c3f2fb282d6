"""The intake: every door submits its uplinks here, and hears what became of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog
from django.db import connection
from django.utils import timezone
from msgspec import Struct

from assets.device_registry import Origin, Registry
from core.errors import Refused
from positions.durability import require_durable
from positions.partitions import make_partitions
from tracker.intake.batcher import BATCH_OBSERVATIONS, Batcher, Done
from tracker.intake.committer import Committer
from tracker.intake.deliveries import DeliveryDesk
from tracker.intake.intake_log import IntakeLog
from tracker.intake.metrics import IntakeMetrics
from tracker.intake.noting import Keep, Noter
from tracker.intake.quotas import Quota
from tracker.intake.refreshing import REFRESH_EVERY_S, Refresher
from tracker.road.road_memory import RoadMemory
from wire.uplink import Uplink
from wire.wire_format import WireFormat

log = structlog.get_logger(__name__)


class Limits(Struct, frozen=True, kw_only=True):
    """How much may wait for a commit, for how long, and how often a device may report."""

    waiting_observations: int
    waiting_bytes: int
    commit_patience_s: float
    observations_per_device_and_minute: int


class Intake:
    """Takes uplinks of trusted senders and answers each once it is durable.

    Started and stopped in the event loop that it then lives in. What people may want to see of
    uplinks goes to `keep`. `report` is called twice a second, from a thread, after the intake's
    own metrics were flushed.
    """

    def __init__(
        self,
        memory: RoadMemory,
        intake_log: IntakeLog,
        limits: Limits,
        *,
        keep: Keep = lambda _, __: None,
        report: Callable[[], None] = lambda: None,
    ) -> None:
        self.metrics = IntakeMetrics()
        self._memory = memory
        self._log = intake_log
        self._report_more = report
        self._noter = Noter(memory.registry, keep)
        quota = Quota(limits.observations_per_device_and_minute)
        self._desk = DeliveryDesk(memory.registry, quota, self._noter)
        self._batcher = Batcher(
            self.metrics,
            max_observations=limits.waiting_observations,
            max_bytes=limits.waiting_bytes,
        )
        # Two lanes: while the database works for one, the other can be decoded and judged.
        self._committer, self._second = (
            Committer(
                memory,
                intake_log,
                self.metrics,
                patience_s=limits.commit_patience_s,
                on_outcomes=self._noter.keep_outcomes,
            )
            for _ in range(2)
        )
        self._refresher = Refresher(memory, self._report)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def registry(self) -> Registry:
        """Whose tokens are good, and which devices are known: as fresh as half a second."""
        return self._memory.registry

    @property
    def is_down(self) -> bool:
        """Whether the database does not take batches, so that they go to the log."""
        return self._committer.is_down

    def submit(self, uplink: Uplink, origin: Origin, wire_format: WireFormat, done: Done) -> None:
        """Take in an uplink; `done` gets its receipt once it is durable, or why it is not.

        Raises Refused for what the sender must mend, and Unavailable where too much waits; then
        `done` is not called. Call it, and `done` will be called, in the event loop.
        """
        try:
            delivery = self._desk.delivery(uplink, origin, wire_format)
        except Refused as error:
            self._noter.keep_refusal(uplink, origin, wire_format, error)
            raise
        self._batcher.submit(delivery, len(uplink.body), done)

    async def start(self) -> None:
        """Begin to take uplinks.

        Raises ImproperlyConfigured where a commit would not be durable, and DatabaseError or
        InterfaceError without a database: without one, no sender is known.
        """
        await asyncio.to_thread(self._prepare)
        self._tasks = [
            asyncio.create_task(self._batcher.run(self._committer.commit)),
            asyncio.create_task(self._batcher.run(self._second.commit, only_when_crowded=True)),
            asyncio.create_task(self._drain()),
        ]
        self._refresher.start()

    async def stop(self) -> None:
        """Answer all that was taken, and end."""
        await self._batcher.finish()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._refresher.stop()
        self._committer.close()
        self._second.close()
        self.metrics.flush()

    def _prepare(self) -> None:
        require_durable(connection)
        self._memory.registry.refresh()
        make_partitions(timezone.now())
        connection.close()

    async def _drain(self) -> None:
        while True:
            try:
                is_more = await self._committer.drain_some(BATCH_OBSERVATIONS)
            except Exception:  # a bug of ours, or the disk: what waits stays, so try again
                log.exception("what waits in the intake log could not be stored")
                is_more = False
            if not is_more:
                await asyncio.sleep(REFRESH_EVERY_S)

    def _report(self) -> None:
        try:
            self.metrics.spool_bytes = self._log.waiting_bytes()
            self.metrics.flush()
            self._report_more()
        except OSError as error:
            log.warning("the metrics cannot be reported", reason=str(error))
