"""Reads and writes of notifications for judging: each function is one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from alerts.alert_statements import WrittenStep
from alerts.due_notifications import PastNotification, Reason
from alerts.models import ALERT_KIND, AlertNotification
from core.statements import recordset, rows
from outbox.actions import cancel_pending, insertion_from
from outbox.models import Notification


def cancel_pending_notifications(alert_ids: Sequence[int]) -> None:
    """Cancel the pending notifications of these alerts: their texts are no longer true."""
    about = AlertNotification.objects.filter(alert_id__in=alert_ids)
    cancel_pending(Notification.objects.filter(pk__in=about.values("notification_id")))


def cancel_notifications_of_rule(rule_id: int) -> None:
    """Cancel the pending notifications of a rule that has ended, except corrections."""
    about = AlertNotification.objects.filter(
        alert__rule_id=rule_id, reason=AlertNotification.Reason.RAISED
    )
    cancel_pending(Notification.objects.filter(pk__in=about.values("notification_id")))


def past_notifications(alert_ids: Sequence[int]) -> Mapping[int, list[PastNotification]]:
    """Return all notifications of each alert, oldest first."""
    sent = (Notification.State.SENT, Notification.State.SENDING)
    about = AlertNotification.objects.filter(alert_id__in=alert_ids).select_related("notification")
    past: dict[int, list[PastNotification]] = defaultdict(list)
    for row in about.order_by("change_id"):
        notification = row.notification
        past[row.alert_id].append(
            PastNotification(
                recipient_id=row.recipient_id,
                reason=row.reason,
                is_pending=notification.state == Notification.State.PENDING,
                may_have_arrived=notification.state in sent or notification.may_have_arrived,
            )
        )
    return past


class _NotificationRow(Struct):
    alert_id: int
    change_id: int
    recipient_id: int
    reason: Reason


_NOTIFICATION_COLUMNS = ", ".join(_NotificationRow.__struct_fields__)
_ENQUEUE = f"""
WITH given AS MATERIALIZED (
    SELECT gen_random_uuid() AS id, channel, address, '{ALERT_KIND}' AS kind,
        jsonb_build_object('alert_id', alert_id) AS reference, %s::timestamptz AS created_at,
        {_NOTIFICATION_COLUMNS}
    FROM {recordset(_NotificationRow)}
    JOIN alerts_recipient recipient ON recipient.id = recipient_id
), enqueued AS (
    {insertion_from("given")}
)
INSERT INTO alerts_alertnotification (notification_id, {_NOTIFICATION_COLUMNS})
SELECT id, {_NOTIFICATION_COLUMNS} FROM given
RETURNING change_id, notification_id
"""


def enqueue_notifications(
    due: Sequence[tuple[WrittenStep, int, Reason]], *, now: datetime
) -> dict[int, list[UUID]]:
    """Hand notifications to the outbox; return their ids by the number of the change."""
    ids: dict[int, list[UUID]] = defaultdict(list)
    if not due:
        return ids
    given = [
        _NotificationRow(written.alert_id, written.number, recipient_id, reason)
        for written, recipient_id, reason in due
    ]
    for number, pk in rows(_ENQUEUE, [now, msgspec.json.encode(given).decode()]):
        ids[number].append(pk)
    return ids
