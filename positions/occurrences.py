"""Rows of occurrences that last, read and written by a constant number of statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import orjson
from msgspec import Struct

from core.fact_order import FIRST, LAST, FactKey
from core.statements import records, recordset, rows, run


class OccurrenceWindow(Struct, frozen=True):
    """A window of an asset's facts: after `low`, up to `high`; None is open."""

    asset_id: int
    low: FactKey | None
    high: FactKey | None


class OccurrenceRow(Struct, frozen=True):
    """A standing occurrence. `number` is the id of its row."""

    number: int
    organisation_id: int
    asset_id: int
    kind: str
    subject: int
    begin_at: datetime
    begin_key: bytes
    end_at: datetime | None
    end_key: bytes | None
    details: dict[str, Any]


_COLUMNS_OF_ROW = (
    "o.id AS number, o.organisation_id, o.asset_id, o.kind, o.subject, o.begin_at, o.begin_key,"
    " o.end_at, o.end_key, o.details::text AS details"
)
# Occurrences that are open at some point of a window, each once.
_REACHING = f"""
    SELECT DISTINCT ON (o.asset_id, o.begin_key, o.id) {_COLUMNS_OF_ROW}
    FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[]) AS w(asset_id, low, high)
    JOIN positions_recordedoccurrence o ON o.asset_id = w.asset_id AND o.fold = %s
        AND o.withdrawn_at IS NULL AND o.begin_key <= w.high
        AND (o.end_key IS NULL OR o.end_key > w.low)
    ORDER BY o.asset_id, o.begin_key, o.id"""
_OPEN = f"""
    SELECT {_COLUMNS_OF_ROW} FROM positions_recordedoccurrence o
    WHERE o.asset_id = ANY(%s::bigint[]) AND o.fold = %s AND o.withdrawn_at IS NULL
        AND o.end_key IS NULL
    ORDER BY o.asset_id, o.begin_key, o.id"""


def occurrences_in(fold: str, windows: Sequence[OccurrenceWindow]) -> list[OccurrenceRow]:
    """Return the standing occurrences of a fold that reach into judged windows."""
    if not windows:
        return []
    return records(
        OccurrenceRow,
        _REACHING,
        [
            [window.asset_id for window in windows],
            [(window.low or FIRST).to_bytes() for window in windows],
            [(window.high or LAST).to_bytes() for window in windows],
            fold,
        ],
        details=orjson.loads,
    )


def open_occurrences(fold: str, asset_ids: Sequence[int]) -> list[OccurrenceRow]:
    """Return the occurrences of a fold and some assets that have not ended."""
    if not asset_ids:
        return []
    return records(OccurrenceRow, _OPEN, [list(asset_ids), fold], details=orjson.loads)


class WrittenOccurrence(Struct, kw_only=True):
    """An occurrence to be written: a new row where `id` is None."""

    id: int | None
    organisation_id: int
    asset_id: int
    fold: str
    kind: str
    subject: int
    begin_at: datetime
    begin_key: bytes
    end_at: datetime | None
    end_key: bytes | None
    details: dict[str, Any]
    is_late: bool
    recorded_at: datetime
    place: int = 0


_COLUMNS = WrittenOccurrence.__struct_fields__[1:-1]
_BYTES = ("begin_key", "end_key")


def _values(names: Sequence[str]) -> str:
    return ", ".join(f"decode(o.{n}, 'base64')" if n in _BYTES else f"o.{n}" for n in names)


_INSERT = (
    f"INSERT INTO positions_recordedoccurrence ({', '.join(_COLUMNS)})"
    f" SELECT {_values(_COLUMNS)} FROM {recordset(WrittenOccurrence)}"
    " ORDER BY o.place RETURNING id"
)
_CHANGED = ("begin_at", "begin_key", "end_at", "end_key", "details")
_UPDATE = (
    f"UPDATE positions_recordedoccurrence r SET"
    f" {', '.join(f'{name} = {_values([name])}' for name in _CHANGED)}"
    f", is_late = r.is_late OR o.is_late FROM {recordset(WrittenOccurrence)} WHERE r.id = o.id"
)


def insert(occurrences: Sequence[WrittenOccurrence]) -> None:
    """Insert new rows, and set the id of each occurrence."""
    for place, occurrence in enumerate(occurrences):
        occurrence.place = place
    if occurrences:
        inserted = rows(_INSERT, [_json(occurrences)])
        for occurrence, (number,) in zip(occurrences, inserted, strict=True):
            occurrence.id = number


def update(occurrences: Sequence[WrittenOccurrence]) -> None:
    """Update the rows of changed occurrences."""
    if occurrences:
        run(_UPDATE, [_json(occurrences)])


def withdraw(ids: Sequence[int], *, now: datetime) -> None:
    if ids:
        run(
            "UPDATE positions_recordedoccurrence SET withdrawn_at = %s"
            " WHERE id = ANY(%s::bigint[])",
            [now, list(ids)],
        )


def _json(occurrences: Sequence[WrittenOccurrence]) -> str:
    return msgspec.json.encode(occurrences).decode()
