"""Reconciling the table of the live map with the database, for frames that were lost.

Recently received positions are read every few seconds; the whole table is read each minute, and
at once after a known loss. So a viewer equals the database within seconds, also while Redis is
away, or after a process died between its commit and its frame.
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
from tracker.live.database_threads import query_in_thread
from tracker.live.table import Permitted, Slots, Table

logger = logging.getLogger(__name__)

SWEEP_EVERY_S: Final = 5.0
WHOLE_EVERY_S: Final = 60.0
SWEEP_WITHIN_S: Final = 30.0
# The least time between two readings of the whole table, however often frames are lost.
PAUSE_S: Final = 0.5
# A frame that comes later than this after its commit counts as lost.
FRAME_WITHIN_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Queries:
    """The queries of a reconciliation, which run in a thread."""

    columns: Callable[..., latest_columns.LatestColumns] = latest_columns.read_columns
    newest_alert: Callable[[], int] = newest_number


class Reconciler:
    """Calls `on_changed` with lists that viewers should read again, `on_alert` with a number."""

    def __init__(
        self,
        table: Table,
        queries: Queries,
        on_changed: Callable[..., None],
        on_alert: Callable[[int], None],
    ) -> None:
        self._table, self._queries = table, queries
        self._on_changed, self._on_alert = on_changed, on_alert
        self._is_lost = True
        self._organisations: set[int] = set()
        self._requested = asyncio.Event()
        self._requested.set()
        self._whole_at = float("-inf")
        self._is_broken = False

    def report_loss(self) -> None:
        """Report that frames were lost, without knowing which: all is read again soon."""
        self._is_lost = True
        self._requested.set()

    def request_read(self, organisation_id: int | None = None) -> None:
        """Request to read an organisation's assets again, or all without a loss of frames."""
        if organisation_id is None:
            self._whole_at = float("-inf")
        else:
            self._organisations.add(organisation_id)
        self._requested.set()

    async def run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._requested.wait(), SWEEP_EVERY_S)
            self._requested.clear()
            await self.reconcile()
            await asyncio.sleep(PAUSE_S)

    async def reconcile(self) -> None:
        """Run one round. Work that fails is left for the next round."""
        is_lost, self._is_lost = self._is_lost, False
        organisations, self._organisations = self._organisations, set()
        try:
            await self._read(organisations, is_lost=is_lost)
        except Exception as error:
            self._is_lost |= is_lost
            self._organisations |= organisations
            self._requested.set()
            self._report_failure(error)
        else:
            self._report_recovery()

    async def _read(self, organisations: set[int], *, is_lost: bool) -> None:
        if is_lost or time.monotonic() - self._whole_at > WHOLE_EVERY_S:
            started_at = time.monotonic()
            await self._correct(None, partial(self._queries.columns))
            self._whole_at = started_at
        elif organisations:
            organisation_ids = frozenset(organisations)
            await self._correct(organisation_ids, partial(self._queries.columns, organisation_ids))
        else:
            recent = partial(self._queries.columns, received_within_s=SWEEP_WITHIN_S)
            is_lost = self._are_overdue(await self._correct(frozenset(), recent))
        self._on_alert(await query_in_thread(self._queries.newest_alert))
        if is_lost:
            self._on_changed(*LISTS)

    async def _correct(
        self, complete_for: Permitted, read: Callable[[], latest_columns.LatestColumns]
    ) -> Slots:
        read_at = self._table.seq
        truth = await query_in_thread(read)
        return self._table.correct(truth, read_at=read_at, complete_for=complete_for)

    def _are_overdue(self, slots: Slots) -> bool:
        """Return whether frames of these slots are overdue: then other frames may be lost, too."""
        due = (time.time() - FRAME_WITHIN_S) * 1000
        return bool((self._table.received_at(slots) < due).any())

    def _report_failure(self, error: Exception) -> None:
        if not self._is_broken:
            # A bug of ours needs its traceback; a database that is away needs none.
            reason = None if isinstance(error, Error) else error
            logger.warning(
                "the live hub cannot read the database: %s", type(error).__name__, exc_info=reason
            )
        self._is_broken = True

    def _report_recovery(self) -> None:
        if self._is_broken:
            logger.info("the live hub reads the database again")
        self._is_broken = False
