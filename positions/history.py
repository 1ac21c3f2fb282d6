"""The judged past of assets: their facts in order, in stretches between checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from core.fact_order import (
    COLUMN_TYPES,
    FIRST,
    LAST,
    FactKey,
    key_columns_sql,
    key_of_bytes,
    key_parameters,
    moments_of,
    order_sql,
)
from core.judged_fact import NO_READINGS, DecidingFix, JudgedFact
from core.statements import rows, run
from positions.deciding_fixes import DECIDES
from positions.stretches import NewCheckpoint, SavedState, Stretch, WantedStretch

# An asset, and the keys of the checkpoints around a stretch of its facts.
Ends = tuple[int, FactKey | None, FactKey | None]

# Many late facts lie between the same checkpoints, whose states are read once.
_BOUNDS = """
    WITH bounds AS MATERIALIZED (
        SELECT w.n, w.asset_id, low.key AS low_key, high.key AS high_key
        FROM unnest(%s::bigint[], %s::bytea[], %s::boolean[]) WITH ORDINALITY
            AS w(asset_id, key, is_next, n)
        LEFT JOIN LATERAL (SELECT c.key FROM positions_checkpoint c
            WHERE c.asset_id = w.asset_id AND c.key <= w.key AND (w.is_next OR c.key < w.key)
            ORDER BY c.key DESC LIMIT 1) low ON true
        LEFT JOIN LATERAL (SELECT c.key FROM positions_checkpoint c
            WHERE c.asset_id = w.asset_id AND c.key >= w.key AND (NOT w.is_next OR c.key > w.key)
            ORDER BY c.key LIMIT 1) high ON true),
    stretch AS MATERIALIZED (
        SELECT array_agg(n) AS numbers, asset_id, low_key, high_key
        FROM bounds GROUP BY asset_id, low_key, high_key)
    SELECT numbers, low_key,
        (SELECT judged FROM positions_checkpoint c
            WHERE c.asset_id = s.asset_id AND c.key = s.low_key),
        high_key,
        (SELECT judged FROM positions_checkpoint c
            WHERE c.asset_id = s.asset_id AND c.key = s.high_key)
    FROM stretch s"""
_ENDS = ", ".join(
    f"%s::{kind}[]" for kind in ("int", "bigint", *COLUMN_TYPES, *COLUMN_TYPES)
)  # fmt: skip
_FACTS = f"""
    SELECT w.n, {key_columns_sql("p")}, {DECIDES}, ST_X(p.point), ST_Y(p.point), p.accuracy_m,
        p.altitude_m, p.speed_mps{{readings}}
    FROM unnest({_ENDS}) AS w(n, asset_id, low_at, low_reported, low_device, low_message,
        high_at, high_reported, high_device, high_message)
    JOIN assets_assignment a ON a.asset_id = w.asset_id
    CROSS JOIN LATERAL (
        SELECT * FROM positions_position p
        WHERE p.device_id = a.device_id AND p.measured_at <@ a.during
            AND p.measured_at >= w.low_at AND p.measured_at <= w.high_at
            AND p.measured_at BETWEEN %s::timestamptz AND %s::timestamptz
            AND NOT p.is_clock_suspect{{narrowed}}
    ) p
    WHERE {order_sql("p")} > (w.low_at, w.low_reported, w.low_device, w.low_message)
        AND {order_sql("p")} <= (w.high_at, w.high_reported, w.high_device, w.high_message)
    ORDER BY w.n, {order_sql("p")}"""
_FIXES_ONLY = _FACTS.format(readings="", narrowed=f" AND {DECIDES}")
_WITH_READINGS = _FACTS.format(readings=", p.readings::text", narrowed="")


def stretches(wanted: Sequence[WantedStretch], *, with_readings: bool) -> list[Stretch]:
    """Return the wanted stretches, in order, in two statements whatever their number.

    Without readings, facts without a deciding fix are left out.
    """
    bounds = _bounds(wanted)
    # Many late facts may lie in one stretch: it is loaded once.
    ends = [
        (w.asset_id, low.key if low else None, high.key if high else None)
        for w, (low, high) in zip(wanted, bounds, strict=True)
    ]
    facts = _facts(list(dict.fromkeys(ends)), with_readings=with_readings)
    return [
        Stretch(low, high, facts.get(end, []))
        for end, (low, high) in zip(ends, bounds, strict=True)
    ]


def _bounds(
    wanted: Sequence[WantedStretch],
) -> list[tuple[SavedState | None, SavedState | None]]:
    found = rows(
        _BOUNDS,
        [
            [w.asset_id for w in wanted],
            [w.key.to_bytes() for w in wanted],
            [w.is_next for w in wanted],
        ],
    )
    between = {
        number: (_saved(low_key, low), _saved(high_key, high))
        for numbers, low_key, low, high_key, high in found
        for number in numbers
    }
    return [between[number] for number in range(1, len(wanted) + 1)]


def _saved(key: bytes | None, judged: bytes | None) -> SavedState | None:
    if key is None or judged is None:
        return None
    return SavedState(key_of_bytes(bytes(key)), bytes(judged))


def _facts(ends: Sequence[Ends], *, with_readings: bool) -> dict[Ends, list[JudgedFact]]:
    """Return the facts between these ends; FIRST and LAST stand for open ends."""
    lows = [low or FIRST for _, low, _ in ends]
    highs = [high or LAST for _, _, high in ends]
    # The outermost moments once more as plain parameters, so that PostgreSQL does not even open
    # the partitions outside of them.
    (earliest,), (latest,) = moments_of([min(lows)]), moments_of([max(highs)])
    found = rows(
        _WITH_READINGS if with_readings else _FIXES_ONLY,
        [
            list(range(len(ends))),
            [asset_id for asset_id, _, _ in ends],
            *key_parameters(lows),
            *key_parameters(highs),
            earliest,
            latest,
        ],
    )
    facts: dict[Ends, list[JudgedFact]] = {}
    for number, *columns in found:
        facts.setdefault(ends[number], []).append(_judged_fact(*columns))
    return facts


def _judged_fact(
    at_us: int,
    reported_us: int,
    device_id: int,
    message: int,
    decides: bool,
    lon_deg: float,
    lat_deg: float,
    accuracy_m: float | None,
    altitude_m: float | None,
    speed_mps: float | None,
    readings: str | None = None,
) -> JudgedFact:
    key = FactKey(at_us, reported_us, device_id, message)
    fix = None
    if decides:
        fix = DecidingFix(
            at_us, device_id, lon_deg, lat_deg, accuracy_m or 0.0, altitude_m, speed_mps
        )
    return JudgedFact(key, fix, orjson.loads(readings) if readings else NO_READINGS)


def save_checkpoints(checkpoints: Sequence[NewCheckpoint]) -> None:
    """Write checkpoints, replacing rows of the same key; for each key the last one counts."""
    if not checkpoints:
        return
    checkpoints = list({(c.asset_id, c.key): c for c in checkpoints}.values())
    columns: list[list[Any]] = [
        [c.asset_id for c in checkpoints],
        [c.key.to_bytes() for c in checkpoints],
        [c.state for c in checkpoints],
    ]
    run(
        "INSERT INTO positions_checkpoint (asset_id, key, judged)"
        " SELECT * FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[])"
        " ON CONFLICT (asset_id, key) DO UPDATE SET judged = excluded.judged",
        columns,
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
