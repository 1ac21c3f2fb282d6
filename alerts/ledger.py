"""Reads and writes of judging: each function is one statement, however many rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time

import msgspec
from django.db import connection
from msgspec import Struct

from alerts.conditions import Condition, Trigger
from alerts.models import Alert
from alerts.quiet_hours import QuietHours
from alerts.verdicts import StandingAlert, Step
from assets.models import Asset
from core.statements import records, recordset, rows, run
from geofence.changes import CrossingChange


class Entry(Struct, frozen=True, kw_only=True):
    """A step that was written, with the alert's id and its number in the stream."""

    step: Step
    alert_id: int
    number: int


def conditions_for(crossings: Sequence[CrossingChange]) -> list[Condition]:
    """Return the versions of active rules that any of `crossings` could meet."""
    earliest = min(crossing.at for crossing in crossings)
    latest = max(crossing.at for crossing in crossings)
    return records(
        _condition,
        "SELECT v.rule_id, v.id AS version_id, r.organisation_id, v.geofence_id, v.trigger,"
        " v.asset_ids, v.tags, ARRAY(SELECT id FROM alerts_recipient"
        " WHERE id = ANY(v.recipient_ids) AND is_active ORDER BY id) AS recipient_ids,"
        " v.valid_from, v.valid_to, v.quiet_from, v.quiet_until, v.time_zone"
        " FROM alerts_ruleversion v JOIN alerts_rule r ON r.id = v.rule_id"
        " WHERE v.geofence_id = ANY(%s::bigint[]) AND r.organisation_id = ANY(%s::bigint[])"
        " AND v.is_active AND v.valid_from <= %s AND (v.valid_to IS NULL OR v.valid_to > %s)",
        [
            list({crossing.geofence_id for crossing in crossings}),
            list({crossing.organisation_id for crossing in crossings}),
            latest,
            earliest,
        ],
    )


def _condition(
    rule_id: int,
    version_id: int,
    organisation_id: int,
    geofence_id: int,
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


def standing_alerts(crossings: Sequence[CrossingChange]) -> list[StandingAlert]:
    """Return and lock the alerts that `crossings` raised before.

    Always before `take_numbers`, as acknowledging does it: the same order, no deadlock.
    """
    standing = (
        Alert.objects.select_for_update()
        .filter(crossing_id__in=[crossing.crossing_id for crossing in crossings])
        .order_by("pk")
    )
    return [
        StandingAlert(
            alert_id=alert.pk,
            rule_id=alert.rule_id,
            version_id=alert.rule_version_id,
            crossing_id=alert.crossing_id,
            kind=alert.kind,
            at=alert.at,
            is_withdrawn=alert.state == Alert.State.WITHDRAWN,
        )
        for alert in standing
    ]


def tags_of_assets(crossings: Sequence[CrossingChange]) -> dict[int, frozenset[str]]:
    assets = Asset.objects.filter(pk__in={crossing.asset_id for crossing in crossings})
    return {pk: frozenset(tags) for pk, tags in assets.values_list("pk", "tags")}


def take_numbers(count: int) -> range:
    """Return the next numbers of the stream, holding its row lock until the commit."""
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
    geofence_id: int
    crossing_id: int
    kind: str
    at: datetime
    number: int
    is_late: bool
    told_nobody: bool


_RAISED = ", ".join(_RaisedRow.__struct_fields__)
_RAISE = f"""
INSERT INTO alerts_alert ({_RAISED}, opened_at, state)
SELECT {_RAISED}, %s, 'open' FROM {recordset(_RaisedRow)} ORDER BY number
ON CONFLICT (rule_id, crossing_id) DO NOTHING
RETURNING number, id
"""


def raise_alerts(numbered: Sequence[tuple[int, Step]], *, now: datetime) -> dict[int, int]:
    """Write new alerts; return the ids of those that nobody else raised first, by number."""
    return dict(rows(_RAISE, [now, _json([_raised(number, step) for number, step in numbered])]))


def _raised(number: int, step: Step) -> _RaisedRow:
    crossing, condition = step.crossing, step.condition
    assert condition is not None, "only a condition that is met raises an alert"
    return _RaisedRow(
        organisation_id=crossing.organisation_id,
        rule_id=condition.rule_id,
        rule_version_id=condition.version_id,
        asset_id=crossing.asset_id,
        geofence_id=crossing.geofence_id,
        crossing_id=crossing.crossing_id,
        kind=crossing.kind,
        at=crossing.at,
        number=number,
        is_late=crossing.is_late or crossing.change in ("added", "moved"),
        told_nobody=not condition.recipient_ids,
    )


class _CorrectedRow(Struct):
    alert_id: int
    number: int
    change: str
    kind: str
    at: datetime
    version_id: int


# An alert that is withdrawn keeps what it said; one that was acknowledged stays so.
_CORRECT = f"""
UPDATE alerts_alert alert SET
    number = o.number, kind = o.kind, at = o.at, rule_version_id = o.version_id,
    amended_at = CASE WHEN o.change = 'amended' THEN %s ELSE alert.amended_at END,
    withdrawn_at = CASE WHEN o.change = 'withdrawn' THEN %s END,
    state = CASE WHEN o.change = 'withdrawn' THEN 'withdrawn'
                 WHEN alert.acknowledged_at IS NOT NULL THEN 'acknowledged'
                 WHEN alert.state = 'withdrawn' THEN 'open'
                 ELSE alert.state END
FROM {recordset(_CorrectedRow)} WHERE alert.id = o.alert_id
"""


def correct_alerts(numbered: Sequence[tuple[int, Step]], *, now: datetime) -> None:
    run(_CORRECT, [now, now, _json([_corrected(number, step) for number, step in numbered])])


def _corrected(number: int, step: Step) -> _CorrectedRow:
    alert, condition, crossing = step.alert, step.condition, step.crossing
    assert alert is not None, "only an alert that stands is corrected"
    is_met = condition is not None
    return _CorrectedRow(
        alert_id=alert.alert_id,
        number=number,
        change=step.change,
        kind=crossing.kind if is_met else alert.kind,
        at=crossing.at if is_met else alert.at,
        version_id=condition.version_id if condition else alert.version_id,
    )


class _NotedRow(Struct):
    number: int
    organisation_id: int
    alert_id: int
    change: str
    was_at: datetime | None


_NOTED = ", ".join(_NotedRow.__struct_fields__)
_NOTE = f"""
INSERT INTO alerts_alertchange ({_NOTED}, recorded_at)
SELECT {_NOTED}, %s FROM {recordset(_NotedRow)}
"""


def note_changes(entries: Iterable[Entry], *, now: datetime) -> None:
    noted = [
        _NotedRow(
            number=entry.number,
            organisation_id=entry.step.crossing.organisation_id,
            alert_id=entry.alert_id,
            change=entry.step.change,
            was_at=entry.step.was_at,
        )
        for entry in entries
    ]
    run(_NOTE, [now, _json(noted)])


def _json(rows: Sequence[Struct]) -> str:
    return msgspec.json.encode(rows).decode()
