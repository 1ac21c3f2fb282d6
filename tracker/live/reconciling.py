"""Making good from the database what frames did not bring.

Often what arrived lately, at once and wholly after a known loss, and wholly each minute. So a
viewer equals the database within seconds even while Redis is away, or after a process died
between its commit and its frame.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from django.db import Error

from alerts.stream import newest_number
from positions import latest_columns
from tracker.live.connection import LISTS
from tracker.live.database import asked
from tracker.live.table import Permitted, Slots, Table

logger = logging.getLogger(__name__)

SWEEP_EVERY_S: Final = 5.0
WHOLE_EVERY_S: Final = 60.0
SWEEP_WITHIN_S: Final = 30.0
# Two readings of the whole table follow each other no faster, whatever is lost.
PAUSE_S: Final = 0.5
# A frame follows its commit within this, if it ever does.
FRAME_WITHIN_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Sources:
    """What is asked, in a thread."""

    columns: Callable[..., latest_columns.LatestColumns] = latest_columns.read_columns
    newest_alert: Callable[[], int] = newest_number


class Healer:
    """Calls `changed` with lists that viewers should read again, `alerted` with a number."""

    def __init__(
        self,
        table: Table,
        sources: Sources,
        changed: Callable[..., None],
        alerted: Callable[[int], None],
    ) -> None:
        self._table, self._sources = table, sources
        self._changed, self._alerted = changed, alerted
        self._is_lost = True
        self._organisations: set[int] = set()
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._whole_at = float("-inf")
        self._is_broken = False

    def lost(self) -> None:
        """Something was lost, nobody knows what."""
        self._is_lost = True
        self._wanted.set()

    def wanted(self, organisation_id: int | None = None) -> None:
        """Read one organisation's assets again, or all without telling viewers of a loss."""
        if organisation_id is None:
            self._whole_at = float("-inf")
        else:
            self._organisations.add(organisation_id)
        self._wanted.set()

    async def run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), SWEEP_EVERY_S)
            self._wanted.clear()
            await self.heal()
            await asyncio.sleep(PAUSE_S)

    async def heal(self) -> None:
        """One round. What it could not do is left for the next."""
        is_lost, self._is_lost = self._is_lost, False
        organisations, self._organisations = self._organisations, set()
        try:
            await self._read(organisations, is_lost=is_lost)
        except Error as error:
            self._is_lost |= is_lost
            self._organisations |= organisations
            self._wanted.set()
            self._broke(error)
        else:
            self._mended()

    async def _read(self, organisations: set[int], *, is_lost: bool) -> None:
        if is_lost or time.monotonic() - self._whole_at > WHOLE_EVERY_S:
            started_at = time.monotonic()
            await self._correct(None, partial(self._sources.columns))
            self._whole_at = started_at
        elif organisations:
            whose = frozenset(organisations)
            await self._correct(whose, partial(self._sources.columns, whose))
        else:
            lately = partial(self._sources.columns, received_within_s=SWEEP_WITHIN_S)
            is_lost = self._are_overdue(await self._correct(frozenset(), lately))
        self._alerted(await asked(self._sources.newest_alert))
        if is_lost:
            self._changed(*LISTS)

    async def _correct(
        self, whole_of: Permitted, read: Callable[[], latest_columns.LatestColumns]
    ) -> Slots:
        read_at = self._table.seq
        truth = await asked(read)
        return self._table.correct(truth, read_at=read_at, whole_of=whole_of)

    def _are_overdue(self, slots: Slots) -> bool:
        """Whether a frame should have brought these by now: then others may be missing too."""
        due = (time.time() - FRAME_WITHIN_S) * 1000
        return bool((self._table.received_at(slots) < due).any())

    def _broke(self, error: Error) -> None:
        if not self._is_broken:
            logger.warning("the live hub cannot read the database: %s", type(error).__name__)
        self._is_broken = True

    def _mended(self) -> None:
        if self._is_broken:
            logger.info("the live hub reads the database again")
        self._is_broken = False
