"""The judged past of assets: their fixes in order, in stretches between checkpoints.

A stretch holds what lies after the checkpoint `low` up to and including the checkpoint
`high`; None means from the beginning, or up to the newest. Keys are (µs since 1970,
device id), the order of fixes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from msgspec import Struct

from core.observation import instant
from core.statements import rows, run

Key = tuple[int, int]
# an asset, and the keys of the checkpoints around a stretch of its fixes
Ends = tuple[int, Key | None, Key | None]
# lon, lat, accuracy or None, altitude or None, behind the key
FixRow = tuple[int, int, float, float, float | None, float | None]


class SavedFold(Struct, frozen=True):
    """A checkpoint: the state after the fix at `key`."""

    key: Key
    fold: bytes


class Stretch(Struct, frozen=True):
    low: SavedFold | None
    high: SavedFold | None
    fixes: list[FixRow]


class Wanted(Struct, frozen=True):
    """The stretch of an asset around a key, or with `is_next` the one that begins there."""

    asset_id: int
    key: Key
    is_next: bool = False


_US = "(extract(epoch FROM %s) * 1000000)::bigint"
_WANTED = (
    "WITH wanted AS MATERIALIZED (SELECT ordinality AS n, asset_id, device_id, is_next,"
    " timestamptz 'epoch' + (us / 86400000000) * interval '1 day'"
    " + (us %% 86400000000) * interval '1 microsecond' AS at"
    " FROM ROWS FROM (json_to_recordset(%s::json)"
    " AS (asset_id bigint, us bigint, device_id bigint, is_next boolean)) WITH ORDINALITY"
    " AS w(asset_id, us, device_id, is_next, ordinality))"
)
# Many late facts lie between the same checkpoints, whose states are read once.
_BOUNDS = (
    _WANTED
    + f""", bounds AS MATERIALIZED (
        SELECT w.n, w.asset_id, low.at AS low_at, low.device_id AS low_device,
            high.at AS high_at, high.device_id AS high_device
        FROM wanted w
        LEFT JOIN LATERAL (SELECT c.at, c.device_id FROM positions_checkpoint c
            WHERE c.asset_id = w.asset_id AND CASE WHEN w.is_next
                THEN (c.at, c.device_id) <= (w.at, w.device_id)
                ELSE (c.at, c.device_id) < (w.at, w.device_id) END
                AND c.at <= w.at
            ORDER BY c.at DESC, c.device_id DESC LIMIT 1) low ON true
        LEFT JOIN LATERAL (SELECT c.at, c.device_id FROM positions_checkpoint c
            WHERE c.asset_id = w.asset_id AND CASE WHEN w.is_next
                THEN (c.at, c.device_id) > (w.at, w.device_id)
                ELSE (c.at, c.device_id) >= (w.at, w.device_id) END
                AND c.at >= w.at
            ORDER BY c.at, c.device_id LIMIT 1) high ON true),
    stretch AS MATERIALIZED (
        SELECT array_agg(n) AS numbers, asset_id, low_at, low_device, high_at, high_device
        FROM bounds GROUP BY asset_id, low_at, low_device, high_at, high_device)
    SELECT numbers, {_US % "low_at"}, low_device,
        (SELECT fold FROM positions_checkpoint c WHERE c.asset_id = s.asset_id
            AND c.at = s.low_at AND c.device_id = s.low_device),
        {_US % "high_at"}, high_device,
        (SELECT fold FROM positions_checkpoint c WHERE c.asset_id = s.asset_id
            AND c.at = s.high_at AND c.device_id = s.high_device)
    FROM stretch s"""
)
_FIXES = f"""
    SELECT w.n, {_US % "p.measured_at"}, p.device_id, ST_X(p.point), ST_Y(p.point),
        p.accuracy_m, p.altitude_m
    FROM unnest(%s::int[], %s::bigint[], %s::timestamptz[], %s::bigint[], %s::timestamptz[],
        %s::bigint[]) AS w(n, asset_id, low_at, low_device, high_at, high_device)
    JOIN assets_assignment a ON a.asset_id = w.asset_id
    CROSS JOIN LATERAL (
        SELECT * FROM positions_position p
        WHERE p.device_id = a.device_id AND p.measured_at <@ a.during
            AND p.measured_at >= w.low_at AND p.measured_at <= w.high_at
            AND p.measured_at BETWEEN %s::timestamptz AND %s::timestamptz
            AND p.point IS NOT NULL AND NOT p.is_clock_suspect AND p.method <> 'gateway'
    ) p
    WHERE (p.measured_at, p.device_id) > (w.low_at, w.low_device)
        AND (p.measured_at, p.device_id) <= (w.high_at, w.high_device)
    ORDER BY w.n, p.measured_at, p.device_id"""


def stretches(wanted: Sequence[Wanted]) -> list[Stretch]:
    """Return the stretches in the order asked for, in two statements whatever their number."""
    bounds = _bounds(wanted)
    # Many late facts may lie in one stretch: it is loaded once.
    ends = [
        (w.asset_id, low.key if low else None, high.key if high else None)
        for w, (low, high) in zip(wanted, bounds, strict=True)
    ]
    fixes = _fixes(list(dict.fromkeys(ends)))
    return [
        Stretch(low, high, fixes.get(end, []))
        for end, (low, high) in zip(ends, bounds, strict=True)
    ]


def _bounds(wanted: Sequence[Wanted]) -> list[tuple[SavedFold | None, SavedFold | None]]:
    asked = [
        {"asset_id": w.asset_id, "us": w.key[0], "device_id": w.key[1], "is_next": w.is_next}
        for w in wanted
    ]
    found = rows(_BOUNDS, [orjson.dumps(asked).decode()])
    between = {
        number: ends
        for numbers, *row in found
        for ends in [(_saved(row[:3]), _saved(row[3:]))]
        for number in numbers
    }
    return [between[number] for number in range(1, len(asked) + 1)]


def _saved(row: Sequence[Any]) -> SavedFold | None:
    return None if row[0] is None else SavedFold((row[0], row[1]), bytes(row[2]))


def _fixes(ends: Sequence[Ends]) -> dict[Ends, list[FixRow]]:
    """Return the fixes between these ends; keys beyond all others stand in for open ones."""
    lows = [low for _, low, _ in ends]
    highs = [high for _, _, high in ends]
    # The whole of it once more as plain parameters: by them PostgreSQL leaves partitions alone
    # before it opens them.
    earliest = None if None in lows else min(filter(None, lows), default=None)
    latest = None if None in highs else max(filter(None, highs), default=None)
    found = rows(
        _FIXES,
        [
            list(range(len(ends))),
            [asset_id for asset_id, _, _ in ends],
            [_instant(low, "-infinity") for low in lows],
            [low[1] if low else -1 for low in lows],
            [_instant(high, "infinity") for high in highs],
            [high[1] if high else 1 << 62 for high in highs],
            _instant(earliest, "-infinity"),
            _instant(latest, "infinity"),
        ],
    )
    fixes: dict[Ends, list[FixRow]] = {}
    for number, at_us, device_id, lon, lat, accuracy_m, altitude_m in found:
        fix = (at_us, device_id, lon, lat, accuracy_m, altitude_m)
        fixes.setdefault(ends[number], []).append(fix)
    return fixes


def _instant(key: Key | None, otherwise: str) -> str:
    # As text, since Python has no infinite times.
    return otherwise if key is None else instant(key[0]).isoformat()


class NewCheckpoint(Struct, frozen=True):
    asset_id: int
    key: Key
    fold: bytes


def save_checkpoints(checkpoints: Sequence[NewCheckpoint]) -> None:
    """Write checkpoints, over former ones of the same key; of one key the last counts."""
    if not checkpoints:
        return
    checkpoints = list({(c.asset_id, c.key): c for c in checkpoints}.values())
    run(
        "INSERT INTO positions_checkpoint (asset_id, at, device_id, fold)"
        " SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[], %s::bytea[])"
        " ON CONFLICT (asset_id, at, device_id) DO UPDATE SET fold = excluded.fold",
        [
            [c.asset_id for c in checkpoints],
            [_instant(c.key, "") for c in checkpoints],
            [c.key[1] for c in checkpoints],
            [c.fold for c in checkpoints],
        ],
    )


def hours(asset_id: int, since: datetime) -> list[datetime]:
    """Return the hours with plausible positions of an asset, from the hour of `since` on."""
    found = rows(
        "SELECT DISTINCT date_trunc('hour', p.measured_at, 'UTC') AS hour"
        " FROM assets_assignment a JOIN positions_position p"
        " ON p.device_id = a.device_id AND p.measured_at <@ a.during"
        " WHERE a.asset_id = %s AND NOT p.is_clock_suspect"
        " AND p.measured_at >= date_trunc('hour', %s::timestamptz, 'UTC') ORDER BY hour",
        [asset_id, since],
    )
    return [hour for (hour,) in found]
