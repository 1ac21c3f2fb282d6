"""Latest states of many assets at once, as columns of integers."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from positions.live_columns import LIVE_COLUMNS, NAMES, UNFIT

logger = logging.getLogger(__name__)

NULL: Final = int(np.iinfo(np.int64).min)

_WIDTH = len(NAMES) + 2
# PGCOPY: a count of fields, then a length and eight bytes each. Nothing is null, so that
# every row is as long as the next and numpy can read them where they lie.
_ROW = np.dtype([("fields", ">i2"), ("cells", [("length", ">i4"), ("value", ">i8")], (_WIDTH,))])
_HEADER_BYTES, _TRAILER_BYTES = 19, 2

# Without these a row cannot be ordered among others.
_REQUIRED: Final = [NAMES.index(name) for name in ("measured_at", "received_at")]
# The log names so many assets at most, and remembers so many as named.
_NAMED, _REMEMBERED = 20, 10_000

_CELLS = ("s.asset_id", "a.organisation_id", *(column.sql for column in LIVE_COLUMNS))
_NAMES_BY_CODE = {
    column.name: np.array([None, *column.choices], dtype=object)
    for column in LIVE_COLUMNS
    if column.choices
}
_SELECT = (
    "COPY (SELECT "
    + ", ".join(f"coalesce(({cell})::bigint, {NULL + 1} - 1)" for cell in _CELLS)
    + " FROM positions_assetstate s JOIN assets_asset a ON a.id = s.asset_id"
    " WHERE a.archived_at IS NULL AND s.measured_at IS NOT NULL{}) TO STDOUT (FORMAT binary)"
)


@dataclass(frozen=True, slots=True)
class LatestColumns:
    """Latest states: `values` has shape (len(LIVE_COLUMNS), n), in that order; absent is NULL."""

    id: NDArray[np.int64]
    organisation_id: NDArray[np.int64]
    values: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.id)

    def as_lists(self) -> dict[str, list[Any]]:
        """Return the columns as in the live protocol: absent as None, choices by name."""
        lists: dict[str, list[Any]] = {"id": self.id.tolist()}
        for column, values in zip(LIVE_COLUMNS, self.values, strict=True):
            names = _NAMES_BY_CODE.get(column.name)
            lists[column.name] = (
                _with_none(values) if names is None else names[np.maximum(values, 0)].tolist()
            )
        return lists


def read_columns(
    organisation_ids: Iterable[int] | None = None, *, received_within_s: float | None = None
) -> LatestColumns:
    """Return the latest state of each asset that has reported and is not archived.

    None means all organisations. `received_within_s` narrows to assets that reported lately. A
    value that no column can hold is left out and logged, so that no row spoils the others.
    """
    narrowed = ""
    if organisation_ids is not None:
        narrowed += " AND a.organisation_id = ANY(%(organisations)s)"
    if received_within_s is not None:
        narrowed += " AND s.received_at > now() - make_interval(secs => %(seconds)s)"
    parameters = {
        "organisations": list(organisation_ids or ()),
        "seconds": received_within_s,
    }
    return _without_unfit(_columns_of(_copied(_SELECT.format(narrowed), parameters)))


def _copied(statement: str, parameters: dict[str, Any]) -> bytes:
    # Past Django's wrapper: the query-counting wrapper cannot copy with parameters.
    with connection.cursor() as wrapper, wrapper.cursor.copy(statement, parameters) as copy:
        return b"".join(copy)


def _columns_of(binary: bytes) -> LatestColumns:
    rows = np.frombuffer(binary[_HEADER_BYTES:-_TRAILER_BYTES], dtype=_ROW)
    cells = rows["cells"]["value"].astype(np.int64).T
    return LatestColumns(
        id=np.ascontiguousarray(cells[0]),
        organisation_id=np.ascontiguousarray(cells[1]),
        values=np.ascontiguousarray(cells[2:]),
    )


def _without_unfit(rows: LatestColumns) -> LatestColumns:
    """Return the rows with None for UNFIT; without rows of which a required time is UNFIT."""
    is_unfit = rows.values == UNFIT
    if not is_unfit.any():
        return rows
    _log_once({int(each) for each in rows.id[is_unfit.any(axis=0)]})
    kept = ~is_unfit[_REQUIRED].any(axis=0)
    return LatestColumns(
        id=rows.id[kept],
        organisation_id=rows.organisation_id[kept],
        values=np.where(is_unfit, NULL, rows.values)[:, kept],
    )


_logged: set[int] = set()


def _log_once(asset_ids: set[int]) -> None:
    """Log assets whose values are left out, but not again at each of the frequent readings."""
    fresh = sorted(asset_ids - _logged)
    if not fresh:
        return
    if len(_logged) > _REMEMBERED:
        _logged.clear()
    _logged.update(fresh)
    logger.error(
        "%d latest states hold impossible values, as of assets %s", len(fresh), fresh[:_NAMED]
    )


def _with_none(column: NDArray[np.int64]) -> list[int | None]:
    nulls = column == NULL
    if not nulls.any():
        return list(column.tolist())
    boxed = column.astype(object)
    boxed[nulls] = None
    return list(boxed.tolist())
