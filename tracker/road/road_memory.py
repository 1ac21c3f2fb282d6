"""The memory of the road beside the database: an argument, so that a test can pass its own."""

from __future__ import annotations

from collections.abc import Sequence

from assets.device_registry import Registry
from billing.metering import KnownHours
from geofence.zone_store import ZoneStore
from judging.differences import REACH_US
from judging.ledgers import Ledger
from judging.machine import CHECKPOINT_EVERY, FACTS_AT_ONCE, Machine
from tracker.road.road_ledgers import ledgers_over


class RoadMemory:
    """Copies of rows of the database, each at a revision, and the folds that judge."""

    def __init__(
        self,
        *,
        more_ledgers: Sequence[Ledger] = (),
        checkpoint_every: int = CHECKPOINT_EVERY,
        facts_at_once: int = FACTS_AT_ONCE,
        reach_us: int = REACH_US,
    ) -> None:
        self.registry = Registry()
        self.zones = ZoneStore()
        self.known_hours = KnownHours()
        self.ledgers = (*ledgers_over(self.zones), *more_ledgers)
        self.machine = Machine(
            [ledger.fold for ledger in self.ledgers],
            checkpoint_every=checkpoint_every,
            facts_at_once=facts_at_once,
            reach_us=reach_us,
        )


_of_process = RoadMemory()


def memory_of_process() -> RoadMemory:
    """Return the memory that all doors of this process share."""
    return _of_process


def replace_memory_of_process(memory: RoadMemory) -> None:
    """Use another memory from now on, as after a restart of the process."""
    global _of_process
    _of_process = memory
