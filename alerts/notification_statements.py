"""Reads and writes of notifications for judging: each function is one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from django.conf import settings
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


# A burst that does not end is corrected after so many waits.
LONGEST_WAITS = 10


class _NotificationRow(Struct):
    alert_id: int
    change_id: int
    recipient_id: int
    reason: Reason
    wait_s: float


_NOTIFICATION_COLUMNS = "alert_id, change_id, recipient_id, reason"
# Late reports come in bursts, and each may change the same alert: its correction waits on.
_WAIT_ON_AND_READ = """
WITH waiting AS (
    UPDATE outbox_notification AS n
    SET next_try_at = least(
        %s::timestamptz + %s * interval '1 second', n.created_at + %s * interval '1 second'
    )
    FROM alerts_alertnotification a
    WHERE a.notification_id = n.id AND a.alert_id = ANY(%s::bigint[]) AND n.state = 'pending'
        AND n.attempts = 0 AND a.reason <> 'raised'
)
SELECT a.alert_id, a.recipient_id, a.reason, n.state = 'pending',
    n.state IN ('sent', 'sending') OR n.may_have_arrived
FROM alerts_alertnotification a JOIN outbox_notification n ON n.id = a.notification_id
WHERE a.alert_id = ANY(%s::bigint[])
ORDER BY a.change_id
"""
_ENQUEUE = f"""
WITH given AS MATERIALIZED (
    SELECT gen_random_uuid() AS id, channel, address, '{ALERT_KIND}' AS kind,
        jsonb_build_object('alert_id', alert_id) AS reference, %s::timestamptz AS created_at,
        %s::timestamptz + wait_s * interval '1 second' AS due_at,
        {_NOTIFICATION_COLUMNS}
    FROM {recordset(_NotificationRow)}
    JOIN alerts_recipient recipient ON recipient.id = recipient_id
), enqueued AS (
    {insertion_from("given", "due_at")}
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
    wait_s = dict.fromkeys(("amended", "withdrawn"), settings.CORRECTION_WAIT_S) | {"raised": 0.0}
    given = [
        _NotificationRow(written.alert_id, written.number, recipient_id, reason, wait_s[reason])
        for written, recipient_id, reason in due
    ]
    for number, pk in rows(_ENQUEUE, [now, now, msgspec.json.encode(given).decode()]):
        ids[number].append(pk)
    return ids


def put_off_and_read_notifications(
    alert_ids: Sequence[int], *, now: datetime
) -> Mapping[int, list[PastNotification]]:
    """Return all notifications of each alert, oldest first, and put off its pending corrections.

    A correction is put off to a wait from now, and at the latest to so many from its beginning.
    """
    wait_s, ids = settings.CORRECTION_WAIT_S, list(alert_ids)
    past: dict[int, list[PastNotification]] = defaultdict(list)
    found = rows(_WAIT_ON_AND_READ, [now, wait_s, LONGEST_WAITS * wait_s, ids, ids])
    for alert_id, recipient_id, reason, is_pending, may_have_arrived in found:
        past[alert_id].append(
            PastNotification(
                recipient_id=recipient_id,
                reason=reason,
                is_pending=is_pending,
                may_have_arrived=may_have_arrived,
            )
        )
    return past
