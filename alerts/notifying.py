"""Notifications of alerts, for judging: each function is one statement, however many rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from alerts.ledger import WrittenStep
from alerts.models import ALERT_KIND, AlertNotification
from alerts.telling import Reason, Word
from core.statements import recordset, rows
from outbox.actions import cancel_pending, insertion_from
from outbox.models import Notification


def cancel_unsent(alert_ids: Sequence[int]) -> None:
    """Take back what waits to be sent about alerts that it is no longer true of."""
    about = AlertNotification.objects.filter(alert_id__in=alert_ids)
    cancel_pending(Notification.objects.filter(pk__in=about.values("notification_id")))


def words_about(alert_ids: Sequence[int]) -> Mapping[int, list[Word]]:
    """Return all notifications of each alert, oldest first."""
    known = (Notification.State.SENT, Notification.State.SENDING)
    about = AlertNotification.objects.filter(alert_id__in=alert_ids).select_related("notification")
    words: dict[int, list[Word]] = defaultdict(list)
    for row in about.order_by("change_id"):
        notification = row.notification
        word = Word(
            recipient_id=row.recipient_id,
            reason=row.reason,
            is_pending=notification.state == Notification.State.PENDING,
            may_be_known=notification.state in known or notification.may_have_arrived,
        )
        words[row.alert_id].append(word)
    return words


class _PromisedRow(Struct):
    alert_id: int
    change_id: int
    recipient_id: int
    reason: Reason


_PROMISED = ", ".join(_PromisedRow.__struct_fields__)
_PROMISE = f"""
WITH promised AS MATERIALIZED (
    SELECT gen_random_uuid() AS id, channel, address, '{ALERT_KIND}' AS kind,
        jsonb_build_object('alert_id', alert_id) AS reference, %s::timestamptz AS created_at,
        {_PROMISED}
    FROM {recordset(_PromisedRow)} JOIN alerts_recipient recipient ON recipient.id = recipient_id
), handed_in AS (
    {insertion_from("promised")}
)
INSERT INTO alerts_alertnotification (notification_id, {_PROMISED})
SELECT id, {_PROMISED} FROM promised
RETURNING change_id, notification_id
"""


def promise(
    owed: Sequence[tuple[WrittenStep, int, Reason]], *, now: datetime
) -> dict[int, list[UUID]]:
    """Hand notifications to the outbox; return their ids by the number of the change."""
    ids: dict[int, list[UUID]] = defaultdict(list)
    if not owed:
        return ids
    promised = [
        _PromisedRow(entry.alert_id, entry.number, recipient_id, reason)
        for entry, recipient_id, reason in owed
    ]
    for number, pk in rows(_PROMISE, [now, msgspec.json.encode(promised).decode()]):
        ids[number].append(pk)
    return ids
