"""The thread that takes batches down the road, and the watch that no batch waits too long.

A database that hangs gives no error. So the watch shuts the socket under a statement that
takes longer than patience allows; the thread then gets its error at once, and the batch
goes to the intake log.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import InterfaceError, OperationalError, connection
from msgspec import structs

from core.errors import TrackerError, Unavailable
from tracker import pipeline
from tracker.intake.intake_log import IntakeLog
from tracker.intake.metrics import IntakeMetrics
from tracker.road.delivery import Delivery, Receipt, spooled_receipt
from tracker.road.road_memory import RoadMemory

log = structlog.get_logger(__name__)

PROBE_EVERY_S = 0.5
# Deadlocks and serialisation failures: the database asks to be asked again (fault F-156).
REPEATABLE = ("40001", "40P01")
MAX_REPEATS = 3
_NO_DATABASE = (OperationalError, InterfaceError, Unavailable, TimeoutError)


# Called in the thread, with deliveries and what became of each, when that is committed.
OnOutcomes = Callable[[Sequence[Delivery], Sequence[Receipt | TrackerError]], None]


class Committer:
    """Commits one batch at a time; gives it to the log while the database cannot."""

    def __init__(
        self,
        memory: RoadMemory,
        intake_log: IntakeLog,
        metrics: IntakeMetrics,
        *,
        patience_s: float,
        on_outcomes: OnOutcomes = lambda _, __: None,
    ) -> None:
        self._memory = memory
        self._log = intake_log
        self._metrics = metrics
        self._patience_s = patience_s
        self._on_outcomes = on_outcomes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="committer")
        self._appender = ThreadPoolExecutor(1, thread_name_prefix="intake-log")
        self._descriptor: int | None = None
        self._down_until = 0.0
        self._is_draining = False
        self.is_down = False

    async def commit(self, deliveries: Sequence[Delivery]) -> list[Receipt | TrackerError]:
        """Return what became of each delivery, once it is durable in the database or the log."""
        # While a batch of the log tries the database again and again, no other need wait for it.
        if self.is_down and (self._is_draining or time.monotonic() < self._down_until):
            return await self._to_log(deliveries)
        try:
            receipts = await self._on_thread(deliveries)
        except _NO_DATABASE as error:
            self._note_down(error)
            return await self._to_log(deliveries)
        self._note_up()
        return receipts

    async def drain_some(self, at_most: int) -> bool:
        """Take a batch of the log down the road, if one waits and the database answers."""
        if self.is_down and time.monotonic() < self._down_until:
            return False
        batch = await asyncio.to_thread(self._log.take, at_most)
        if batch is None:
            return False
        self._is_draining = True
        try:
            while (unstorable := await self._drained(batch.deliveries)) is None:
                # The database is the one to wait for, and it raises no event.
                await asyncio.sleep(PROBE_EVERY_S)
        finally:
            self._is_draining = False
        self._metrics.drained += sum(len(one.observations) for one in batch.deliveries)
        await asyncio.to_thread(batch.done, unstorable)
        return True

    async def _drained(self, deliveries: Sequence[Delivery]) -> list[Delivery] | None:
        """As `commit`, but what the database cannot take now stays in the log: then None.

        Returns those that it will never take.
        """
        try:
            answers = await self._on_thread(deliveries)
        except _NO_DATABASE as error:
            self._note_down(error)
            return None
        self._note_up()
        pairs = zip(deliveries, answers, strict=True)
        return [delivery for delivery, answer in pairs if isinstance(answer, TrackerError)]

    async def _on_thread(self, deliveries: Sequence[Delivery]) -> list[Receipt | TrackerError]:
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._receive, deliveries)
        done, _ = await asyncio.wait([work], timeout=self._patience_s)
        if not done:
            self._cut()
        # A cut connection errs within moments; a thread that does not is left behind.
        return await asyncio.wait_for(asyncio.shield(work), timeout=self._patience_s)

    def close(self) -> None:
        self._thread.shutdown(wait=False)
        self._appender.shutdown(wait=True)

    def _receive(self, deliveries: Sequence[Delivery]) -> list[Receipt | TrackerError]:
        outcomes = self._received(deliveries)
        try:
            self._on_outcomes(deliveries, outcomes)
        except Exception:  # a bug of ours: what is committed must be answered all the same
            log.exception("what became of a batch could not be noted")
        return outcomes

    def _received(self, deliveries: Sequence[Delivery]) -> list[Receipt | TrackerError]:
        # Once closed, its number may become that of a sender's socket.
        self._descriptor = None
        if self.is_down:
            connection.close()
        connection.ensure_connection()
        self._descriptor = connection.connection.fileno()
        try:
            return list(self._repeating(deliveries))
        except _NO_DATABASE:
            self._descriptor = None
            connection.close()
            raise
        except Exception:  # a bug of ours: one bad uplink must not fail its neighbours
            log.exception("a batch could not be stored", deliveries=len(deliveries))
            return [self._alone(delivery) for delivery in deliveries]

    def _repeating(self, deliveries: Sequence[Delivery]) -> list[Receipt]:
        for _ in range(MAX_REPEATS):
            try:
                return pipeline.receive(deliveries, self._memory)
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", None) not in REPEATABLE:
                    raise
        raise Unavailable("the database asks to try again")

    def _alone(self, delivery: Delivery) -> Receipt | TrackerError:
        """Return what becomes of one delivery; who cannot be refused has it set aside at worst."""
        attempts = [delivery]
        if delivery.is_lenient:
            reason = "unstorable: the server cannot store what it read here"
            attempts.append(
                structs.replace(
                    delivery, observations=(), indexes=(), refusals=(), set_aside=reason
                )
            )
        for attempt in attempts:
            try:
                return self._repeating([attempt])[0]
            except _NO_DATABASE:
                raise
            except Exception:  # as above
                log.exception("an uplink could not be stored", source=delivery.source_id)
        return Unavailable("this uplink could not be stored")

    def _cut(self) -> None:
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

    async def _to_log(self, deliveries: Sequence[Delivery]) -> list[Receipt | TrackerError]:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._appender, self._log.append, deliveries)
        except Unavailable as error:
            return [error] * len(deliveries)
        self._metrics.spooled += sum(len(delivery.observations) for delivery in deliveries)
        return [spooled_receipt(delivery) for delivery in deliveries]

    def _note_down(self, error: BaseException) -> None:
        if not self.is_down:
            log.warning("the database does not take batches; spooling", reason=str(error)[:200])
        self.is_down = True
        self._down_until = time.monotonic() + PROBE_EVERY_S

    def _note_up(self) -> None:
        if self.is_down:
            log.warning("the database takes batches again")
        self.is_down = False
