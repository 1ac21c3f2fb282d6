"""Sending what is due: claim a lot, render its texts, send each by its channel, mark it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from outbox.channels import OpenSenders, Sender, senders_by_channel
from outbox.leases import (
    cancel,
    claim_notifications,
    clock_of_the_database,
    mark,
    release,
)
from outbox.messages import OutgoingMessage, SendOutcome
from outbox.models import Notification
from outbox.rendering import Texts, render_texts

# One message that hangs keeps the rest of its lot waiting no longer than this and its own
# time-out, and a lot ends well within its lease.
LOT_PATIENCE_S: Final = 5


def deliver(
    *,
    ids: Sequence[UUID] | None = None,
    senders: Mapping[str, type[Sender]] | None = None,
    clock: Callable[[], datetime] = clock_of_the_database,
) -> int:
    """Claim one lot, of `ids` if given, send it, and return how many were claimed."""
    claims = claim_notifications(ids=ids, now=clock())
    if not claims:
        return 0
    lot = Notification.objects.in_bulk([claim.notification_id for claim in claims])
    texts = render_texts(lot.values())
    patience_ends = time.monotonic() + LOT_PATIENCE_S
    with OpenSenders(senders or senders_by_channel()) as opened:
        for place, claim in enumerate(claims):
            if time.monotonic() > patience_ends:
                release(claims[place:])
                break
            outcome = send(lot[claim.notification_id], texts, opened)
            if outcome is None:
                cancel(claim)
            else:
                mark(claim, outcome, now=clock())
    return len(claims)


def send(notification: Notification, texts: Texts, senders: OpenSenders) -> SendOutcome | None:
    """Send one of a lot. None means that there was nothing to say any more."""
    if notification.pk not in texts:
        return SendOutcome(kind="temporary", detail="The message could not be written.")
    text = texts[notification.pk]
    if text is None:
        return None
    message = OutgoingMessage(
        notification_id=notification.pk, address=notification.address, text=text
    )
    return senders.send(notification.channel, message)
