"""Sending in batches: claim, render the texts, send each by its channel, record the outcome."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import DataError, InterfaceError, OperationalError, transaction

from outbox.channels import OpenSenders, Sender, senders_by_channel
from outbox.leases import (
    Claim,
    cancel_claim,
    claim_notifications,
    database_now,
    record_outcome,
    release_claims,
)
from outbox.messages import OutgoingMessage, SendOutcome
from outbox.models import Notification
from outbox.rendering import Texts, render_texts

logger = logging.getLogger(__name__)

# After this time the rest of a batch is released. So a message that hangs delays the others by
# at most this and its own time-out, and a batch ends well within its leases.
BATCH_TIME_S: Final = 5


def send_batch(
    *,
    ids: Sequence[UUID] | None = None,
    senders: Mapping[str, type[Sender]] | None = None,
    clock: Callable[[], datetime] = database_now,
) -> int:
    """Claim a batch, of `ids` if given, and send it; return the number of claims."""
    claims = claim_notifications(ids=ids, now=clock())
    if not claims:
        return 0
    notifications = _read_notifications(claims)
    texts = render_texts(notifications.values())
    ends_at = time.monotonic() + BATCH_TIME_S
    with OpenSenders(senders or senders_by_channel()) as opened:
        for place, claim in enumerate(claims):
            if time.monotonic() > ends_at:
                release_claims(claims[place:])
                break
            _send_claimed(claim, notifications.get(claim.notification_id), texts, opened, clock)
    return len(claims)


def _send_claimed(
    claim: Claim,
    notification: Notification | None,
    texts: Texts,
    senders: OpenSenders,
    clock: Callable[[], datetime],
) -> None:
    """Send a claimed notification and record the outcome; None is a row that cannot be read."""
    unreadable = SendOutcome(kind="permanent", detail="Its row cannot be read.")
    try:
        outcome = send_notification(notification, texts, senders) if notification else unreadable
        if outcome is None:
            cancel_claim(claim)
        else:
            record_outcome(claim, outcome, now=clock())
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # a bug of ours, or a bad row: the others of the batch are sent
        logger.exception("notification %s could not be sent", claim.notification_id)


def _read_notifications(claims: Sequence[Claim]) -> dict[UUID, Notification]:
    """Return the rows of claims, without rows that cannot be read."""
    ids = [claim.notification_id for claim in claims]
    try:
        with transaction.atomic():
            return Notification.objects.in_bulk(ids)
    except DataError:
        if len(ids) == 1:
            logger.exception("notification %s cannot be read", ids[0])
            return {}
    found: dict[UUID, Notification] = {}
    for claim in claims:
        found |= _read_notifications([claim])
    return found


def send_notification(
    notification: Notification, texts: Texts, senders: OpenSenders
) -> SendOutcome | None:
    """Send a notification; return the outcome, or None if it is obsolete."""
    if notification.pk not in texts:
        return SendOutcome(kind="temporary", detail="The message could not be written.")
    text = texts[notification.pk]
    if text is None:
        return None
    message = OutgoingMessage(
        notification_id=notification.pk, address=notification.address, text=text
    )
    return senders.send(notification.channel, message)
