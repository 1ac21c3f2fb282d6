"""Notifications of a kind that only these tests know, and their texts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from outbox.actions import NewNotification, enqueue
from outbox.messages import EMAIL, RenderedText
from outbox.models import Notification, NotificationAttempt
from tests.builders import TEN

KIND = "invitation"
ANNA, BORIS = "anna@north.example", "boris@north.example"


def invite(*addresses: str, channel: str = EMAIL, now: datetime = TEN, **about: Any) -> list[UUID]:
    """Hand in an invitation to each address, as accounts would do it."""
    return enqueue(
        [
            NewNotification(
                channel=channel,
                address=address,
                kind=KIND,
                reference={"organisation": "North Haulage"} | about,
                created_at=now,
            )
            for address in addresses
        ]
    )


def render(notifications: Sequence[Notification]) -> list[RenderedText | None]:
    """Write invitations; nothing for those that were taken back, and badly where it says so."""
    return [_text(notification) for notification in notifications]


def _text(notification: Notification) -> RenderedText | None:
    about = notification.reference
    if about.get("is_taken_back"):
        return None
    subject = about.get("subject", f"Join {about['organisation']}")
    return RenderedText(subject=subject, plain="Come in.", thread=about.get("thread"))


def only_notification() -> Notification:
    return Notification.objects.get()


def outcomes() -> list[str]:
    return list(NotificationAttempt.objects.order_by("number").values_list("outcome", flat=True))
