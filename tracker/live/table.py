"""The latest of every asset as columns, and at which tick each row last changed.

Plain values: what a viewer is owed is every row that changed after the tick that it has, so a
viewer costs one number, and resuming is the same as going on.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

import numpy as np
import orjson
from numpy.typing import NDArray

from positions.latest_columns import LatestColumns
from positions.live_columns import NAMES

Slots = NDArray[np.intp]
Permitted = frozenset[int] | None
"""Organisations whose assets may be seen; None for all."""

_MEASURED, _RECEIVED, _FIX = (NAMES.index(n) for n in ("measured_at", "received_at", "fix_at"))
_NONE: Final = np.empty(0, dtype=np.intp)


@dataclass(frozen=True, slots=True)
class Owed:
    """JSON texts of the columns and of the ids that are gone."""

    assets: str
    gone: str


class Table:
    """Rows live in slots that are never given to another asset.

    Between two calls of `tick` or `correct` nothing that `owed` answers changes.
    """

    def __init__(self, capacity: int = 1024) -> None:
        self.epoch = secrets.token_hex(8)
        self.seq = 0
        self.is_loaded = False
        self._size = 0
        self._slot_of: dict[int, int] = {}
        self._id = np.zeros(capacity, dtype=np.int64)
        self._organisation_id = np.zeros(capacity, dtype=np.int64)
        self._values = np.zeros((len(NAMES), capacity), dtype=np.int64)
        self._changed = np.zeros(capacity, dtype=np.int64)
        self._is_alive = np.zeros(capacity, dtype=np.bool_)
        self._fresh: list[Slots] = []
        self._forget_answers()

    def __len__(self) -> int:
        return int(np.count_nonzero(self._is_alive[: self._size]))

    # --- what comes in ----------------------------------------------------

    def tick(self, frames: list[LatestColumns]) -> bool:
        """Take rows that are not older than what is held; whether all of them made sense.

        A row of an asset that is held under another organisation is not taken: only the
        database knows which is right.
        """
        makes_sense = True
        if frames:
            rows = _newest_of_each(_joined(frames))
            slots, is_new = self._slots(rows)
            is_ours = self._organisation_id[slots] == rows.organisation_id
            takes = is_new | (is_ours & self._is_alive[slots] & ~self._is_older(rows, slots))
            self._write(rows, slots, takes & (is_new | self._differs(rows, slots)))
            makes_sense = bool(is_ours.all())
        self._advance()
        return makes_sense

    def correct(
        self, truth: LatestColumns, *, read_at: int, whole_of: Permitted = frozenset()
    ) -> Slots:
        """Make the rows equal `truth`, read from the database after tick `read_at`.

        Only what frames changed since may be newer. Assets of the organisations `whole_of`
        (None for all) that `truth` lacks are gone. Returns the slots that differed.
        """
        slots, is_new = self._slots(truth)
        if (self._organisation_id[slots] != truth.organisation_id).any():
            # Who may see the asset changed: what viewers have can no longer be told from a number.
            self._organisation_id[slots] = truth.organisation_id
            self.epoch = secrets.token_hex(8)
        is_touched = ~is_new & (self._changed[slots] > read_at)
        takes = ~(is_touched & self._is_older(truth, slots))
        takes &= is_new | ~self._is_alive[slots] | self._differs(truth, slots)
        written = self._write(truth, slots, takes)
        gone = self._remove_others(slots, read_at=read_at, whole_of=whole_of)
        self._advance()
        self.is_loaded = True
        return np.concatenate([written, gone])

    def received_at(self, slots: Slots) -> NDArray[np.int64]:
        at: NDArray[np.int64] = self._values[_RECEIVED, slots]
        return at

    def _slots(self, rows: LatestColumns) -> tuple[Slots, NDArray[np.bool_]]:
        """Return the slot of each row, making those that are missing, and which were made."""
        known = len(self._slot_of)
        slot_of = self._slot_of
        slots = np.fromiter(
            (slot_of.setdefault(asset_id, len(slot_of)) for asset_id in rows.id.tolist()),
            dtype=np.intp,
            count=len(rows),
        )
        is_new = slots >= known
        self._grow(len(slot_of))
        self._id[slots[is_new]] = rows.id[is_new]
        self._organisation_id[slots[is_new]] = rows.organisation_id[is_new]
        return slots, is_new

    def _grow(self, size: int) -> None:
        if size == self._size:
            return
        if (missing := size - len(self._id)) > 0:
            more = max(missing, len(self._id))
            for name in ("_id", "_organisation_id", "_changed", "_is_alive"):
                setattr(self, name, np.pad(getattr(self, name), (0, more)))
            self._values = np.pad(self._values, ((0, 0), (0, more)))
        self._size = size

    def _is_older(self, rows: LatestColumns, slots: Slots) -> NDArray[np.bool_]:
        """Whether each row is older than what is held, by when measured, received, found."""
        held, given = self._values, rows.values
        is_older: NDArray[np.bool_] = given[_FIX] < held[_FIX, slots]
        for column in (_RECEIVED, _MEASURED):
            ours, theirs = held[column, slots], given[column]
            is_older = (theirs < ours) | ((theirs == ours) & is_older)
        return is_older

    def _differs(self, rows: LatestColumns, slots: Slots) -> NDArray[np.bool_]:
        differs: NDArray[np.bool_] = (self._values[:, slots] != rows.values).any(axis=0)
        return differs

    def _write(self, rows: LatestColumns, slots: Slots, takes: NDArray[np.bool_]) -> Slots:
        written = slots[takes]
        self._values[:, written] = rows.values[:, takes]
        self._is_alive[written] = True
        self._mark(written)
        return written

    def _remove_others(self, slots: Slots, *, read_at: int, whole_of: Permitted) -> Slots:
        if whole_of is not None and not whole_of:
            return _NONE
        is_gone = self._is_alive[: self._size] & (self._changed[: self._size] <= read_at)
        is_gone[slots] = False
        if whole_of is not None:
            is_gone &= np.isin(self._organisation_id[: self._size], list(whole_of))
        gone = np.flatnonzero(is_gone)
        self._is_alive[gone] = False
        self._mark(gone)
        return gone

    def _mark(self, slots: Slots) -> None:
        if len(slots):
            self._changed[slots] = self.seq + 1
            self._fresh.append(slots)

    def _advance(self) -> None:
        if self._fresh:
            self.seq += 1
            latest = np.unique(np.concatenate(self._fresh))
            self._fresh = []
            self._forget_answers()
            self._changed_since[self.seq - 1] = latest

    # --- what goes out ----------------------------------------------------

    def begin_anew(self) -> None:
        """Begin an epoch: what viewers have goes on in no later frame, and they get snapshots."""
        self.epoch = secrets.token_hex(8)

    def epoch_for(self, permitted: Permitted) -> str:
        """Return what stands for this life of the table and these organisations, to viewers."""
        whose = "all" if permitted is None else ",".join(map(str, sorted(permitted)))
        return hashlib.sha256(f"{self.epoch} {whose}".encode()).hexdigest()[:24]

    def snapshot(self, permitted: Permitted) -> str:
        """Return the JSON text of all columns that may be seen."""
        if permitted not in self._snapshots:
            slots = np.flatnonzero(self._is_alive[: self._size] & self._may_see(permitted))
            self._snapshots[permitted] = self._text(slots)
        return self._snapshots[permitted]

    def owed(self, since: int, permitted: Permitted) -> Owed | None:
        """Return what changed after tick `since`, or None if nothing that may be seen did."""
        if since >= self.seq:
            return None
        key = (since, permitted)
        if key not in self._owed:
            self._owed[key] = self._work_out(since, permitted)
        return self._owed[key]

    def _work_out(self, since: int, permitted: Permitted) -> Owed | None:
        slots = self._slots_since(since)
        slots = slots[self._may_see(permitted)[slots]]
        if not len(slots):
            return None
        is_alive = self._is_alive[slots]
        gone = orjson.dumps(self._id[slots[~is_alive]].tolist()).decode()
        return Owed(assets=self._text(slots[is_alive]), gone=gone)

    def _slots_since(self, since: int) -> Slots:
        if since not in self._changed_since:
            self._changed_since[since] = np.flatnonzero(self._changed[: self._size] > since)
        return self._changed_since[since]

    def _may_see(self, permitted: Permitted) -> NDArray[np.bool_]:
        """Return which slots may be seen."""
        if permitted not in self._masks:
            if permitted is None:
                mask = np.ones(self._size, dtype=np.bool_)
            else:
                mask = np.isin(self._organisation_id[: self._size], list(permitted))
            self._masks[permitted] = mask
        return self._masks[permitted]

    def _text(self, slots: Slots) -> str:
        rows = LatestColumns(
            id=self._id[slots],
            organisation_id=self._organisation_id[slots],
            values=self._values[:, slots],
        )
        return orjson.dumps(rows.as_lists()).decode()

    def _forget_answers(self) -> None:
        self._changed_since: dict[int, Slots] = {}
        self._owed: dict[tuple[int, Permitted], Owed | None] = {}
        self._snapshots: dict[Permitted, str] = {}
        self._masks: dict[Permitted, NDArray[np.bool_]] = {}


def _joined(frames: list[LatestColumns]) -> LatestColumns:
    return LatestColumns(
        id=np.concatenate([rows.id for rows in frames]),
        organisation_id=np.concatenate([rows.organisation_id for rows in frames]),
        values=np.concatenate([rows.values for rows in frames], axis=1),
    )


def _newest_of_each(rows: LatestColumns) -> LatestColumns:
    """Keep one row of each asset: the newest, and of equals the one that came last."""
    order = np.lexsort((rows.values[_FIX], rows.values[_RECEIVED], rows.values[_MEASURED], rows.id))
    ids = rows.id[order]
    is_last = np.append(ids[1:] != ids[:-1], True)
    keep = order[is_last[: len(order)]]
    return LatestColumns(
        id=rows.id[keep],
        organisation_id=rows.organisation_id[keep],
        values=rows.values[:, keep],
    )
