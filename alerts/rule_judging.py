"""The step from occurrences to alerts and their notifications, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from alerts import alert_statements, notification_statements
from alerts.alert_statements import WrittenStep
from alerts.alert_steps import AlertStep, needed_steps, newest_changes
from alerts.changed_alerts import ChangedAlert
from alerts.conditions import ALERTING_KINDS
from alerts.due_notifications import PastNotification, Reason, due_notifications
from assets.tag_history import dated_tags_of
from core.occurrence import OccurrenceChange

# Changes after which pending notifications are no longer true.
REVERSALS = ("withdrawn", "reinstated")


def judge_rules(changes: Sequence[OccurrenceChange], *, now: datetime) -> list[ChangedAlert]:
    """Raise, amend and withdraw alerts, and write the notifications that this makes due.

    Runs in the caller's transaction, which must have locked the assets concerned, and should
    commit soon: from the first alert on it holds the row lock of the alert stream. At most
    ten statements, however many changes. Judging the same again changes nothing. The answer
    is in the order in which the occurrences began.
    """
    relevant = [each for each in changes if each.occurrence.kind in ALERTING_KINDS]
    steps = _steps_for(newest_changes(relevant))
    if not steps:
        return []
    written = _write_steps(steps, now=now)
    alert_statements.record_changes(written, now=now)
    due = _due_notifications(written, now=now)
    ids = notification_statements.enqueue_notifications(due, now=now)
    return [
        ChangedAlert(
            change=each.step.change,
            alert_id=each.alert_id,
            number=each.number,
            organisation_id=each.step.occurrence.organisation_id,
            notification_ids=tuple(ids.get(each.number, ())),
        )
        for each in written
    ]


def _steps_for(changes: Sequence[OccurrenceChange]) -> list[AlertStep]:
    if not changes:
        return []
    occurrences = [change.occurrence for change in changes]
    conditions = alert_statements.conditions_for(occurrences)
    is_plain = all(change.change == "new" for change in changes)
    if is_plain and not conditions:
        return []  # Most batches end here, after one statement.
    has_tags = any(condition.tags for condition in conditions)
    tags = dated_tags_of({each.asset_id for each in occurrences}) if has_tags else {}
    alerts = alert_statements.standing_alerts(occurrences)
    return needed_steps(changes, conditions, tags, alerts)


def _write_steps(steps: Sequence[AlertStep], *, now: datetime) -> list[WrittenStep]:
    """Write steps; return them, without alerts that another transaction raised first."""
    numbered = list(zip(alert_statements.take_numbers(len(steps)), steps, strict=True))
    corrected = [(number, step) for number, step in numbered if step.alert]
    ids = {number: step.alert.alert_id for number, step in corrected if step.alert}
    if corrected:
        alert_statements.correct_alerts(corrected, now=now)
    if raised := [(number, step) for number, step in numbered if not step.alert]:
        ids |= alert_statements.raise_alerts(raised, now=now)
    return [
        WrittenStep(step=step, alert_id=ids[number], number=number)
        for number, step in numbered
        if number in ids
    ]


def _due_notifications(
    written: Sequence[WrittenStep], *, now: datetime
) -> list[tuple[WrittenStep, int, Reason]]:
    past = _cancel_and_read_notifications([each for each in written if each.step.alert], now)
    return [
        (each, recipient_id, reason)
        for each in written
        for recipient_id, reason in due_notifications(
            each.step.change,
            each.step.condition.recipient_ids if each.step.condition else (),
            past.get(each.alert_id, ()),
        )
    ]


def _cancel_and_read_notifications(
    corrected: Sequence[WrittenStep], now: datetime
) -> dict[int, list[PastNotification]]:
    """Cancel notifications that are no longer true; return the notifications of each alert."""
    reversed_ids = [each.alert_id for each in corrected if each.step.change in REVERSALS]
    if reversed_ids:
        notification_statements.cancel_pending_notifications(reversed_ids)
    if not corrected:
        return {}
    alert_ids = [each.alert_id for each in corrected]
    return dict(notification_statements.put_off_and_read_notifications(alert_ids, now=now))
