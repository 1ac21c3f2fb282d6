"""The latest state of every asset as columns, with the tick at which each row last changed.

Plain values. A viewer needs every row that changed after its last tick, so it costs a
single number, and resuming is the same as continuing.
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
class RowChanges:
    """JSON texts of the changed rows, as columns, and of the ids of removed assets."""

    assets: str
    gone: str


class Table:
    """Rows in slots; a slot is never given to another asset.

    The answers of `changes_since` and `snapshot` change only in `tick` and `correct`.
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
        self._marked: list[Slots] = []
        self._clear_caches()

    def __len__(self) -> int:
        return int(np.count_nonzero(self._is_alive[: self._size]))

    # --- input ------------------------------------------------------------

    def tick(self, frames: list[LatestColumns]) -> bool:
        """Write rows that are not older than the table's; return whether all were consistent.

        A row is not written if the table has its asset under another organisation: only the
        database knows which of them is right.
        """
        is_consistent = True
        if frames:
            rows = _newest_of_each(_joined(frames))
            slots, is_new = self._slots(rows)
            is_same_organisation = self._organisation_id[slots] == rows.organisation_id
            is_taken = is_new | (
                is_same_organisation & self._is_alive[slots] & ~self._is_older(rows, slots)
            )
            self._write(rows, slots, is_taken & (is_new | self._differs(rows, slots)))
            is_consistent = bool(is_same_organisation.all())
        self._advance()
        return is_consistent

    def correct(
        self, truth: LatestColumns, *, read_at: int, complete_for: Permitted = frozenset()
    ) -> Slots:
        """Make the rows equal `truth`, read from the database after tick `read_at`.

        Only rows that frames changed since then may be newer. `truth` has all assets of the
        organisations `complete_for` (None for all); their other assets are removed. Returns the
        slots that differed.
        """
        slots, is_new = self._slots(truth)
        if (self._organisation_id[slots] != truth.organisation_id).any():
            # Other viewers may see the asset now: `seq` no longer says which rows a viewer has.
            self._organisation_id[slots] = truth.organisation_id
            self.epoch = secrets.token_hex(8)
        is_touched = ~is_new & (self._changed[slots] > read_at)
        is_taken = ~(is_touched & self._is_older(truth, slots))
        is_taken &= is_new | ~self._is_alive[slots] | self._differs(truth, slots)
        written = self._write(truth, slots, is_taken)
        gone = self._remove_others(slots, read_at=read_at, complete_for=complete_for)
        self._advance()
        self.is_loaded = True
        return np.concatenate([written, gone])

    def received_at(self, slots: Slots) -> NDArray[np.int64]:
        at: NDArray[np.int64] = self._values[_RECEIVED, slots]
        return at

    def _slots(self, rows: LatestColumns) -> tuple[Slots, NDArray[np.bool_]]:
        """Return the slot of each row, adding missing slots, and a mask of the added slots."""
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
        """Return whether each row is older than the table's, by its three times."""
        held, given = self._values, rows.values
        is_older: NDArray[np.bool_] = given[_FIX] < held[_FIX, slots]
        for column in (_RECEIVED, _MEASURED):
            ours, theirs = held[column, slots], given[column]
            is_older = (theirs < ours) | ((theirs == ours) & is_older)
        return is_older

    def _differs(self, rows: LatestColumns, slots: Slots) -> NDArray[np.bool_]:
        differs: NDArray[np.bool_] = (self._values[:, slots] != rows.values).any(axis=0)
        return differs

    def _write(self, rows: LatestColumns, slots: Slots, is_taken: NDArray[np.bool_]) -> Slots:
        written = slots[is_taken]
        self._values[:, written] = rows.values[:, is_taken]
        self._is_alive[written] = True
        self._mark_changed(written)
        return written

    def _remove_others(self, slots: Slots, *, read_at: int, complete_for: Permitted) -> Slots:
        if complete_for is not None and not complete_for:
            return _NONE
        is_gone = self._is_alive[: self._size] & (self._changed[: self._size] <= read_at)
        is_gone[slots] = False
        if complete_for is not None:
            is_gone &= np.isin(self._organisation_id[: self._size], list(complete_for))
        gone = np.flatnonzero(is_gone)
        self._is_alive[gone] = False
        self._mark_changed(gone)
        return gone

    def _mark_changed(self, slots: Slots) -> None:
        if len(slots):
            self._changed[slots] = self.seq + 1
            self._marked.append(slots)

    def _advance(self) -> None:
        if self._marked:
            self.seq += 1
            latest = np.unique(np.concatenate(self._marked))
            self._marked = []
            self._clear_caches()
            self._changed_since[self.seq - 1] = latest

    # --- output -----------------------------------------------------------

    def begin_epoch(self) -> None:
        """Begin an epoch: what viewers have goes on in no later frame, and they get snapshots."""
        self.epoch = secrets.token_hex(8)

    def epoch_for(self, permitted: Permitted) -> str:
        """Return the epoch for viewers: it depends on the table and on their organisations."""
        organisations = "all" if permitted is None else ",".join(map(str, sorted(permitted)))
        return hashlib.sha256(f"{self.epoch} {organisations}".encode()).hexdigest()[:24]

    def snapshot(self, permitted: Permitted) -> str:
        """Return the JSON text of all rows that may be seen, as columns."""
        if permitted not in self._snapshots:
            slots = np.flatnonzero(self._is_alive[: self._size] & self._visible(permitted))
            self._snapshots[permitted] = self._text(slots)
        return self._snapshots[permitted]

    def changes_since(self, since: int, permitted: Permitted) -> RowChanges | None:
        """Return the rows that changed after tick `since` and may be seen, or None without any."""
        if since >= self.seq:
            return None
        key = (since, permitted)
        if key not in self._changes:
            self._changes[key] = self._find_changes(since, permitted)
        return self._changes[key]

    def _find_changes(self, since: int, permitted: Permitted) -> RowChanges | None:
        slots = self._slots_since(since)
        slots = slots[self._visible(permitted)[slots]]
        if not len(slots):
            return None
        is_alive = self._is_alive[slots]
        gone = orjson.dumps(self._id[slots[~is_alive]].tolist()).decode()
        return RowChanges(assets=self._text(slots[is_alive]), gone=gone)

    def _slots_since(self, since: int) -> Slots:
        if since not in self._changed_since:
            self._changed_since[since] = np.flatnonzero(self._changed[: self._size] > since)
        return self._changed_since[since]

    def _visible(self, permitted: Permitted) -> NDArray[np.bool_]:
        """Return a mask of the slots that may be seen."""
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

    def _clear_caches(self) -> None:
        self._changed_since: dict[int, Slots] = {}
        self._changes: dict[tuple[int, Permitted], RowChanges | None] = {}
        self._snapshots: dict[Permitted, str] = {}
        self._masks: dict[Permitted, NDArray[np.bool_]] = {}


def _joined(frames: list[LatestColumns]) -> LatestColumns:
    return LatestColumns(
        id=np.concatenate([rows.id for rows in frames]),
        organisation_id=np.concatenate([rows.organisation_id for rows in frames]),
        values=np.concatenate([rows.values for rows in frames], axis=1),
    )


def _newest_of_each(rows: LatestColumns) -> LatestColumns:
    """Return the newest row of each asset; of equally new rows, the last."""
    order = np.lexsort((rows.values[_FIX], rows.values[_RECEIVED], rows.values[_MEASURED], rows.id))
    ids = rows.id[order]
    is_last = np.append(ids[1:] != ids[:-1], True)
    keep = order[is_last[: len(order)]]
    return LatestColumns(
        id=rows.id[keep],
        organisation_id=rows.organisation_id[keep],
        values=rows.values[:, keep],
    )
