"""The notifications that a change of an alert makes due, in plain Python.

A recipient is notified of the same state once, and receives a correction only after the
notification that it corrects.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from alerts.changed_alerts import AlertChangeKind

Reason = Literal["raised", "amended", "withdrawn"]


class PastNotification(Struct, frozen=True, kw_only=True):
    """An earlier notification of the alert. The text of a pending one is rendered when sent."""

    recipient_id: int
    reason: Reason
    is_pending: bool
    may_have_arrived: bool


def due_notifications(
    change: AlertChangeKind, recipient_ids: Sequence[int], past: Iterable[PastNotification]
) -> list[tuple[int, Reason]]:
    """Return the recipients to notify, each with the reason.

    `recipient_ids` are the recipients of the rule, none if the rule is no longer met. `past` are
    all notifications of this alert, oldest first, after the obsolete ones were cancelled.
    """
    if change in ("resolved", "reopened"):
        return []
    if change == "raised":
        return [(recipient_id, "raised") for recipient_id in recipient_ids]
    last_reasons, pending = _last_reasons_and_pending(past)
    # The alert stands, as far as these recipients know.
    informed = [
        recipient_id for recipient_id, reason in last_reasons.items() if reason != "withdrawn"
    ]
    if change == "withdrawn":
        return [(recipient_id, "withdrawn") for recipient_id in informed]
    if change == "amended":
        return [
            (recipient_id, "amended") for recipient_id in informed if recipient_id not in pending
        ]
    return [
        (recipient_id, "amended" if recipient_id in informed else "raised")
        for recipient_id in recipient_ids
    ]


def _last_reasons_and_pending(
    past: Iterable[PastNotification],
) -> tuple[dict[int, Reason], set[int]]:
    """Return the reason of the last notification that each recipient may have received, and the
    recipients of pending notifications, which will report the present state anyway.
    """
    last_reasons: dict[int, Reason] = {}
    pending: set[int] = set()
    for notification in past:
        if notification.may_have_arrived:
            last_reasons[notification.recipient_id] = notification.reason
        elif notification.is_pending:
            pending.add(notification.recipient_id)
    return last_reasons, pending
