"""Records findings of the crossing fold, as differences to the recorded crossings.

A constant number of statements for a batch, and none if nothing changed. Presence is
computed from the crossings, so that the two always agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from assets.tag_history import dated_tags_of
from core.dated_tags import NEVER_TAGGED
from core.fact_order import FIRST, LAST, moments_of
from core.observation import instant, microseconds
from core.occurrence import OccurrenceChange
from core.statements import rows, run
from geofence.crossing_changes import CrossingChange, Times
from geofence.crossing_state import CrossingContext, FoundCrossing, LinkedAsset
from geofence.crossings import CrossingFold
from geofence.models import Crossing
from geofence.zone_store import ZoneStore
from judging.differences import Differences, MatchKey, differences
from judging.ledgers import CauseOf, RevisionsByName
from judging.machine import AssetVerdict

TIMES = ("at", "not_before", "not_after", "estimate", "left_estimate")
_COLUMNS = tuple(field.attname for field in Crossing._meta.concrete_fields if field.attname != "id")
_SELECT_RECORDED = (
    f"SELECT c.id, {', '.join(f'c.{name}' for name in _COLUMNS)} FROM unnest(%s::bigint[],"
    " %s::timestamptz[], %s::bytea[], %s::timestamptz[], %s::bytea[])"
    " AS w(asset_id, low, low_key, high, high_key)"
    " JOIN geofence_crossing c ON c.asset_id = w.asset_id AND c.withdrawn_at IS NULL"
    " AND c.confirmed_at >= w.low AND c.confirmed_at <= w.high"
    " AND c.confirmed_key > w.low_key AND c.confirmed_key <= w.high_key"
    " ORDER BY c.confirmed_key, c.id"
)


Difference = Differences[tuple[AssetVerdict, FoundCrossing], Crossing]


class CrossingLedger:
    """The ledger of crossings: their fold, its contexts, and the tables of crossings."""

    fold = CrossingFold()

    def __init__(self, zones: ZoneStore) -> None:
        self._zones = zones

    def contexts(
        self, assets: Mapping[int, int], revisions: RevisionsByName
    ) -> dict[int, CrossingContext]:
        """Return the zones of each asset's organisation, and its tags if any zone uses tags."""
        indexes = self._zones.indexes(revisions["geofences"])
        tagged = [asset_id for asset_id, owner in assets.items() if indexes[owner].uses_tags]
        tags = dated_tags_of(tagged) if tagged else {}
        return {
            asset_id: CrossingContext(
                indexes[owner], LinkedAsset(asset_id, tags.get(asset_id, NEVER_TAGGED))
            )
            for asset_id, owner in assets.items()
        }

    def record(
        self, verdicts: Sequence[AssetVerdict], *, now: datetime, cause_of: CauseOf
    ) -> list[CrossingChange]:
        """Record the differences that `verdicts` make; return them in order of crossing times."""
        verdicts = [v for v in verdicts if _findings(v) or v.windows]
        difference = _compared(verdicts, _recorded(verdicts))
        changes = [
            *_add(difference, now),
            *_move(difference, now),
            *_withdraw(difference, now),
        ]
        _insert_corrections(changes, cause_of)
        _update_presence(changes)
        return sorted(changes, key=lambda change: (change.at, change.crossing_id))

    def occurrences(self, changes: Sequence[CrossingChange]) -> list[OccurrenceChange]:
        return [change.as_occurrence() for change in changes]

    def standing(self, asset_id: int, since: datetime) -> list[OccurrenceChange]:
        standing = Crossing.objects.filter(asset_id=asset_id, withdrawn_at=None, at__gte=since)
        return [_change("same", row).as_occurrence() for row in standing.order_by("at", "pk")]


def _compared(verdicts: Sequence[AssetVerdict], recorded: Sequence[Crossing]) -> Difference:
    """Compare the findings in the judged windows with the recorded crossings in them."""
    difference = Difference()
    by_asset: dict[int, list[Crossing]] = {}
    for crossing in recorded:
        by_asset.setdefault(crossing.asset_id, []).append(crossing)
    for verdict in verdicts:
        found = [(_match_key(finding), (verdict, finding)) for finding in _findings(verdict)]
        rows = [(_match_key_of_row(row), row) for row in by_asset.get(verdict.pending.asset_id, [])]
        own = differences(found, rows, settled_us=verdict.settled_us, reach_us=verdict.reach_us)
        difference.added += own.added
        difference.moved += own.moved
        difference.withdrawn += own.withdrawn
    return difference


def _findings(verdict: AssetVerdict) -> list[FoundCrossing]:
    return verdict.findings[CrossingFold.name]


def _match_key(finding: FoundCrossing) -> MatchKey:
    meaning = (
        finding.version_id,
        finding.at_us,
        finding.not_before_us,
        finding.estimate_us,
        finding.left_estimate_us,
        finding.confirmed.to_bytes(),
        finding.lon_deg,
        finding.lat_deg,
    )
    return MatchKey((finding.geofence_id, finding.kind), finding.confirmed.at_us, meaning)


def _match_key_of_row(row: Crossing) -> MatchKey:
    meaning = (
        row.version_id,
        microseconds(row.at),
        _us(row.not_before),
        _us(row.estimate),
        _us(row.left_estimate),
        bytes(row.confirmed_key),
        row.lon_deg,
        row.lat_deg,
    )
    return MatchKey((row.geofence_id, row.kind), microseconds(row.confirmed_at), meaning)


def _us(at: datetime | None) -> int | None:
    return None if at is None else microseconds(at)


def _instant(at_us: int | None) -> datetime | None:
    return None if at_us is None else instant(at_us)


def _recorded(verdicts: Sequence[AssetVerdict]) -> list[Crossing]:
    """Return the standing crossings that became sure inside the judged windows."""
    windows = [(v.pending.asset_id, window) for v in verdicts for window in v.windows]
    if not windows:
        return []
    lows = [window.low or FIRST for _, window in windows]
    highs = [window.high or LAST for _, window in windows]
    found = rows(
        _SELECT_RECORDED,
        [
            [asset_id for asset_id, _ in windows],
            moments_of(lows),
            [low.to_bytes() for low in lows],
            moments_of(highs),
            [high.to_bytes() for high in highs],
        ],
    )
    return [Crossing.from_db("default", ("id", *_COLUMNS), row) for row in found]


def _is_late(verdict: AssetVerdict, finding: FoundCrossing) -> bool:
    """Return whether a crossing became sure at a fact no later than the last judged before."""
    last = verdict.former_last
    return last is not None and finding.confirmed <= last


def _row(finding: FoundCrossing) -> dict[str, Any]:
    return {
        "version_id": finding.version_id,
        "at": instant(finding.at_us),
        "not_before": _instant(finding.not_before_us),
        "not_after": instant(finding.not_after_us),
        "estimate": _instant(finding.estimate_us),
        "left_estimate": _instant(finding.left_estimate_us),
        "confirmed_at": instant(finding.confirmed.at_us),
        "confirmed_key": finding.confirmed.to_bytes(),
        "device_id": finding.confirmed.device_id,
        "is_inferred": finding.is_inferred,
        "lon_deg": finding.lon_deg,
        "lat_deg": finding.lat_deg,
    }


def _add(difference: Difference, now: datetime) -> list[CrossingChange]:
    added = [
        Crossing(
            organisation_id=verdict.pending.organisation_id,
            asset_id=verdict.pending.asset_id,
            geofence_id=finding.geofence_id,
            kind=finding.kind,
            recorded_at=now,
            is_late=_is_late(verdict, finding),
            **_row(finding),
        )
        for verdict, finding in difference.added
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
    document = [_json_row(row, _COLUMNS) for row in crossings]
    inserted = rows(_INSERT, [_json(document)])
    for row, (number,) in zip(crossings, inserted, strict=True):
        row.id = number


def _move(difference: Difference, now: datetime) -> list[CrossingChange]:
    changes = []
    for row, (_, finding) in difference.moved:
        before = _times(row)
        for name, value in _row(finding).items():
            setattr(row, name, value)
        row.is_late = True
        changes.append(_change("moved", row, before=before))
    if changes:
        document = [{"id": row.pk} | _json_row(row, _MOVED) for row, _ in difference.moved]
        run(_UPDATE, [_json(document)])
    return changes


_MOVED = (
    "version_id", "at", "not_before", "not_after", "estimate", "left_estimate", "confirmed_at",
    "confirmed_key", "device_id", "is_inferred", "lon_deg", "lat_deg", "is_late",
)  # fmt: skip
_UPDATE = (
    f"UPDATE geofence_crossing c SET {', '.join(f'{name} = o.{name}' for name in _MOVED)}"
    " FROM json_populate_recordset(NULL::geofence_crossing, %s::json) o WHERE c.id = o.id"
)


def _json_row(row: Crossing, names: Sequence[str]) -> dict[str, Any]:
    """Return columns as PostgreSQL reads them from JSON: bytes in hex."""
    values = {name: getattr(row, name) for name in names}
    return values | {"confirmed_key": f"\\x{bytes(row.confirmed_key).hex()}"}


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


def _insert_corrections(changes: list[CrossingChange], cause_of: CauseOf) -> None:
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
        # The cause is the same for all corrections of an asset and is sent once.
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


def _times(crossing: Crossing | CrossingChange) -> Times:
    """Return the times of a crossing, as corrections show them."""
    times = {name: getattr(crossing, name) for name in TIMES}
    return {name: at.isoformat() if at else None for name, at in times.items()}


def _update_presence(changes: list[CrossingChange]) -> None:
    """Set presence by the newest standing crossing of each asset and geofence that changed."""
    pairs = sorted({(c.asset_id, c.geofence_id) for c in changes if c.kind != "pass"})
    if not pairs:
        return
    run(
        "WITH pair AS (SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS p(asset, geofence)),"
        " newest AS (SELECT p.asset, p.geofence, c.* FROM pair p LEFT JOIN LATERAL ("
        "  SELECT organisation_id, kind, at, not_before FROM geofence_crossing c"
        "  WHERE c.asset_id = p.asset AND c.geofence_id = p.geofence"
        "  AND c.withdrawn_at IS NULL AND c.kind <> 'pass'"
        "  ORDER BY c.confirmed_at DESC, c.confirmed_key DESC, c.id DESC LIMIT 1) c ON true),"
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
