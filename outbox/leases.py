"""Claims of workers on notifications. Any number of workers may claim at the same time.

A claim is a lease. A worker that dies between the claim and its outcome loses no notification:
when the lease ends, another worker sends it again, under the same id. Leases are measured by the
clock of the database, which all workers share. A lease that ends later than twice its length from
now was made before that clock was set back, and counts as ended (fault F-052). The limit is twice
the length, because a worker may have read the clock a moment before another worker's claim.
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
from outbox.retry_pauses import MAX_ATTEMPTS, pause_after

BATCH_SIZE: Final = 20
LEASE_S: Final = 60


class Claim(Struct, frozen=True, kw_only=True):
    """The right to send a notification once, until the lease ends."""

    notification_id: UUID
    attempt: int


# Fewer attempts first, so that new notifications do not wait behind tenth attempts.
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


def database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return cast("datetime", now)


def claim_notifications(
    *, now: datetime, limit: int = BATCH_SIZE, ids: Sequence[UUID] | None = None
) -> list[Claim]:
    """Claim due notifications, of `ids` if given, in one statement that waits for no lock."""
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


def record_outcome(claim: Claim, outcome: SendOutcome, *, now: datetime) -> None:
    """Record the outcome of the attempt of `claim`, and the time of the next attempt."""
    with transaction.atomic():
        NotificationAttempt.objects.filter(
            notification_id=claim.notification_id, number=claim.attempt
        ).update(outcome=outcome.kind, detail=outcome.detail)
        if outcome.kind == "sent":
            _record_sent(claim, now)
        else:
            _record_failure(claim, outcome, now)


def _record_sent(claim: Claim, now: datetime) -> None:
    # Also if another worker holds the claim by now: the notification need not be sent again.
    Notification.objects.filter(
        pk=claim.notification_id, state__in=(Notification.State.SENDING, Notification.State.PENDING)
    ).update(state=Notification.State.SENT, sent_at=now, lease_until=None, last_error="")


def _record_failure(claim: Claim, outcome: SendOutcome, now: datetime) -> None:
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
    # Only the latest claim counts: an older attempt may fail long after another worker sent it.
    Notification.objects.filter(
        pk=claim.notification_id, state=Notification.State.SENDING, attempts=claim.attempt
    ).update(**changes)


def release_claims(claims: Sequence[Claim]) -> None:
    """Make claimed notifications pending again, as if they had not been claimed."""
    for claim in claims:
        _release(claim, Notification.State.PENDING)


def cancel_claim(claim: Claim) -> None:
    """Cancel a claimed notification: its text is obsolete."""
    _release(claim, Notification.State.CANCELLED)


def _release(claim: Claim, state: Notification.State) -> None:
    with transaction.atomic():
        is_ours = Notification.objects.filter(
            pk=claim.notification_id, state=Notification.State.SENDING, attempts=claim.attempt
        ).update(state=state, lease_until=None, attempts=claim.attempt - 1)
        if is_ours:
            NotificationAttempt.objects.filter(
                notification_id=claim.notification_id, number=claim.attempt
            ).delete()
