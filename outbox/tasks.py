"""Nudge and sweep. Both may run twice, at once, or never: the rows are the promise."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from celery import shared_task

from outbox.sending import deliver

# Ends before the soft limit, which ends before the lease of what was claimed last.
BUDGET_S: Final = 30


@shared_task(soft_time_limit=50, time_limit=55, expires=60)
def send_notifications(ids: list[str]) -> None:
    """Send these now, if they are still due."""
    _send_lots([UUID(text) for text in ids])


@shared_task(soft_time_limit=50, time_limit=55, expires=5)
def send_due_notifications() -> None:
    """Send everything that is due: later tries, lost nudges, ended leases."""
    _send_lots(None)


def _send_lots(ids: Sequence[UUID] | None) -> None:
    ends_at = time.monotonic() + BUDGET_S
    while time.monotonic() < ends_at and deliver(ids=ids):
        pass
