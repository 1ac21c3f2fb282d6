"""Group commit: while one batch commits, the next one fills; a lonely report waits for nobody."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog
from msgspec import Struct

from core.errors import TrackerError, Unavailable
from tracker.intake.metrics import IntakeMetrics
from tracker.road.delivery import Delivery, Receipt

log = structlog.get_logger(__name__)

BATCH_OBSERVATIONS = 1000
# With so many waiting while a batch commits, a second one goes beside it.
CROWD = 200
# After a batch of so many the next one waits as long as there are more each millisecond.
COMPANY = 8
GATHER_S, GATHER_AT_MOST = 0.001, 4

Commit = Callable[[Sequence[Delivery]], Awaitable[list[Receipt | TrackerError]]]
Done = Callable[[Receipt | TrackerError], None]


class Waiting(Struct):
    delivery: Delivery
    done: Done
    n_bytes: int


class Batcher:
    """Collects deliveries and hands them out in batches, one at a time to each lane.

    Bounded by observations and bytes: beyond either, `submit` raises Unavailable at once.
    """

    def __init__(self, metrics: IntakeMetrics, *, max_observations: int, max_bytes: int) -> None:
        self._metrics = metrics
        self._max_observations = max_observations
        self._max_bytes = max_bytes
        self._queue: deque[Waiting] = deque()
        self._observations = 0
        self._bytes = 0
        self._filled = asyncio.Event()
        self._crowded = asyncio.Event()
        self._queued = 0

    def submit(self, delivery: Delivery, n_bytes: int, done: Done) -> None:
        """Queue a delivery; `done` gets its receipt once it is durable, or what became of it.

        Raises Unavailable when full. Call it, and `done` will be called, in the event loop.
        """
        weight = max(len(delivery.observations), 1)
        is_full = (
            self._observations + weight > self._max_observations
            or self._bytes + n_bytes > self._max_bytes
        )
        if is_full:
            raise Unavailable("too much is waiting to be stored", retry_after_s=2)
        self._queue.append(Waiting(delivery, done, n_bytes))
        self._observations += weight
        self._queued += weight
        self._bytes += n_bytes
        self._metrics.waiting = self._observations
        self._filled.set()
        if self._queued >= CROWD:
            self._crowded.set()

    async def run(self, commit: Commit, *, only_when_crowded: bool = False) -> None:
        """Commit batches for ever, in a lane of their own.

        A lane for crowds leaves small batches to the others: what is shared is cheaper.
        """
        signal = self._crowded if only_when_crowded else self._filled
        served = 0
        while True:
            await signal.wait()
            if served >= COMPANY:
                await self._gather()
            batch = self._next()
            served = len(batch)
            if batch:
                await self._commit_batch(commit, batch)

    async def _gather(self) -> None:
        """Wait while those who were just answered report again, a moment at most.

        With a batch for each half of them a report costs a third more than with one for all.
        """
        for _ in range(GATHER_AT_MOST):
            waiting = self._queued
            await asyncio.sleep(GATHER_S)
            if self._queued == waiting or self._queued >= BATCH_OBSERVATIONS:
                return

    async def finish(self) -> None:
        """Return when nothing is waiting any more."""
        while self._queue or self._observations:
            await asyncio.sleep(0.01)

    def _next(self) -> list[Waiting]:
        batch: list[Waiting] = []
        weight = 0
        while self._queue and weight < BATCH_OBSERVATIONS:
            waiting = self._queue.popleft()
            weight += max(len(waiting.delivery.observations), 1)
            batch.append(waiting)
        self._queued -= weight
        if not self._queue:
            self._filled.clear()
        if self._queued < CROWD:
            self._crowded.clear()
        return batch

    async def _commit_batch(self, commit: Commit, batch: list[Waiting]) -> None:
        began_at = time.perf_counter()
        try:
            answers = await commit([waiting.delivery for waiting in batch])
        except Exception as error:  # a bug of ours must not stop the door: say so and go on
            log.exception("a batch failed")
            answers = [Unavailable(f"internal error: {type(error).__name__}")] * len(batch)
        # First the books, so that who reads an answer finds it counted.
        self._metrics.commit_s.note(time.perf_counter() - began_at)
        self._count(batch, answers)
        for waiting, answer in zip(batch, answers, strict=True):
            _answer(waiting, answer)

    def _count(self, batch: list[Waiting], answers: Sequence[Receipt | TrackerError]) -> None:
        metrics = self._metrics
        metrics.batches += 1
        metrics.batch_size.note(len(batch))
        for waiting in batch:
            weight = len(waiting.delivery.observations)
            metrics.observations += weight
            self._observations -= max(weight, 1)
            self._bytes -= waiting.n_bytes
        metrics.waiting = self._observations
        for answer in answers:
            if isinstance(answer, Receipt):
                for outcome in answer.outcomes:
                    outcomes = metrics.outcomes
                    outcomes[outcome.disposition] = outcomes.get(outcome.disposition, 0) + 1


def _answer(waiting: Waiting, answer: Receipt | TrackerError) -> None:
    try:
        waiting.done(answer)
    except Exception:  # a bug of ours must not keep the others of the batch from their answers
        log.exception("an answer could not be given")
