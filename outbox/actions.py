"""The writes of authors and people to notifications, in the caller's transaction.

The caller nudges.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID, uuid4

import msgspec
from django.db.models import QuerySet
from django.utils import timezone
from msgspec import Struct, field

from core.errors import Conflict
from core.statements import recordset, run
from outbox.models import Notification


class NewNotification(Struct, kw_only=True):
    """A notification from an author, which gets `kind` and `reference` back to render the text."""

    channel: str
    address: str
    kind: str
    reference: dict[str, Any]
    created_at: datetime
    id: UUID = field(default_factory=uuid4)


_GIVEN: Final = ", ".join(NewNotification.__struct_fields__)


def insertion_from(relation: LiteralString, due_sql: LiteralString = "created_at") -> LiteralString:
    """Return the statement that inserts each row of `relation` as a notification.

    `relation` has the fields of `NewNotification` as columns. Within a larger statement, an
    author writes its own rows about the same notifications in the same round trip. Each is due
    at `due_sql`, an expression over its columns: by default at once.
    """
    return (
        f"INSERT INTO outbox_notification ({_GIVEN}, next_try_at, state, attempts,"
        " may_have_arrived, last_error)"
        f" SELECT {_GIVEN}, {due_sql}, 'pending', 0, false, '' FROM {relation}"
    )


_ENQUEUE: Final = insertion_from(recordset(NewNotification))


def enqueue(notifications: Sequence[NewNotification]) -> list[UUID]:
    """Write pending notifications in one statement; return their ids, for the nudge."""
    if notifications:
        run(_ENQUEUE, [msgspec.json.encode(notifications).decode()])
    return [notification.id for notification in notifications]


def cancel_pending(notifications: QuerySet[Notification]) -> None:
    """Cancel the pending ones of `notifications`: their texts are no longer true."""
    notifications.filter(state=Notification.State.PENDING).update(
        state=Notification.State.CANCELLED
    )


def resend_notification(*, notification: Notification, now: datetime | None = None) -> Notification:
    """Make a notification due now: one more attempt if it was given up or refused for good.

    Conflict if it is being sent, was sent, or was cancelled.
    """
    is_due_again = Notification.objects.filter(
        pk=notification.pk,
        state__in=(
            Notification.State.PENDING,
            Notification.State.FAILED,
            Notification.State.GIVEN_UP,
        ),
    ).update(state=Notification.State.PENDING, next_try_at=now or timezone.now())
    notification.refresh_from_db()
    if not is_due_again:
        raise Conflict(f"The notification is {notification.get_state_display()}.")
    return notification
