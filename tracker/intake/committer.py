"""The thread that stores and judges batches, and the timeout of a commit.

A database that hangs raises no error. So after the timeout the socket of the running statement is
shut down: the thread gets an error at once, and the batch goes to the intake log.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import OperationalError, connection

from core.errors import TrackerError, Unavailable
from tracker import pipeline
from tracker.intake.intake_log import IntakeLog
from tracker.intake.intake_metrics import IntakeMetrics
from tracker.intake.storing_in_parts import DATABASE_AWAY, ObservationsFailed, receive_in_parts
from tracker.road.delivery import Delivery, Receipt, spooled_receipt
from tracker.road.road_memory import RoadMemory

log = structlog.get_logger(__name__)

PROBE_EVERY_S = 0.5
# Deadlocks and serialisation failures: the transaction may be retried at once (fault F-156).
RETRIABLE_SQLSTATES = ("40001", "40P01")
MAX_ATTEMPTS = 3
# Called in the thread after a commit, with the deliveries and the receipt or error of each.
OnOutcomes = Callable[[Sequence[Delivery], Sequence[Receipt | TrackerError]], None]


class Committer:
    """Commits one batch at a time; appends it to the log while the database takes none."""

    def __init__(
        self,
        memory: RoadMemory,
        intake_log: IntakeLog,
        metrics: IntakeMetrics,
        *,
        timeout_s: float,
        on_outcomes: OnOutcomes = lambda _, __: None,
    ) -> None:
        self._memory = memory
        self._log = intake_log
        self._metrics = metrics
        self._timeout_s = timeout_s
        self._on_outcomes = on_outcomes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="committer")
        self._log_thread = ThreadPoolExecutor(1, thread_name_prefix="intake-log")
        self._descriptor: int | None = None
        self._next_probe_at_s = 0.0
        self._is_draining = False
        self.is_database_down = False

    async def commit(self, deliveries: Sequence[Delivery]) -> list[Receipt | TrackerError]:
        """Return the receipt or error of each delivery, once durable in the database or the log."""
        # While a batch of the log retries the database, others need not wait for it.
        if self.is_database_down and (
            self._is_draining or time.monotonic() < self._next_probe_at_s
        ):
            return await self._append_to_log(deliveries)
        try:
            receipts = await self._receive_in_thread(deliveries)
        except DATABASE_AWAY as error:
            self._mark_down(error)
            return await self._append_to_log(deliveries)
        self._mark_up()
        return receipts

    async def drain_batch(self, at_most: int) -> bool:
        """Store and judge a batch of the log, if one waits; return whether that was done."""
        if self.is_database_down and time.monotonic() < self._next_probe_at_s:
            return False
        batch = await asyncio.to_thread(self._log.take, at_most)
        if batch is None:
            return False
        self._is_draining = True
        try:
            while (unstorable := await self._drain_deliveries(batch.deliveries)) is None:
                # The database sends no event when it is back.
                await asyncio.sleep(PROBE_EVERY_S)
        finally:
            self._is_draining = False
        self._metrics.drained += sum(len(one.observations) for one in batch.deliveries)
        await asyncio.to_thread(batch.done, unstorable)
        return True

    async def _drain_deliveries(self, deliveries: Sequence[Delivery]) -> list[Delivery] | None:
        """Store and judge deliveries of the log; return those that can never be stored.

        None if the database takes no batches now: then all of them stay in the log.
        """
        try:
            answers = await self._receive_in_thread(deliveries, is_acknowledged=True)
        except DATABASE_AWAY as error:
            self._mark_down(error)
            return None
        self._mark_up()
        pairs = zip(deliveries, answers, strict=True)
        return [delivery for delivery, answer in pairs if isinstance(answer, TrackerError)]

    async def _receive_in_thread(
        self, deliveries: Sequence[Delivery], *, is_acknowledged: bool = False
    ) -> list[Receipt | TrackerError]:
        work = asyncio.get_running_loop().run_in_executor(
            self._thread, self._receive_and_report, deliveries, is_acknowledged
        )
        done, _ = await asyncio.wait([work], timeout=self._timeout_s)
        if not done:
            self._shut_socket()
        # A connection that was shut down fails within moments; else the thread is abandoned.
        return await asyncio.wait_for(asyncio.shield(work), timeout=self._timeout_s)

    def close(self) -> None:
        self._thread.shutdown(wait=False)
        self._log_thread.shutdown(wait=True)

    def _receive_and_report(
        self, deliveries: Sequence[Delivery], is_acknowledged: bool
    ) -> list[Receipt | TrackerError]:
        outcomes = self._receive_batch(deliveries, is_acknowledged=is_acknowledged)
        try:
            self._on_outcomes(deliveries, outcomes)
        except Exception:  # a bug of ours: committed deliveries must be answered all the same
            log.exception("the outcomes of a batch could not be recorded")
        return outcomes

    def _receive_batch(
        self, deliveries: Sequence[Delivery], *, is_acknowledged: bool
    ) -> list[Receipt | TrackerError]:
        # The descriptor of a closed connection may be reused for the socket of a sender.
        self._descriptor = None
        if self.is_database_down:
            connection.close()
        connection.ensure_connection()
        self._descriptor = connection.connection.fileno()
        try:
            return list(self._receive_with_retries(deliveries))
        except DATABASE_AWAY:
            self._descriptor = None
            connection.close()
            raise
        except Exception:  # a bug of ours: one bad uplink must not fail its neighbours
            log.exception("a batch could not be stored", deliveries=len(deliveries))
            return [
                self._receive_alone(delivery, is_acknowledged=is_acknowledged)
                for delivery in deliveries
            ]

    def _receive_with_retries(self, deliveries: Sequence[Delivery]) -> list[Receipt]:
        for _ in range(MAX_ATTEMPTS):
            try:
                return pipeline.receive(deliveries, self._memory)
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", None) not in RETRIABLE_SQLSTATES:
                    raise
        raise Unavailable("the database asks to try again")

    def _receive_alone(
        self, delivery: Delivery, *, is_acknowledged: bool
    ) -> Receipt | TrackerError:
        try:
            return receive_in_parts(
                delivery,
                lambda part: self._receive_with_retries([part])[0],
                is_acknowledged=is_acknowledged,
            )
        except ObservationsFailed as error:
            return error
        except DATABASE_AWAY:
            raise
        except Exception:  # as above
            log.exception("an uplink could not be stored", source=delivery.source_id)
            return Unavailable("this uplink could not be stored")

    def _shut_socket(self) -> None:
        """Shut the socket of the running statement, which then fails in its thread."""
        if self._descriptor is None:
            return
        try:
            duplicate = socket.socket(fileno=os.dup(self._descriptor))
        except OSError:
            return  # It is closed already.
        with duplicate:
            try:
                duplicate.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.info("the database connection was gone already")

    async def _append_to_log(self, deliveries: Sequence[Delivery]) -> list[Receipt | TrackerError]:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._log_thread, self._log.append, deliveries)
        except Unavailable as error:
            return [error] * len(deliveries)
        self._metrics.spooled += sum(len(delivery.observations) for delivery in deliveries)
        return [spooled_receipt(delivery) for delivery in deliveries]

    def _mark_down(self, error: BaseException) -> None:
        if not self.is_database_down:
            log.warning("the database does not take batches; spooling", reason=str(error)[:200])
        self.is_database_down = True
        self._next_probe_at_s = time.monotonic() + PROBE_EVERY_S

    def _mark_up(self) -> None:
        if self.is_database_down:
            log.warning("the database takes batches again")
        self.is_database_down = False
