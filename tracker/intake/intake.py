"""The intake: doors submit uplinks here, and get the receipt or error of each."""

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
from tracker.intake.batcher import BATCH_OBSERVATIONS, Batcher, OnResult
from tracker.intake.committer import Committer
from tracker.intake.delivery_factory import DeliveryFactory
from tracker.intake.intake_log import IntakeLog
from tracker.intake.intake_metrics import IntakeMetrics
from tracker.intake.quotas import Quota
from tracker.intake.recent_uplink_recorder import KeepRecentUplink, RecentUplinkRecorder
from tracker.intake.refreshing import REFRESH_EVERY_S, Refresher
from tracker.road.road_memory import RoadMemory
from wire.uplink import Uplink
from wire.wire_format import WireFormat

log = structlog.get_logger(__name__)


class IntakeLimits(Struct, frozen=True, kw_only=True):
    """The limits of waiting uplinks, of the time of a commit, and of reports of a device."""

    waiting_observations: int
    waiting_bytes: int
    commit_timeout_s: float
    observations_per_device_and_minute: int


class Intake:
    """Takes uplinks of trusted senders and passes on a receipt once each is durable.

    Start and stop it in the event loop that it is used in. `keep_uplink` gets the recent uplinks.
    `report` is called twice a second, from a thread, after the intake's own metrics were flushed.
    """

    def __init__(
        self,
        memory: RoadMemory,
        intake_log: IntakeLog,
        limits: IntakeLimits,
        *,
        keep_uplink: KeepRecentUplink = lambda _, __: None,
        report: Callable[[], None] = lambda: None,
    ) -> None:
        self.metrics = IntakeMetrics()
        self._memory = memory
        self._log = intake_log
        self._report_others = report
        self._recorder = RecentUplinkRecorder(memory.registry, keep_uplink)
        quota = Quota(limits.observations_per_device_and_minute)
        self._delivery_factory = DeliveryFactory(memory.registry, quota, self._recorder)
        self._batcher = Batcher(
            self.metrics,
            max_observations=limits.waiting_observations,
            max_bytes=limits.waiting_bytes,
        )
        # Two committers, pipelined: while the database works for one, the other judges.
        self._committer, self._second_committer = (
            Committer(
                memory,
                intake_log,
                self.metrics,
                timeout_s=limits.commit_timeout_s,
                on_outcomes=self._recorder.record_outcomes,
            )
            for _ in range(2)
        )
        self._refresher = Refresher(memory, self._report)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def registry(self) -> Registry:
        """The registry of sources and devices, refreshed twice a second."""
        return self._memory.registry

    @property
    def is_database_down(self) -> bool:
        """True while the database takes no batches, which go to the log."""
        return self._committer.is_database_down

    def submit(
        self, uplink: Uplink, origin: Origin, wire_format: WireFormat, on_result: OnResult
    ) -> None:
        """Take an uplink; `on_result` gets its receipt once it is durable, or an error.

        Raises Refused if the sender must correct it, and Unavailable if too much waits; then
        `on_result` is not called. Call it in the event loop, where `on_result` is called, too.
        """
        try:
            delivery = self._delivery_factory.make(uplink, origin, wire_format)
        except Refused as error:
            self._recorder.record_refusal(uplink, origin, wire_format, error)
            raise
        self._batcher.submit(delivery, len(uplink.body), on_result)

    async def start(self) -> None:
        """Begin to take uplinks.

        Raises ImproperlyConfigured if commits would not be durable, and DatabaseError or
        InterfaceError without a database, since then no sender is known.
        """
        await asyncio.to_thread(self._prepare)
        self._tasks = [
            asyncio.create_task(self._batcher.run(self._committer.commit)),
            asyncio.create_task(
                self._batcher.run(self._second_committer.commit, only_with_backlog=True)
            ),
            asyncio.create_task(self._drain()),
        ]
        self._refresher.start()

    async def stop(self) -> None:
        """Pass on the results of all uplinks that were taken, and end."""
        await self._batcher.finish()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._refresher.stop()
        self._committer.close()
        self._second_committer.close()
        self.metrics.flush()

    def _prepare(self) -> None:
        require_durable(connection)
        self._memory.registry.refresh()
        make_partitions(timezone.now())
        connection.close()

    async def _drain(self) -> None:
        while True:
            try:
                is_more = await self._committer.drain_batch(BATCH_OBSERVATIONS)
            except (
                Exception
            ):  # a bug of ours, or the disk: the batch stays in the log, so try again
                log.exception("deliveries of the intake log could not be stored")
                is_more = False
            if not is_more:
                await asyncio.sleep(REFRESH_EVERY_S)

    def _report(self) -> None:
        try:
            self.metrics.spool_bytes = self._log.waiting_bytes()
            self.metrics.flush()
            self._report_others()
        except OSError as error:
            log.warning("the metrics cannot be reported", reason=str(error))
