"""Nudging workers after a commit, never in the way of whoever committed.

A nudge that is lost costs seconds: the sweep finds the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from kombu.exceptions import OperationalError

from core.background import BackgroundQueue, OncePerProcess
from outbox.tasks import send_notifications

IDS_PER_TASK: Final = 100
# When the broker is that far behind, the sweep is the quicker way anyway.
QUEUE_LIMIT: Final = 100


def post(ids: list[str]) -> None:
    """Hand one task to the broker. Raises OperationalError where that fails."""
    send_notifications.apply_async(args=(ids,), retry=False)


class Nudger(BackgroundQueue[list[str]]):
    """Posts a task for each list of ids."""

    content, receiver = "nudges", "the broker"
    failures = (OperationalError, OSError)

    def __init__(self, post: Callable[[list[str]], None] = post) -> None:
        self._post = post
        super().__init__(limit=QUEUE_LIMIT)

    def hand_out(self, items: Sequence[tuple[int, list[str]]]) -> None:
        for _, ids in items:
            self._post(ids)


_nudger = OncePerProcess(Nudger)


def nudge(ids: Sequence[UUID]) -> None:
    """Have these notifications sent soon. Call it after the commit; never blocks or raises."""
    texts = [str(each) for each in ids]
    for start in range(0, len(texts), IDS_PER_TASK):
        _nudger.get().put(texts[start : start + IDS_PER_TASK])
