"""Group commit: while one batch commits, the next one fills; a single report does not wait."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog
from msgspec import Struct

from core.errors import TrackerError, Unavailable
from tracker.intake.intake_metrics import IntakeMetrics
from tracker.road.delivery import Delivery, Receipt

log = structlog.get_logger(__name__)

BATCH_OBSERVATIONS = 1000
# With so many observations waiting while a batch commits, the second committer takes a batch too.
SECOND_COMMITTER_BACKLOG = 200
# After a batch of so many deliveries the next batch waits while further ones arrive each
# millisecond, up to the number of steps.
GATHER_AFTER_DELIVERIES = 8
GATHER_STEP_S, MAX_GATHER_STEPS = 0.001, 4

Commit = Callable[[Sequence[Delivery]], Awaitable[list[Receipt | TrackerError]]]
OnResult = Callable[[Receipt | TrackerError], None]


class QueuedDelivery(Struct):
    delivery: Delivery
    on_result: OnResult
    n_bytes: int


class Batcher:
    """Collects deliveries and commits them in batches, one at a time for each call of `run`.

    Bounded by observations and bytes: beyond either limit `submit` raises Unavailable.
    """

    def __init__(self, metrics: IntakeMetrics, *, max_observations: int, max_bytes: int) -> None:
        self._metrics = metrics
        self._max_observations = max_observations
        self._max_bytes = max_bytes
        self._queue: deque[QueuedDelivery] = deque()
        self._pending_observations = 0
        self._pending_bytes = 0
        self._has_queued = asyncio.Event()
        self._has_backlog = asyncio.Event()
        self._queued_observations = 0

    def submit(self, delivery: Delivery, n_bytes: int, on_result: OnResult) -> None:
        """Queue a delivery; `on_result` gets its receipt once it is durable, or an error.

        Raises Unavailable when full. Call it in the event loop, where `on_result` is called, too.
        """
        weight = max(len(delivery.observations), 1)
        is_full = (
            self._pending_observations + weight > self._max_observations
            or self._pending_bytes + n_bytes > self._max_bytes
        )
        if is_full:
            raise Unavailable("too much is waiting to be stored", retry_after_s=2)
        self._queue.append(QueuedDelivery(delivery, on_result, n_bytes))
        self._pending_observations += weight
        self._queued_observations += weight
        self._pending_bytes += n_bytes
        self._metrics.waiting = self._pending_observations
        self._has_queued.set()
        if self._queued_observations >= SECOND_COMMITTER_BACKLOG:
            self._has_backlog.set()

    async def run(self, commit: Commit, *, only_with_backlog: bool = False) -> None:
        """Commit batches for ever, one at a time; several calls may run side by side.

        A call `only_with_backlog` leaves small batches to the others: a shared commit is cheaper.
        """
        signal = self._has_backlog if only_with_backlog else self._has_queued
        served = 0
        while True:
            await signal.wait()
            if served >= GATHER_AFTER_DELIVERIES:
                await self._gather()
            batch = self._take_batch()
            served = len(batch)
            if batch:
                await self._commit_batch(commit, batch)

    async def _gather(self) -> None:
        """Wait, some milliseconds at most, while senders that were just answered report again.

        If they are split into two batches, a report costs a third more than in a single batch.
        """
        for _ in range(MAX_GATHER_STEPS):
            n_before = self._queued_observations
            await asyncio.sleep(GATHER_STEP_S)
            if (
                self._queued_observations == n_before
                or self._queued_observations >= BATCH_OBSERVATIONS
            ):
                return

    async def finish(self) -> None:
        """Return when no delivery is waiting any more."""
        while self._queue or self._pending_observations:
            await asyncio.sleep(0.01)

    def _take_batch(self) -> list[QueuedDelivery]:
        batch: list[QueuedDelivery] = []
        weight = 0
        while self._queue and weight < BATCH_OBSERVATIONS:
            queued = self._queue.popleft()
            weight += max(len(queued.delivery.observations), 1)
            batch.append(queued)
        self._queued_observations -= weight
        if not self._queue:
            self._has_queued.clear()
        if self._queued_observations < SECOND_COMMITTER_BACKLOG:
            self._has_backlog.clear()
        return batch

    async def _commit_batch(self, commit: Commit, batch: list[QueuedDelivery]) -> None:
        began_at = time.perf_counter()
        try:
            results = await commit([queued.delivery for queued in batch])
        except Exception as error:  # a bug of ours must not stop the door: log it and go on
            log.exception("a batch failed")
            results = [Unavailable(f"internal error: {type(error).__name__}")] * len(batch)
        # Count first, so that a sender that is answered finds its report in the metrics.
        self._metrics.commit_s.observe(time.perf_counter() - began_at)
        self._count(batch, results)
        for queued, result in zip(batch, results, strict=True):
            _pass_result(queued, result)

    def _count(
        self, batch: list[QueuedDelivery], results: Sequence[Receipt | TrackerError]
    ) -> None:
        metrics = self._metrics
        metrics.batches += 1
        metrics.batch_size.observe(len(batch))
        for queued in batch:
            weight = len(queued.delivery.observations)
            metrics.observations += weight
            self._pending_observations -= max(weight, 1)
            self._pending_bytes -= queued.n_bytes
        metrics.waiting = self._pending_observations
        for result in results:
            if isinstance(result, Receipt):
                for outcome in result.outcomes:
                    outcomes = metrics.outcomes
                    outcomes[outcome.disposition] = outcomes.get(outcome.disposition, 0) + 1


def _pass_result(queued: QueuedDelivery, result: Receipt | TrackerError) -> None:
    try:
        queued.on_result(result)
    except Exception:  # a bug of ours must not deprive the rest of the batch of their results
        log.exception("an answer could not be given")
