"""Reads and writes of alerts for judging: each function is one statement for many rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time

import msgspec
from django.db import connection
from django.db.models import Q
from msgspec import Struct

from alerts.alert_steps import AlertStep, StandingAlert
from alerts.conditions import Condition, Trigger
from alerts.models import Alert
from alerts.quiet_hours import QuietHours
from core.occurrence import Occurrence
from core.statements import records, recordset, rows, run


class WrittenStep(Struct, frozen=True, kw_only=True):
    """A step that was written, with the alert's id and its number in the stream."""

    step: AlertStep
    alert_id: int
    number: int


def conditions_for(occurrences: Sequence[Occurrence]) -> list[Condition]:
    """Return the conditions of active rules that any of the occurrences could meet."""
    return records(
        _condition,
        "SELECT v.rule_id, v.id AS version_id, r.organisation_id, v.geofence_id, v.trigger,"
        " v.asset_ids, v.tags, ARRAY(SELECT id FROM alerts_recipient"
        " WHERE id = ANY(v.recipient_ids) AND is_active ORDER BY id) AS recipient_ids,"
        " v.valid_from, v.valid_to, v.quiet_from, v.quiet_until, v.time_zone"
        " FROM alerts_ruleversion v JOIN alerts_rule r ON r.id = v.rule_id"
        " WHERE (v.geofence_id IS NULL OR v.geofence_id = ANY(%s::bigint[]))"
        " AND r.organisation_id = ANY(%s::bigint[])"
        " AND v.is_active AND v.valid_from <= %s AND (v.valid_to IS NULL OR v.valid_to > %s)",
        [
            list({each.geofence_id for each in occurrences if each.geofence_id is not None}),
            list({each.organisation_id for each in occurrences}),
            max(each.begin_at for each in occurrences),
            min(each.begin_at for each in occurrences),
        ],
    )


def _condition(
    rule_id: int,
    version_id: int,
    organisation_id: int,
    geofence_id: int | None,
    trigger: Trigger,
    asset_ids: list[int],
    tags: list[str],
    recipient_ids: list[int],
    valid_from: datetime,
    valid_to: datetime | None,
    quiet_from: time | None,
    quiet_until: time | None,
    time_zone: str,
) -> Condition:
    quiet = None
    if quiet_from is not None and quiet_until is not None:
        quiet = QuietHours(quiet_from, quiet_until, time_zone)
    return Condition(
        rule_id=rule_id,
        version_id=version_id,
        organisation_id=organisation_id,
        geofence_id=geofence_id,
        trigger=trigger,
        asset_ids=frozenset(asset_ids),
        tags=frozenset(tags),
        recipient_ids=tuple(recipient_ids),
        valid_from=valid_from,
        valid_to=valid_to,
        quiet=quiet,
    )


def standing_alerts(occurrences: Sequence[Occurrence]) -> list[StandingAlert]:
    """Lock and return the alerts that the occurrences raised before.

    Always called before `take_numbers`. Acknowledging locks in the same order, so that neither
    waits for the other for ever.
    """
    by_kind: dict[str, list[int]] = {}
    for each in occurrences:
        by_kind.setdefault(each.evidence_kind, []).append(each.evidence_id)
    raised = Q()
    for kind, ids in by_kind.items():
        raised |= Q(evidence_kind=kind, evidence_id__in=ids)
    return [
        StandingAlert(
            alert_id=alert.pk,
            rule_id=alert.rule_id,
            version_id=alert.rule_version_id,
            evidence=(alert.evidence_kind, alert.evidence_id),
            kind=alert.kind,
            begin_at=alert.at,
            end_at=alert.end_at,
            is_withdrawn=alert.state == Alert.State.WITHDRAWN,
        )
        for alert in Alert.objects.select_for_update().filter(raised).order_by("pk")
    ]


def take_numbers(count: int) -> range:
    """Take the next numbers of the stream, and hold its row lock until the commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO alerts_alertstream AS stream (id, number) VALUES (1, %(count)s)"
            " ON CONFLICT (id) DO UPDATE SET number = stream.number + %(count)s RETURNING number",
            {"count": count},
        )
        row = cursor.fetchone()
    assert row is not None, "written or found, the row is returned"
    return range(row[0] - count + 1, row[0] + 1)


class _RaisedRow(Struct):
    organisation_id: int
    rule_id: int
    rule_version_id: int
    asset_id: int
    geofence_id: int | None
    crossing_id: int | None
    evidence_kind: str
    evidence_id: int
    kind: str
    at: datetime
    end_at: datetime | None
    peak: float | None
    margin: float | None
    number: int
    state: str
    is_late: bool
    has_no_recipient: bool


_RAISED_COLUMNS = ", ".join(_RaisedRow.__struct_fields__)
_RAISE = f"""
INSERT INTO alerts_alert ({_RAISED_COLUMNS}, opened_at)
SELECT {_RAISED_COLUMNS}, %s FROM {recordset(_RaisedRow)} ORDER BY number
ON CONFLICT (rule_id, evidence_kind, evidence_id) DO NOTHING
RETURNING number, id
"""


def raise_alerts(numbered: Sequence[tuple[int, AlertStep]], *, now: datetime) -> dict[int, int]:
    """Write new alerts; return their ids by number, without alerts that exist already."""
    return dict(rows(_RAISE, [now, _json([_raised(number, step) for number, step in numbered])]))


def _raised(number: int, step: AlertStep) -> _RaisedRow:
    occurrence, condition = step.occurrence, step.condition
    assert condition is not None, "only a condition that is met raises an alert"
    is_crossing = occurrence.evidence_kind == "crossing"
    return _RaisedRow(
        organisation_id=occurrence.organisation_id,
        rule_id=condition.rule_id,
        rule_version_id=condition.version_id,
        asset_id=occurrence.asset_id,
        geofence_id=occurrence.geofence_id,
        crossing_id=occurrence.evidence_id if is_crossing else None,
        evidence_kind=occurrence.evidence_kind,
        evidence_id=occurrence.evidence_id,
        kind=occurrence.kind,
        at=occurrence.begin_at,
        end_at=occurrence.end_at,
        peak=occurrence.peak,
        margin=occurrence.margin,
        number=number,
        # An occurrence that ended before it was reported needs no person any more.
        state="resolved" if _has_ended(occurrence) else "open",
        is_late=occurrence.is_late or step.is_correction,
        has_no_recipient=not condition.recipient_ids,
    )


def _has_ended(occurrence: Occurrence) -> bool:
    return occurrence.end_at is not None and occurrence.end_at != occurrence.begin_at


class _CorrectedRow(Struct):
    alert_id: int
    number: int
    change: str
    kind: str
    at: datetime
    end_at: datetime | None
    peak: float | None
    margin: float | None
    version_id: int
    has_ended: bool


# A withdrawn alert keeps its former values; an acknowledged alert stays acknowledged until its
# occurrence has ended.
_CORRECT = f"""
UPDATE alerts_alert alert SET
    number = o.number, kind = o.kind, at = o.at, rule_version_id = o.version_id,
    end_at = CASE WHEN o.change = 'withdrawn' THEN alert.end_at ELSE o.end_at END,
    peak = CASE WHEN o.change = 'withdrawn' THEN alert.peak ELSE o.peak END,
    margin = CASE WHEN o.change = 'withdrawn' THEN alert.margin ELSE o.margin END,
    amended_at = CASE WHEN o.change = 'amended' THEN %s ELSE alert.amended_at END,
    withdrawn_at = CASE WHEN o.change = 'withdrawn' THEN %s END,
    state = CASE WHEN o.change = 'withdrawn' THEN 'withdrawn'
                 WHEN o.has_ended THEN 'resolved'
                 WHEN alert.acknowledged_at IS NOT NULL THEN 'acknowledged'
                 WHEN alert.state IN ('withdrawn', 'resolved') THEN 'open'
                 ELSE alert.state END
FROM {recordset(_CorrectedRow)} WHERE alert.id = o.alert_id
"""


def correct_alerts(numbered: Sequence[tuple[int, AlertStep]], *, now: datetime) -> None:
    run(_CORRECT, [now, now, _json([_corrected(number, step) for number, step in numbered])])


def _corrected(number: int, step: AlertStep) -> _CorrectedRow:
    alert, condition, occurrence = step.alert, step.condition, step.occurrence
    assert alert is not None, "only an existing alert is corrected"
    is_met = condition is not None
    return _CorrectedRow(
        alert_id=alert.alert_id,
        number=number,
        change=step.change,
        kind=occurrence.kind if is_met else alert.kind,
        at=occurrence.begin_at if is_met else alert.begin_at,
        end_at=occurrence.end_at,
        peak=occurrence.peak,
        margin=occurrence.margin,
        version_id=condition.version_id if condition else alert.version_id,
        has_ended=_has_ended(occurrence),
    )


class _ChangeRow(Struct):
    number: int
    organisation_id: int
    alert_id: int
    change: str
    previous_at: datetime | None


_CHANGE_COLUMNS = ", ".join(_ChangeRow.__struct_fields__)
_RECORD_CHANGES = f"""
INSERT INTO alerts_alertchange ({_CHANGE_COLUMNS}, recorded_at)
SELECT {_CHANGE_COLUMNS}, %s FROM {recordset(_ChangeRow)}
"""


def record_changes(written: Iterable[WrittenStep], *, now: datetime) -> None:
    changes = [
        _ChangeRow(
            number=each.number,
            organisation_id=each.step.occurrence.organisation_id,
            alert_id=each.alert_id,
            change=each.step.change,
            previous_at=each.step.previous_at,
        )
        for each in written
    ]
    run(_RECORD_CHANGES, [now, _json(changes)])


def _json(rows: Sequence[Struct]) -> str:
    return msgspec.json.encode(rows).decode()
