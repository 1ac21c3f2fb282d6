"""The task of a nudge, and the sweep. Both may run twice or never: the rows are the promise."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from celery import shared_task

from outbox.sending import send_batch

# Shorter than the soft limit, which is shorter than the lease of the last claim.
BUDGET_S: Final = 30


@shared_task(soft_time_limit=50, time_limit=55, expires=60)
def send_notifications(ids: list[str]) -> None:
    """Send the notifications with these ids, if they are still due."""
    _send_batches([UUID(text) for text in ids])


@shared_task(soft_time_limit=50, time_limit=55, expires=5)
def send_due_notifications() -> None:
    """Send all due notifications: further attempts, lost nudges, ended leases."""
    _send_batches(None)


def _send_batches(ids: Sequence[UUID] | None) -> None:
    ends_at = time.monotonic() + BUDGET_S
    while time.monotonic() < ends_at and send_batch(ids=ids):
        pass
