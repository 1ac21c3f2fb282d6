"""Sending what was promised: claim, send, mark. Any number of workers may be at it.

A claim is a lease. A worker that dies between claim and mark loses nothing: when the lease
ends, somebody else sends the same notification again, under the same id. Leases are told by
the database's clock, which all workers share; one that seems to last twice as long as a lease
is of before that clock was set back, and has ended (fault F-052). Not once as long: whoever
read the clock a moment before another claimed would take that claim for one of those.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, cast
from uuid import UUID

from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction
from django.utils import timezone
from msgspec import Struct

from alerts.mail import Mailer, Outcome, message_for
from alerts.models import Notification, NotificationAttempt
from alerts.schedule import MAX_ATTEMPTS, pause_after
from core.errors import Conflict

logger = logging.getLogger(__name__)

LOT: Final = 20
LEASE_S: Final = 60
# One mail that hangs keeps the rest of its lot waiting no longer than this and its own
# time-out, and a lot ends well within its lease.
LOT_PATIENCE_S: Final = 5


class Claim(Struct, frozen=True, kw_only=True):
    """The right to send a notification once, until the lease ends."""

    notification_id: UUID
    attempt: int


class Sender(Protocol):
    """What takes messages; a fake one in tests."""

    def __enter__(self) -> Sender: ...
    def __exit__(self, *_: object) -> None: ...
    def send(self, message: EmailMultiAlternatives) -> Outcome: ...


# Fresh ones first, so that nobody's news waits behind somebody else's tenth try.
_CLAIM = """
WITH spent AS (
    UPDATE alerts_notification SET state = 'given_up', lease_until = NULL, may_have_arrived = true
    WHERE state = 'sending' AND lease_until NOT BETWEEN %(now)s AND %(never)s
      AND attempts >= %(most)s
), due AS MATERIALIZED (
    SELECT id FROM alerts_notification
    WHERE (state = 'pending' AND next_try_at <= %(now)s
           OR state = 'sending' AND lease_until NOT BETWEEN %(now)s AND %(never)s
              AND attempts < %(most)s)
      AND (%(ids)s::uuid[] IS NULL OR id = ANY(%(ids)s::uuid[]))
    ORDER BY attempts, next_try_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE alerts_notification notification
    SET may_have_arrived = may_have_arrived OR state = 'sending',
        state = 'sending', lease_until = %(until)s, attempts = attempts + 1
    FROM due WHERE notification.id = due.id
    RETURNING notification.id, notification.attempts
), noted AS (
    INSERT INTO alerts_notificationattempt (notification_id, number, started_at, outcome, detail)
    SELECT id, attempts, %(now)s, 'started', '' FROM claimed
)
SELECT id, attempts FROM claimed ORDER BY attempts
"""


def clock_of_the_database() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return cast("datetime", now)


def claim_notifications(
    *, now: datetime, limit: int = LOT, ids: Sequence[UUID] | None = None
) -> list[Claim]:
    """Claim what is due, of `ids` if given, in one statement that waits for nobody."""
    values: dict[str, Any] = {
        "now": now,
        "until": now + timedelta(seconds=LEASE_S),
        "never": now + timedelta(seconds=2 * LEASE_S),
        "most": MAX_ATTEMPTS,
        "limit": limit,
        "ids": None if ids is None else list(ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        return [Claim(notification_id=pk, attempt=attempt) for pk, attempt in cursor.fetchall()]


def deliver(
    *,
    ids: Sequence[UUID] | None = None,
    sender: Callable[[], Sender] = Mailer,
    clock: Callable[[], datetime] = clock_of_the_database,
) -> int:
    """Claim one lot, send it over one connection, and return how many were claimed."""
    claims = claim_notifications(ids=ids, now=clock())
    if not claims:
        return 0
    notifications = _notifications(claims)
    patience_ends = time.monotonic() + LOT_PATIENCE_S
    with sender() as opened:
        for place, claim in enumerate(claims):
            if time.monotonic() > patience_ends:
                release(claims[place:])
                break
            outcome = _send(notifications[claim.notification_id], opened)
            mark(claim, outcome, now=clock())
    return len(claims)


def _notifications(claims: Sequence[Claim]) -> dict[UUID, Notification]:
    related = ("organisation", "asset", "geofence", "rule", "rule_version")
    return Notification.objects.select_related(
        "change", *(f"alert__{name}" for name in related)
    ).in_bulk([claim.notification_id for claim in claims])


def _send(notification: Notification, sender: Sender) -> Outcome:
    try:
        message = message_for(notification)
    except Exception:
        # A mistake of ours in one message must not keep the others from going out.
        logger.exception("notification %s cannot be written", notification.pk)
        return Outcome(kind="temporary", detail="The message could not be written.")
    return sender.send(message)


def mark(claim: Claim, outcome: Outcome, *, now: datetime) -> None:
    """Record how the attempt of `claim` ended, and when to try again."""
    with transaction.atomic():
        NotificationAttempt.objects.filter(
            notification_id=claim.notification_id, number=claim.attempt
        ).update(outcome=outcome.kind, detail=outcome.detail)
        if outcome.kind == "sent":
            _mark_sent(claim, now)
        else:
            _mark_failed(claim, outcome, now)


def _mark_sent(claim: Claim, now: datetime) -> None:
    # Whoever holds the claim by now: it went out, and need not go again.
    Notification.objects.filter(
        pk=claim.notification_id, state__in=(Notification.State.SENDING, Notification.State.PENDING)
    ).update(state=Notification.State.SENT, sent_at=now, lease_until=None, last_error="")


def _mark_failed(claim: Claim, outcome: Outcome, now: datetime) -> None:
    pause = pause_after(claim.attempt, chance=secrets.SystemRandom().random())
    changes: dict[str, Any] = {"lease_until": None, "last_error": outcome.detail}
    if outcome.kind == "unclear":
        changes["may_have_arrived"] = True
    if outcome.kind == "permanent":
        changes["state"] = Notification.State.FAILED
    elif pause is None:
        changes["state"] = Notification.State.GIVEN_UP
    else:
        changes |= {"state": Notification.State.PENDING, "next_try_at": now + pause}
    # Only the latest claim decides: one whose lease ended may fail long after another sent it.
    Notification.objects.filter(
        pk=claim.notification_id, state=Notification.State.SENDING, attempts=claim.attempt
    ).update(**changes)


def release(claims: Sequence[Claim]) -> None:
    """Give back what was claimed but not begun, as if it never had been."""
    for claim in claims:
        with transaction.atomic():
            is_ours = Notification.objects.filter(
                pk=claim.notification_id,
                state=Notification.State.SENDING,
                attempts=claim.attempt,
            ).update(state=Notification.State.PENDING, lease_until=None, attempts=claim.attempt - 1)
            if is_ours:
                NotificationAttempt.objects.filter(
                    notification_id=claim.notification_id, number=claim.attempt
                ).delete()


def resend_notification(*, notification: Notification, now: datetime | None = None) -> Notification:
    """Make a notification due now: one more try if it was given up or refused for good.

    The caller nudges. Conflict if it is being sent, was sent, or was cancelled.
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
