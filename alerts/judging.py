"""From occurrences to alerts and the promise to notify people, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from alerts import ledger, notifying
from alerts.changes import Raised
from alerts.conditions import ALERTING_KINDS
from alerts.ledger import WrittenStep
from alerts.telling import Reason, Word, words_owed
from alerts.verdicts import AlertStep, newest_changes, steps_owed
from assets.tag_history import dated_tags_of
from core.occurrence import OccurrenceChange

# After which what was still to be sent is not true any more.
TURNED = ("withdrawn", "reinstated")


def judge(changes: Sequence[OccurrenceChange], *, now: datetime) -> list[Raised]:
    """Raise, amend and withdraw alerts, and write the notifications that are owed for it.

    Runs in the caller's transaction, which must have locked the assets concerned, and should
    commit soon: from the first alert on it holds the row lock of the alert stream. At most
    ten statements, however many changes. Judging the same again changes nothing. The answer
    is in the order in which the occurrences began.
    """
    relevant = [each for each in changes if each.occurrence.kind in ALERTING_KINDS]
    steps = _steps(newest_changes(relevant))
    if not steps:
        return []
    entries = _write(steps, now=now)
    ledger.note_changes(entries, now=now)
    ids = notifying.promise(_owed(entries), now=now)
    return [
        Raised(
            change=entry.step.change,
            alert_id=entry.alert_id,
            number=entry.number,
            organisation_id=entry.step.occurrence.organisation_id,
            notification_ids=tuple(ids.get(entry.number, ())),
        )
        for entry in entries
    ]


def _steps(changes: Sequence[OccurrenceChange]) -> list[AlertStep]:
    if not changes:
        return []
    occurrences = [change.occurrence for change in changes]
    conditions = ledger.conditions_for(occurrences)
    is_plain = all(change.change == "new" for change in changes)
    if is_plain and not conditions:
        return []  # Most batches end here, after one statement.
    has_tags = any(condition.tags for condition in conditions)
    tags = dated_tags_of({each.asset_id for each in occurrences}) if has_tags else {}
    return steps_owed(changes, conditions, tags, ledger.standing_alerts(occurrences))


def _write(steps: Sequence[AlertStep], *, now: datetime) -> list[WrittenStep]:
    """Return what was written: without alerts that another transaction raised first."""
    numbered = list(zip(ledger.take_numbers(len(steps)), steps, strict=True))
    corrected = [(number, step) for number, step in numbered if step.alert]
    ids = {number: step.alert.alert_id for number, step in corrected if step.alert}
    if corrected:
        ledger.correct_alerts(corrected, now=now)
    if raised := [(number, step) for number, step in numbered if not step.alert]:
        ids |= ledger.raise_alerts(raised, now=now)
    return [
        WrittenStep(step=step, alert_id=ids[number], number=number)
        for number, step in numbered
        if number in ids
    ]


def _owed(entries: Sequence[WrittenStep]) -> list[tuple[WrittenStep, int, Reason]]:
    past = _past([entry for entry in entries if entry.step.alert])
    return [
        (entry, recipient_id, reason)
        for entry in entries
        for recipient_id, reason in words_owed(
            entry.step.change,
            entry.step.condition.recipient_ids if entry.step.condition else (),
            past.get(entry.alert_id, ()),
        )
    ]


def _past(corrected: Sequence[WrittenStep]) -> dict[int, list[Word]]:
    turned = [each.alert_id for each in corrected if each.step.change in TURNED]
    if turned:
        notifying.cancel_unsent(turned)
    if not corrected:
        return {}
    return dict(notifying.words_about([entry.alert_id for entry in corrected]))
