"""The thread that takes batches down the road, and the watch that no batch waits too long.

A database that hangs gives no error. So the watch shuts the socket under a statement that
takes longer than patience allows; the thread then gets its error at once, and the batch
goes to the spool.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import InterfaceError, OperationalError, connection
from msgspec import structs

from core.errors import TrackerError, Unavailable
from tracker import pipeline
from tracker.ingest.metrics import Metrics
from tracker.ingest.spool import Records, Spool
from tracker.road.delivery import Delivery, Receipt, spooled_receipt
from tracker.road.road_memory import memory_of_process

log = structlog.get_logger(__name__)

PROBE_EVERY_S = 0.5
# Deadlocks and serialisation failures: the database asks to be asked again (fault F-156).
REPEATABLE = ("40001", "40P01")
MAX_REPEATS = 3
_NO_DATABASE = (OperationalError, InterfaceError, Unavailable, TimeoutError)


class Committer:
    """Commits one batch at a time; spools while the database cannot."""

    def __init__(self, spool: Spool, metrics: Metrics, patience_s: float) -> None:
        self._spool = spool
        self._metrics = metrics
        self._patience_s = patience_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="committer")
        self._spooler = ThreadPoolExecutor(1, thread_name_prefix="spooler")
        self._descriptor: int | None = None
        self._down_until = 0.0
        self._is_draining = False
        self.is_down = False

    async def commit(self, deliveries: Sequence[Delivery]) -> list[Receipt | TrackerError]:
        """Return what became of each delivery, once it is durable in the database or the spool."""
        # While a spooled batch tries the database again and again, no other need wait for it.
        if self.is_down and (self._is_draining or time.monotonic() < self._down_until):
            return await self._to_spool(deliveries)
        try:
            receipts = await self._on_thread(deliveries)
        except _NO_DATABASE as error:
            self._note_down(error)
            return await self._to_spool(deliveries)
        self._note_up()
        return receipts

    async def drain_some(self) -> bool:
        """Take one spool file down the road, if there is one and the database answers."""
        if self.is_down and time.monotonic() < self._down_until:
            return False
        path = self._spool.adopt()
        if path is None:
            return False
        records = Records(path)
        self._is_draining = True
        try:
            for deliveries in records:
                while not await self._drained(deliveries):
                    # The database is the one to wait for, and it raises no event.
                    await asyncio.sleep(PROBE_EVERY_S)
                self._metrics.drained += sum(len(d.observations) for d in deliveries)
        finally:
            self._is_draining = False
        self._spool.forget(path, is_whole=records.is_whole)
        log.info("spool file drained", file=path.name)
        return True

    async def _drained(self, deliveries: Sequence[Delivery]) -> bool:
        """As `commit`, but what fails stays where it is: in its file."""
        try:
            answers = await self._on_thread(deliveries)
        except _NO_DATABASE as error:
            self._note_down(error)
            return False
        self._note_up()
        pairs = zip(deliveries, answers, strict=True)
        unstorable = [delivery for delivery, answer in pairs if isinstance(answer, TrackerError)]
        if unstorable:
            # They were acknowledged; nobody will send them again.
            await asyncio.to_thread(self._spool.put_by, unstorable)
        return True

    async def _on_thread(self, deliveries: Sequence[Delivery]) -> list[Receipt | TrackerError]:
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._receive, deliveries)
        done, _ = await asyncio.wait([work], timeout=self._patience_s)
        if not done:
            self._cut()
        # A cut connection errs within moments; a thread that does not is left behind.
        return await asyncio.wait_for(asyncio.shield(work), timeout=self._patience_s)

    def close(self) -> None:
        self._thread.shutdown(wait=False)
        self._spooler.shutdown(wait=True)

    def _receive(self, deliveries: Sequence[Delivery]) -> list[Receipt | TrackerError]:
        # Once closed, its number may become that of a sender's socket.
        self._descriptor = None
        if self.is_down:
            connection.close()
        connection.ensure_connection()
        self._descriptor = connection.connection.fileno()
        try:
            return list(_repeating(deliveries))
        except _NO_DATABASE:
            self._descriptor = None
            connection.close()
            raise
        except Exception:  # a bug of ours: one bad uplink must not fail its neighbours
            log.exception("a batch could not be stored", deliveries=len(deliveries))
            return [_alone(delivery) for delivery in deliveries]

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

    async def _to_spool(self, deliveries: Sequence[Delivery]) -> list[Receipt | TrackerError]:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._spooler, self._spool.append, deliveries)
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


def _repeating(deliveries: Sequence[Delivery]) -> list[Receipt]:
    for _ in range(MAX_REPEATS):
        try:
            return pipeline.receive(deliveries, memory_of_process())
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) not in REPEATABLE:
                raise
    raise Unavailable("the database asks to try again")


def _alone(delivery: Delivery) -> Receipt | TrackerError:
    """Return what becomes of one delivery; who cannot be refused has it set aside at worst."""
    attempts = [delivery]
    if delivery.is_lenient:
        reason = "unstorable: the server cannot store what it read here"
        attempts.append(
            structs.replace(delivery, observations=(), indexes=(), refusals=(), set_aside=reason)
        )
    for attempt in attempts:
        try:
            return _repeating([attempt])[0]
        except _NO_DATABASE:
            raise
        except Exception:  # as above
            log.exception("an uplink could not be stored", source=delivery.source_id)
    return Unavailable("this uplink could not be stored")
