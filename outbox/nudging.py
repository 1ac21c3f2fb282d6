"""Nudging workers after a commit, without delaying the caller.

A lost nudge costs seconds: the sweep finds the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from kombu.exceptions import OperationalError

from core.background import BackgroundQueue, OncePerProcess
from outbox.tasks import send_notifications

IDS_PER_TASK: Final = 100
# If more tasks than these wait for the broker, the sweep finds the rows sooner.
QUEUE_LIMIT: Final = 100


def post_task(ids: list[str]) -> None:
    """Post one task to the broker. Raises OperationalError if the broker does not take it."""
    send_notifications.apply_async(args=(ids,), retry=False)


class Nudger(BackgroundQueue[list[str]]):
    """Posts a task for each list of ids."""

    content, receiver = "nudges", "the broker"
    failures = (OperationalError, OSError)

    def __init__(self, post_task: Callable[[list[str]], None] = post_task) -> None:
        self._post_task = post_task
        super().__init__(limit=QUEUE_LIMIT)

    def hand_out(self, items: Sequence[tuple[int, list[str]]]) -> None:
        for _, ids in items:
            self._post_task(ids)


_nudger = OncePerProcess(Nudger)


def nudge(ids: Sequence[UUID]) -> None:
    """Start sending these notifications soon. Call it after the commit; never blocks or raises."""
    texts = [str(each) for each in ids]
    for start in range(0, len(texts), IDS_PER_TASK):
        _nudger.get().put(texts[start : start + IDS_PER_TASK])
