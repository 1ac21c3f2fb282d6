"""The reports that share a batch. The commit is a stand-in that keeps the sizes of batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from core.errors import TrackerError
from tracker.intake import batcher as batching
from tracker.intake.batcher import Batcher
from tracker.intake.intake_metrics import IntakeMetrics
from tracker.road.delivery import Delivery, Receipt

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
PATIENCE_S = 5.0


class Senders:
    """So many senders that report again, `pause_s` after each answer, some times."""

    def __init__(self, batcher: Batcher, count: int, times: int, pause_s: float = 0.0) -> None:
        self._batcher = batcher
        self._pause_s = pause_s
        self._left = count * times
        self._times = [times] * count
        self.done = asyncio.Event()

    def begin(self) -> None:
        for number in range(len(self._times)):
            self._report(number)

    def _report(self, number: int) -> None:
        self._times[number] -= 1
        delivery = Delivery(organisation_id=1, received_at=NOON)
        self._batcher.submit(delivery, 0, lambda _: self._answered(number))

    def _answered(self, number: int) -> None:
        self._left -= 1
        if self._times[number]:
            loop = asyncio.get_running_loop()
            loop.call_later(self._pause_s, self._report, number)
        if not self._left:
            self.done.set()


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Batcher, list[int]]]:
    """Yield a batcher at work, and the sizes of the batches that it commits."""
    sizes: list[int] = []

    async def commit(deliveries: Sequence[Delivery]) -> list[Receipt | TrackerError]:
        sizes.append(len(deliveries))
        await asyncio.sleep(0)
        return [Receipt(()) for _ in deliveries]

    batcher = Batcher(IntakeMetrics(), max_observations=1000, max_bytes=1000)
    work = asyncio.create_task(batcher.run(commit))
    try:
        yield batcher, sizes
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


async def test_senders_that_report_again_at_once_share_the_next_batch():
    async with running() as (batcher, sizes):
        senders = Senders(batcher, count=40, times=5, pause_s=0.0)
        senders.begin()
        await asyncio.wait_for(senders.done.wait(), PATIENCE_S)

    assert sizes == [40] * 5


async def test_a_single_report_does_not_wait(monkeypatch):
    monkeypatch.setattr(batching, "GATHER_STEP_S", 10 * PATIENCE_S)

    async with running() as (batcher, sizes):
        senders = Senders(batcher, count=1, times=5)
        senders.begin()
        await asyncio.wait_for(senders.done.wait(), PATIENCE_S)

    assert sizes == [1] * 5


async def test_a_batch_does_not_wait_for_senders_that_do_not_report_again():
    async with running() as (batcher, sizes):
        crowd = Senders(batcher, count=40, times=1)
        crowd.begin()
        await asyncio.wait_for(crowd.done.wait(), PATIENCE_S)
        late = Senders(batcher, count=1, times=2)
        late.begin()
        await asyncio.wait_for(late.done.wait(), PATIENCE_S)

    assert sizes == [40, 1, 1]
