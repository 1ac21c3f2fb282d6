"""Claims: which worker sends a notification now. Any number of workers may be at it.

A claim is a lease. A worker that dies between claim and mark loses nothing: when the lease
ends, another one sends the same notification again, under the same id. Leases are told by
the database's clock, which all workers share; one that seems to last twice as long as a lease
is of before that clock was set back, and has ended (fault F-052). Not once as long: a worker
that read the clock a moment before another claimed would take that claim for one of those.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from django.db import connection, transaction
from msgspec import Struct

from outbox.messages import SendOutcome
from outbox.models import Notification, NotificationAttempt
from outbox.schedule import MAX_ATTEMPTS, pause_after

LOT: Final = 20
LEASE_S: Final = 60


class Claim(Struct, frozen=True, kw_only=True):
    """The right to send a notification once, until the lease ends."""

    notification_id: UUID
    attempt: int


# Fresh ones first, so that nobody's news waits behind somebody else's tenth try.
_CLAIM = """
WITH spent AS (
    UPDATE outbox_notification SET state = 'given_up', lease_until = NULL, may_have_arrived = true
    WHERE state = 'sending' AND lease_until NOT BETWEEN %(now)s AND %(never)s
      AND attempts >= %(most)s
), due AS MATERIALIZED (
    SELECT id FROM outbox_notification
    WHERE (state = 'pending' AND next_try_at <= %(now)s
           OR state = 'sending' AND lease_until NOT BETWEEN %(now)s AND %(never)s
              AND attempts < %(most)s)
      AND (%(ids)s::uuid[] IS NULL OR id = ANY(%(ids)s::uuid[]))
    ORDER BY attempts, next_try_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE outbox_notification notification
    SET may_have_arrived = may_have_arrived OR state = 'sending',
        state = 'sending', lease_until = %(until)s, attempts = attempts + 1
    FROM due WHERE notification.id = due.id
    RETURNING notification.id, notification.attempts
), noted AS (
    INSERT INTO outbox_notificationattempt (notification_id, number, started_at, outcome, detail)
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


def mark(claim: Claim, outcome: SendOutcome, *, now: datetime) -> None:
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


def _mark_failed(claim: Claim, outcome: SendOutcome, now: datetime) -> None:
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
        _give_back(claim, Notification.State.PENDING)


def cancel(claim: Claim) -> None:
    """Take back what was claimed and need not be said any more."""
    _give_back(claim, Notification.State.CANCELLED)


def _give_back(claim: Claim, state: Notification.State) -> None:
    with transaction.atomic():
        is_ours = Notification.objects.filter(
            pk=claim.notification_id, state=Notification.State.SENDING, attempts=claim.attempt
        ).update(state=state, lease_until=None, attempts=claim.attempt - 1)
        if is_ours:
            NotificationAttempt.objects.filter(
                notification_id=claim.notification_id, number=claim.attempt
            ).delete()
