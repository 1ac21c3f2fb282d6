"""Writing down what was found, as differences to what was recorded before.

A constant number of statements for a batch, and none where nothing changed. Presence is
read off the crossings, so the two can never disagree.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from core.observation import instant, microseconds
from core.statements import rows, run
from geofence.changes import CrossingChange, Times
from geofence.crossings import Found
from geofence.judging import REACH_US, Verdict
from geofence.models import Crossing
from geofence.zone import FAR_FUTURE_US

Cause = dict[str, Any]
TIMES = ("at", "not_before", "not_after", "estimate", "left_estimate")
_COLUMNS = tuple(field.attname for field in Crossing._meta.concrete_fields if field.attname != "id")
_SELECT_RECORDED = (
    f"SELECT c.id, {', '.join(f'c.{name}' for name in _COLUMNS)} FROM unnest(%s::bigint[],"
    " %s::timestamptz[], %s::bigint[], %s::timestamptz[], %s::bigint[])"
    " AS w(asset_id, low, low_device, high, high_device)"
    " JOIN geofence_crossing c ON c.asset_id = w.asset_id AND c.withdrawn_at IS NULL"
    " AND c.confirmed_at >= w.low AND c.confirmed_at <= w.high"
    " AND (c.confirmed_at, c.device_id) > (w.low, w.low_device)"
    " AND (c.confirmed_at, c.device_id) <= (w.high, w.high_device)"
    " ORDER BY c.confirmed_at, c.device_id, c.id"
)


class Difference(Struct, kw_only=True):
    """What must change in the table: rows to add, to move (with what they become), to withdraw."""

    added: list[tuple[Verdict, Found]] = []
    moved: list[tuple[Crossing, Found]] = []
    withdrawn: list[Crossing] = []


def record(
    verdicts: Sequence[Verdict], *, now: datetime, cause_of: Callable[[int], Cause]
) -> list[CrossingChange]:
    """Write the differences that `verdicts` make; return them in the order of crossing times.

    `cause_of` names, for an asset, the facts that are late or that people changed.
    """
    verdicts = [v for v in verdicts if v.found or v.windows]
    difference = differences(verdicts, _recorded(verdicts))
    changes = [
        *_add(difference, now),
        *_move(difference, now),
        *_withdraw(difference, now),
    ]
    _correct(changes, cause_of)
    _update_presence(changes)
    return sorted(changes, key=lambda change: (change.at, change.crossing_id))


def differences(verdicts: Sequence[Verdict], recorded: Sequence[Crossing]) -> Difference:
    """Compare what was found in the judged windows with what the table holds for them."""
    difference = Difference()
    by_asset: dict[int, list[Crossing]] = {}
    for crossing in recorded:
        by_asset.setdefault(crossing.asset_id, []).append(crossing)
    for verdict in verdicts:
        _compare(verdict, by_asset.get(verdict.pending.asset_id, []), difference)
    return difference


def _compare(verdict: Verdict, recorded: list[Crossing], difference: Difference) -> None:
    """Pair what was found with what is recorded.

    Where judging stopped on its way, only as far as nothing beyond can change it: nothing
    moves farther than `REACH_US`, so the parts of a long judging make just the differences
    that the whole would have made.
    """
    known = {_meaning_of(crossing): crossing for crossing in recorded}
    fresh = [one for one in verdict.found if known.pop(_meaning(one), None) is None]
    unmatched = _Unmatched(crossing for crossing in recorded if _meaning_of(crossing) in known)
    settled_us = FAR_FUTURE_US if verdict.settled_us is None else verdict.settled_us
    for one in fresh:
        if one.confirmed_us > settled_us + REACH_US:
            continue
        former = unmatched.take_nearest(one)
        if former is None:
            difference.added.append((verdict, one))
        else:
            difference.moved.append((former, one))
    difference.withdrawn += unmatched.until(settled_us)


class _Unmatched:
    """Recorded crossings that were not found again, each list in the order of becoming sure."""

    def __init__(self, crossings: Iterable[Crossing]) -> None:
        self._rows: dict[tuple[int, str], list[Crossing]] = {}
        for crossing in crossings:
            self._rows.setdefault((crossing.geofence_id, crossing.kind), []).append(crossing)

    def take_nearest(self, one: Found) -> Crossing | None:
        """Return, once, the crossing of the same kind and geofence that `one` has become."""
        rows = self._rows.get((one.geofence_id, one.kind), [])
        after = bisect_left(rows, one.confirmed_us, key=_sure_us)
        beside = [n for n in (after - 1, after) if 0 <= n < len(rows)]
        reach = {n: abs(_sure_us(rows[n]) - one.confirmed_us) for n in beside}
        near = [n for n in beside if reach[n] <= REACH_US]
        return rows.pop(min(near, key=reach.__getitem__)) if near else None

    def until(self, settled_us: int) -> list[Crossing]:
        left = [row for rows in self._rows.values() for row in rows if _sure_us(row) <= settled_us]
        return sorted(left, key=lambda row: (row.confirmed_at, row.device_id, row.pk))


def _sure_us(crossing: Crossing) -> int:
    return microseconds(crossing.confirmed_at)


def _meaning(one: Found) -> tuple[Any, ...]:
    return (
        one.geofence_id,
        one.version_id,
        one.kind,
        one.at_us,
        one.not_before_us,
        one.estimate_us,
        one.left_estimate_us,
        one.confirmed_key,
        one.lon_deg,
        one.lat_deg,
    )


def _meaning_of(crossing: Crossing) -> tuple[Any, ...]:
    return (
        crossing.geofence_id,
        crossing.version_id,
        crossing.kind,
        microseconds(crossing.at),
        _us(crossing.not_before),
        _us(crossing.estimate),
        _us(crossing.left_estimate),
        (microseconds(crossing.confirmed_at), crossing.device_id),
        crossing.lon_deg,
        crossing.lat_deg,
    )


def _us(at: datetime | None) -> int | None:
    return None if at is None else microseconds(at)


def _instant(at_us: int | None) -> datetime | None:
    return None if at_us is None else instant(at_us)


def _recorded(verdicts: Sequence[Verdict]) -> list[Crossing]:
    """Return the standing crossings that became sure inside the judged windows."""
    windows = [(v.pending.asset_id, window) for v in verdicts for window in v.windows]
    if not windows:
        return []
    found = rows(
        _SELECT_RECORDED,
        [
            [asset_id for asset_id, _ in windows],
            [_text(window.low, "-infinity") for _, window in windows],
            [window.low[1] if window.low else -1 for _, window in windows],
            [_text(window.high, "infinity") for _, window in windows],
            [window.high[1] if window.high else 1 << 62 for _, window in windows],
        ],
    )
    return [Crossing.from_db("default", ("id", *_COLUMNS), row) for row in found]


def _text(key: tuple[int, int] | None, otherwise: str) -> str:
    return otherwise if key is None else instant(key[0]).isoformat()


def _is_late(verdict: Verdict, one: Found) -> bool:
    """Whether it became sure at or before what had been judged already."""
    last = verdict.former_last
    return last is not None and one.confirmed_key <= last


def _row(one: Found) -> dict[str, Any]:
    return {
        "version_id": one.version_id,
        "at": instant(one.at_us),
        "not_before": _instant(one.not_before_us),
        "not_after": instant(one.not_after_us),
        "estimate": _instant(one.estimate_us),
        "left_estimate": _instant(one.left_estimate_us),
        "confirmed_at": instant(one.confirmed_us),
        "device_id": one.device_id,
        "is_inferred": one.is_inferred,
        "lon_deg": one.lon_deg,
        "lat_deg": one.lat_deg,
    }


def _add(difference: Difference, now: datetime) -> list[CrossingChange]:
    added = [
        Crossing(
            organisation_id=verdict.pending.organisation_id,
            asset_id=verdict.pending.asset_id,
            geofence_id=one.geofence_id,
            kind=one.kind,
            recorded_at=now,
            is_late=_is_late(verdict, one),
            **_row(one),
        )
        for verdict, one in difference.added
    ]
    if added:
        _insert(added)
    return [_change("added" if row.is_late else "new", row) for row in added]


_INSERT = (
    f"INSERT INTO geofence_crossing ({', '.join(_COLUMNS)}) SELECT {', '.join(_COLUMNS)}"
    " FROM json_populate_recordset(NULL::geofence_crossing, %s::json)"
    " WITH ORDINALITY ORDER BY ordinality RETURNING id"
)


def _insert(crossings: Sequence[Crossing]) -> None:
    """Insert rows and give them their ids. Several times quicker than `bulk_create`."""
    document = [{name: getattr(row, name) for name in _COLUMNS} for row in crossings]
    inserted = rows(_INSERT, [_json(document)])
    for row, (number,) in zip(crossings, inserted, strict=True):
        row.id = number


def _move(difference: Difference, now: datetime) -> list[CrossingChange]:
    changes = []
    for row, one in difference.moved:
        before = _times(row)
        for name, value in _row(one).items():
            setattr(row, name, value)
        row.is_late = True
        changes.append(_change("moved", row, before=before))
    if changes:
        document = [
            {"id": row.pk} | {name: getattr(row, name) for name in _MOVED}
            for row, _ in difference.moved
        ]
        run(_UPDATE, [_json(document)])
    return changes


_MOVED = (
    "version_id", "at", "not_before", "not_after", "estimate", "left_estimate", "confirmed_at",
    "device_id", "is_inferred", "lon_deg", "lat_deg", "is_late",
)  # fmt: skip
_UPDATE = (
    f"UPDATE geofence_crossing c SET {', '.join(f'{name} = o.{name}' for name in _MOVED)}"
    " FROM json_populate_recordset(NULL::geofence_crossing, %s::json) o WHERE c.id = o.id"
)


def _withdraw(difference: Difference, now: datetime) -> list[CrossingChange]:
    if not difference.withdrawn:
        return []
    ids = [row.pk for row in difference.withdrawn]
    Crossing.objects.filter(pk__in=ids).update(withdrawn_at=now)
    return [_change("withdrawn", row, before=_times(row)) for row in difference.withdrawn]


def _change(change: Any, row: Crossing, *, before: Times | None = None) -> CrossingChange:
    return CrossingChange(
        change=change,
        crossing_id=row.pk,
        organisation_id=row.organisation_id,
        asset_id=row.asset_id,
        geofence_id=row.geofence_id,
        version_id=row.version_id,
        kind=row.kind,  # type: ignore[arg-type]
        at=row.at,
        not_before=row.not_before,
        not_after=row.not_after,
        estimate=row.estimate,
        left_estimate=row.left_estimate,
        confirmed_at=row.confirmed_at,
        is_inferred=row.is_inferred,
        is_late=row.is_late,
        lon_deg=row.lon_deg,
        lat_deg=row.lat_deg,
        before=before,
    )


def _correct(changes: list[CrossingChange], cause_of: Callable[[int], Cause]) -> None:
    corrections = [
        {
            "organisation_id": change.organisation_id,
            "asset_id": change.asset_id,
            "crossing_id": change.crossing_id,
            "change": change.change,
            "before": change.before,
            "after": None if change.change == "withdrawn" else _times(change),
        }
        for change in changes
        if change.change != "new"
    ]
    if corrections:
        # What all those of an asset have in common is sent once.
        assets = {change.asset_id for change in changes if change.change != "new"}
        causes = {str(asset_id): cause_of(asset_id) for asset_id in assets}
        run(_INSERT_CORRECTIONS, [_json(causes), _json(corrections)])


_INSERT_CORRECTIONS = (
    "INSERT INTO geofence_correction (organisation_id, crossing_id, change, before, after, cause)"
    " SELECT organisation_id, crossing_id, change, before, after, %s::jsonb -> asset_id"
    " FROM ROWS FROM (json_to_recordset(%s::json) AS (organisation_id bigint, asset_id text,"
    " crossing_id bigint, change text, before jsonb, after jsonb)) WITH ORDINALITY"
    " AS o(organisation_id, asset_id, crossing_id, change, before, after, n) ORDER BY n"
)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _times(one: Crossing | CrossingChange) -> Times:
    """Return when it happened, as corrections tell it."""
    times = {name: getattr(one, name) for name in TIMES}
    return {name: at.isoformat() if at else None for name, at in times.items()}


def _update_presence(changes: list[CrossingChange]) -> None:
    """Make presence what the newest standing crossing of each touched pair says."""
    pairs = sorted({(c.asset_id, c.geofence_id) for c in changes if c.kind != "pass"})
    if not pairs:
        return
    run(
        "WITH pair AS (SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS p(asset, geofence)),"
        " newest AS (SELECT p.asset, p.geofence, c.* FROM pair p LEFT JOIN LATERAL ("
        "  SELECT organisation_id, kind, at, not_before FROM geofence_crossing c"
        "  WHERE c.asset_id = p.asset AND c.geofence_id = p.geofence"
        "  AND c.withdrawn_at IS NULL AND c.kind <> 'pass'"
        "  ORDER BY c.confirmed_at DESC, c.device_id DESC, c.id DESC LIMIT 1) c ON true),"
        " gone AS (DELETE FROM geofence_presence g USING newest n"
        "  WHERE g.asset_id = n.asset AND g.geofence_id = n.geofence"
        "  AND n.kind IS DISTINCT FROM 'enter' AND n.kind IS DISTINCT FROM 'found')"
        " INSERT INTO geofence_presence"
        "  (organisation_id, asset_id, geofence_id, since, not_before)"
        " SELECT organisation_id, asset, geofence, at, not_before FROM newest"
        " WHERE kind IN ('enter', 'found') ORDER BY asset, geofence"
        " ON CONFLICT (geofence_id, asset_id) DO UPDATE"
        " SET since = excluded.since, not_before = excluded.not_before",
        [[asset for asset, _ in pairs], [geofence for _, geofence in pairs]],
    )
