"""Reads and writes of judging: each function is one statement, however many rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from msgspec import Struct

from alerts.conditions import Condition
from alerts.models import Alert, Notification
from alerts.quiet_hours import QuietHours
from alerts.telling import Reason, Word
from alerts.verdicts import StandingAlert, Step
from assets.models import Asset
from core.statements import rows
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
    found = rows(
        "SELECT v.rule_id, v.id, r.organisation_id, v.geofence_id, v.trigger, v.asset_ids, v.tags,"
        " v.recipients, v.valid_from, v.valid_to, v.quiet_from, v.quiet_until, v.time_zone"
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
    return [_condition(*row) for row in found]


def _condition(
    rule_id: int, version_id: int, organisation_id: int, geofence_id: int, *rest: Any
) -> Condition:
    trigger, asset_ids, tags, recipients, valid_from, valid_to, since, until, zone = rest
    return Condition(
        rule_id=rule_id,
        version_id=version_id,
        organisation_id=organisation_id,
        geofence_id=geofence_id,
        trigger=trigger,
        asset_ids=frozenset(asset_ids),
        tags=frozenset(tags),
        recipients=tuple(recipients),
        valid_from=valid_from,
        valid_to=valid_to,
        quiet=None if since is None else QuietHours(since, until, zone),
    )


def standing_alerts(crossings: Sequence[CrossingChange]) -> list[StandingAlert]:
    """Return and lock the alerts that `crossings` raised before.

    Always before `take_numbers`, as acknowledging does it: the same order, no deadlock.
    """
    standing = (
        Alert.objects.select_for_update()
        .filter(crossing_id__in=[crossing.crossing_id for crossing in crossings])
        .order_by("pk")
        .values_list("pk", "rule_id", "rule_version_id", "crossing_id", "kind", "at", "state")
    )
    return [
        StandingAlert(
            alert_id=pk,
            rule_id=rule_id,
            version_id=version_id,
            crossing_id=crossing_id,
            kind=kind,
            at=at,
            is_withdrawn=state == Alert.State.WITHDRAWN,
        )
        for pk, rule_id, version_id, crossing_id, kind, at, state in standing
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


_RAISE = """
INSERT INTO alerts_alert (organisation_id, rule_id, rule_version_id, asset_id, geofence_id,
    crossing_id, kind, at, number, is_late, told_nobody, opened_at, state)
SELECT organisation_id, rule_id, rule_version_id, asset_id, geofence_id,
    crossing_id, kind, at, number, is_late, told_nobody, %s, 'open'
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
    %s::text[], %s::timestamptz[], %s::bigint[], %s::bool[], %s::bool[]) WITH ORDINALITY
    AS row (organisation_id, rule_id, rule_version_id, asset_id, geofence_id, crossing_id,
            kind, at, number, is_late, told_nobody, place)
ORDER BY place
ON CONFLICT (rule_id, crossing_id) DO NOTHING
RETURNING number, id
"""


def raise_alerts(numbered: Sequence[tuple[int, Step]], *, now: datetime) -> dict[int, int]:
    """Write new alerts; return the ids of those that nobody else raised first, by number."""
    rows = [_raised_row(number, step) for number, step in numbered]
    with connection.cursor() as cursor:
        cursor.execute(_RAISE, [now, *_columns(rows, 11)])
        return dict(cursor.fetchall())


def _raised_row(number: int, step: Step) -> tuple[Any, ...]:
    crossing, condition = step.crossing, step.condition
    assert condition is not None, "only a condition that is met raises an alert"
    return (
        crossing.organisation_id,
        condition.rule_id,
        condition.version_id,
        crossing.asset_id,
        crossing.geofence_id,
        crossing.crossing_id,
        crossing.kind,
        crossing.at,
        number,
        crossing.is_late or crossing.change in ("added", "moved"),
        not condition.recipients,
    )


# An alert that is withdrawn keeps what it said; one that was acknowledged stays so.
_CORRECT = """
UPDATE alerts_alert alert SET
    number = row.number, kind = row.kind, at = row.at, rule_version_id = row.rule_version_id,
    amended_at = CASE WHEN row.change = 'amended' THEN %(now)s ELSE alert.amended_at END,
    withdrawn_at = CASE WHEN row.change = 'withdrawn' THEN %(now)s END,
    state = CASE WHEN row.change = 'withdrawn' THEN 'withdrawn'
                 WHEN alert.acknowledged_at IS NOT NULL THEN 'acknowledged'
                 WHEN alert.state = 'withdrawn' THEN 'open'
                 ELSE alert.state END
FROM unnest(%(id)s::bigint[], %(number)s::bigint[], %(change)s::text[], %(kind)s::text[],
            %(at)s::timestamptz[], %(version)s::bigint[])
    AS row (id, number, change, kind, at, rule_version_id)
WHERE alert.id = row.id
"""


def correct_alerts(numbered: Sequence[tuple[int, Step]], *, now: datetime) -> None:
    rows = [_corrected_row(number, step) for number, step in numbered]
    names = ("id", "number", "change", "kind", "at", "version")
    with connection.cursor() as cursor:
        cursor.execute(_CORRECT, dict(zip(names, _columns(rows, 6), strict=True)) | {"now": now})


def _corrected_row(number: int, step: Step) -> tuple[Any, ...]:
    alert, condition = step.alert, step.condition
    assert alert is not None, "only an alert that stands is corrected"
    if condition is None:
        return (alert.alert_id, number, step.change, alert.kind, alert.at, alert.version_id)
    crossing = step.crossing
    return (
        alert.alert_id, number, step.change, crossing.kind, crossing.at, condition.version_id
    )  # fmt: skip


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [[row[place] for row in rows] for place in range(width)]


_NOTE = """
INSERT INTO alerts_alertchange (number, organisation_id, alert_id, change, was_at, recorded_at)
SELECT row.*, %s FROM unnest(
    %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::timestamptz[]) AS row
"""


def note_changes(entries: Iterable[Entry], *, now: datetime) -> None:
    rows = [
        (
            entry.number,
            entry.step.crossing.organisation_id,
            entry.alert_id,
            entry.step.change,
            entry.step.was_at,
        )
        for entry in entries
    ]
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [now, *_columns(rows, 5)])


def cancel_unsent(alert_ids: Sequence[int]) -> None:
    """Take back what waits to be sent about alerts that it is no longer true of."""
    Notification.objects.filter(alert_id__in=alert_ids, state=Notification.State.PENDING).update(
        state=Notification.State.CANCELLED
    )


def words_about(alert_ids: Sequence[int]) -> Mapping[int, list[Word]]:
    """Return all notifications of each alert, oldest first."""
    known = (Notification.State.SENT, Notification.State.SENDING)
    rows = Notification.objects.filter(alert_id__in=alert_ids).order_by("change_id")
    words: dict[int, list[Word]] = defaultdict(list)
    for alert_id, recipient, reason, state, may_have_arrived in rows.values_list(
        "alert_id", "recipient", "reason", "state", "may_have_arrived"
    ):
        word = Word(
            recipient=recipient,
            reason=reason,
            is_pending=state == Notification.State.PENDING,
            may_be_known=state in known or may_have_arrived,
        )
        words[alert_id].append(word)
    return words


_PROMISE = """
INSERT INTO alerts_notification (id, alert_id, change_id, recipient, reason, sender, state,
    attempts, may_have_arrived, last_error, next_try_at, created_at)
SELECT gen_random_uuid(), row.*, 'email', 'pending', 0, false, '', %(now)s, %(now)s
FROM unnest(%(alert)s::bigint[], %(change)s::bigint[], %(recipient)s::text[], %(reason)s::text[])
    AS row
RETURNING change_id, id
"""


def promise(owed: Sequence[tuple[Entry, str, Reason]], *, now: datetime) -> dict[int, list[UUID]]:
    """Write pending notifications; return their ids by the number of the change."""
    rows = [(entry.alert_id, entry.number, recipient, reason) for entry, recipient, reason in owed]
    ids: dict[int, list[UUID]] = defaultdict(list)
    if not rows:
        return ids
    names = ("alert", "change", "recipient", "reason")
    with connection.cursor() as cursor:
        cursor.execute(_PROMISE, dict(zip(names, _columns(rows, 4), strict=True)) | {"now": now})
        for number, pk in cursor.fetchall():
            ids[number].append(pk)
    return ids
