"""From crossings to alerts and to the promise of telling people, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from alerts import ledger, notifying
from alerts.changes import Raised
from alerts.ledger import Entry
from alerts.telling import Reason, Word, words_owed
from alerts.verdicts import Step, last_words, steps_owed
from geofence.changes import CrossingChange


def judge(changes: Sequence[CrossingChange], *, now: datetime) -> list[Raised]:
    """Raise, amend and withdraw alerts, and write the notifications that are owed for it.

    Runs in the caller's transaction, which must have locked the assets concerned, and should
    commit soon: from the first alert on it holds the row lock of the alert stream. At most
    ten statements, however many changes. Judging the same again changes nothing. The answer
    is in the order in which the assets crossed.
    """
    steps = _steps(last_words(changes))
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
            organisation_id=entry.step.crossing.organisation_id,
            notification_ids=tuple(ids.get(entry.number, ())),
        )
        for entry in entries
    ]


def _steps(crossings: Sequence[CrossingChange]) -> list[Step]:
    if not crossings:
        return []
    conditions = ledger.conditions_for(crossings)
    is_plain = all(crossing.change == "new" for crossing in crossings)
    if is_plain and not conditions:
        return []  # Most batches end here, after one statement.
    has_tags = any(condition.tags for condition in conditions)
    tags = ledger.tags_of_assets(crossings) if has_tags else {}
    return steps_owed(crossings, conditions, tags, ledger.standing_alerts(crossings))


def _write(steps: Sequence[Step], *, now: datetime) -> list[Entry]:
    """Return what was written: without alerts that another transaction raised first."""
    numbered = list(zip(ledger.take_numbers(len(steps)), steps, strict=True))
    corrected = [(number, step) for number, step in numbered if step.alert]
    ids = {number: step.alert.alert_id for number, step in corrected if step.alert}
    if corrected:
        ledger.correct_alerts(corrected, now=now)
    if raised := [(number, step) for number, step in numbered if not step.alert]:
        ids |= ledger.raise_alerts(raised, now=now)
    return [
        Entry(step=step, alert_id=ids[number], number=number)
        for number, step in numbered
        if number in ids
    ]


def _owed(entries: Sequence[Entry]) -> list[tuple[Entry, int, Reason]]:
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


def _past(corrected: Sequence[Entry]) -> dict[int, list[Word]]:
    if turned := [entry.alert_id for entry in corrected if entry.step.change != "amended"]:
        notifying.cancel_unsent(turned)
    return dict(notifying.words_about([entry.alert_id for entry in corrected])) if corrected else {}
