"""The ledger of folds that find intervals: their findings are recorded as occurrences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from core.fact_order import FactKey, before_all_at, key_of_bytes
from core.observation import instant, microseconds
from core.occurrence import Occurrence, OccurrenceChange
from judging.folds import Fold
from judging.intervals import Edge, Interval, IntervalChange, interval_changes
from judging.ledgers import CauseOf, RevisionsByName
from judging.machine import AssetVerdict
from positions import occurrences
from positions.occurrences import OccurrenceRow, OccurrenceWindow, WrittenOccurrence


class RecordedInterval(Struct, frozen=True):
    """A recorded change of an interval: `former` is None if new, `present` if withdrawn."""

    organisation_id: int
    asset_id: int
    number: int
    former: Interval | None
    present: Interval | None
    is_late: bool


class IntervalLedger:
    """The ledger of a fold whose findings are edges: beginnings and ends of intervals."""

    def __init__(self, fold: Fold) -> None:
        self.fold = fold

    def contexts(self, assets: Mapping[int, int], revisions: RevisionsByName) -> dict[int, Any]:
        return {}

    def record(
        self, verdicts: Sequence[AssetVerdict], *, now: datetime, cause_of: CauseOf
    ) -> list[RecordedInterval]:
        """Record the differences that `verdicts` make, and return them."""
        verdicts = [v for v in verdicts if v.windows or v.findings[self.fold.name]]
        if not verdicts:
            return []
        recorded = self._recorded(verdicts)
        changes = []
        for verdict in verdicts:
            edges: list[Edge] = verdict.findings[self.fold.name]
            changes += [
                (verdict, change)
                for change in interval_changes(
                    edges,
                    recorded.get(verdict.pending.asset_id, []),
                    verdict.windows,
                    settled_us=verdict.settled_us,
                    reach_us=verdict.reach_us,
                )
            ]
        return self._write(changes, now)

    def occurrences(self, changes: Sequence[RecordedInterval]) -> list[OccurrenceChange]:
        return [_occurrence_change(recorded) for recorded in changes]

    def standing(self, asset_id: int, since: datetime) -> list[OccurrenceChange]:
        window = OccurrenceWindow(asset_id, before_all_at(microseconds(since)), None)
        reaching = occurrences.occurrences_in(self.fold.name, [window])
        return [
            OccurrenceChange(
                change="same",
                occurrence=_occurrence(
                    row.organisation_id, asset_id, row.number, _interval_of(row)
                ),
            )
            for row in reaching
        ]

    def _recorded(self, verdicts: Sequence[AssetVerdict]) -> dict[int, list[Interval]]:
        """Return the recorded intervals that reach into the judged windows, by asset."""
        windows = [
            OccurrenceWindow(verdict.pending.asset_id, window.low, window.high)
            for verdict in verdicts
            for window in verdict.windows
        ]
        in_order = [verdict.pending.asset_id for verdict in verdicts if not verdict.windows]
        name = self.fold.name
        found = [
            *occurrences.occurrences_in(name, windows),
            *occurrences.open_occurrences(name, in_order),
        ]
        by_asset: dict[int, list[Interval]] = {}
        for row in found:
            by_asset.setdefault(row.asset_id, []).append(_interval_of(row))
        return by_asset

    def _write(
        self, changes: Sequence[tuple[AssetVerdict, IntervalChange]], now: datetime
    ) -> list[RecordedInterval]:
        added: list[WrittenOccurrence] = []
        updated: list[WrittenOccurrence] = []
        withdrawn: list[int] = []
        recorded = []
        for verdict, change in changes:
            is_late = _is_late(verdict, change)
            if change.present is None:
                assert change.former is not None, "a change has a former or a present"
                assert change.former.number is not None, "a withdrawn interval was recorded"
                withdrawn.append(change.former.number)
                row = None
            else:
                row = self._row(verdict, change.present, is_late=is_late, now=now)
                (updated if change.former else added).append(row)
            recorded.append((verdict, change, row, is_late))
        occurrences.insert(added)
        occurrences.update(updated)
        occurrences.withdraw(withdrawn, now=now)
        return [_recorded_interval(*written) for written in recorded]

    def _row(
        self, verdict: AssetVerdict, present: Interval, *, is_late: bool, now: datetime
    ) -> WrittenOccurrence:
        return WrittenOccurrence(
            id=present.number,
            organisation_id=verdict.pending.organisation_id,
            asset_id=verdict.pending.asset_id,
            fold=self.fold.name,
            kind=present.kind,
            subject=present.subject,
            begin_at=instant(present.begin_us),
            begin_key=present.begin_key.to_bytes(),
            end_at=None if present.end_us is None else instant(present.end_us),
            end_key=None if present.end_key is None else present.end_key.to_bytes(),
            details=dict(present.details),
            is_late=is_late,
            recorded_at=now,
        )


def _recorded_interval(
    verdict: AssetVerdict,
    change: IntervalChange,
    row: WrittenOccurrence | None,
    is_late: bool,
) -> RecordedInterval:
    number = row.id if row else _number_of(change.former)
    assert number is not None, "an inserted row has its id"
    return RecordedInterval(
        organisation_id=verdict.pending.organisation_id,
        asset_id=verdict.pending.asset_id,
        number=number,
        former=change.former,
        present=change.present,
        is_late=is_late,
    )


def _occurrence_change(recorded: RecordedInterval) -> OccurrenceChange:
    shown = recorded.present or recorded.former
    assert shown is not None, "a change has a former or a present"
    return OccurrenceChange(
        change=_kind_of_change(recorded),
        occurrence=_occurrence(
            recorded.organisation_id,
            recorded.asset_id,
            recorded.number,
            shown,
            is_late=recorded.is_late,
        ),
    )


def _kind_of_change(
    recorded: RecordedInterval,
) -> Literal["new", "grown", "added", "moved", "withdrawn"]:
    if recorded.present is None:
        return "withdrawn"
    if recorded.former is None:
        return "added" if recorded.is_late else "new"
    return "moved" if recorded.is_late else "grown"


def _occurrence(
    organisation_id: int, asset_id: int, number: int, shown: Interval, *, is_late: bool = False
) -> Occurrence:
    return Occurrence(
        kind=shown.kind,
        organisation_id=organisation_id,
        asset_id=asset_id,
        begin_at=instant(shown.begin_us),
        end_at=None if shown.end_us is None else instant(shown.end_us),
        evidence_kind="occurrence",
        evidence_id=number,
        geofence_id=shown.details.get("geofence_id"),
        version_id=shown.details.get("version_id"),
        peak=shown.details.get("peak"),
        margin=shown.details.get("margin"),
        is_late=is_late,
    )


def _number_of(interval: Interval | None) -> int | None:
    return None if interval is None else interval.number


def _is_late(verdict: AssetVerdict, change: IntervalChange) -> bool:
    """Return whether the change is at or before the last fact judged before: a correction."""
    former, present, last = change.former, change.present, verdict.former_last
    if former is not None and present is not None and former.begin_key == present.begin_key:
        return _is_among(former.end_key, last) or _is_among(present.end_key, last)
    return former is not None or (present is not None and _is_among(present.begin_key, last))


def _is_among(key: FactKey | None, last: FactKey | None) -> bool:
    return key is not None and last is not None and key <= last


def _interval_of(row: OccurrenceRow) -> Interval:
    return Interval(
        kind=row.kind,
        subject=row.subject,
        begin_us=microseconds(row.begin_at),
        begin_key=key_of_bytes(row.begin_key),
        end_us=None if row.end_at is None else microseconds(row.end_at),
        end_key=None if row.end_key is None else key_of_bytes(row.end_key),
        details=row.details,
        number=row.number,
    )
