"""Nudging workers after a commit, never in the way of whoever committed.

A thread of its own speaks to the broker, so that a slow or missing Redis delays no ingest. A
nudge that is lost costs seconds: the sweep finds the rows.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from kombu.exceptions import OperationalError

from outbox.tasks import send_notifications

logger = logging.getLogger(__name__)

IDS_PER_TASK: Final = 100
# When the broker is that far behind, the sweep is the quicker way anyway.
QUEUE_LIMIT: Final = 100


def post(ids: list[str]) -> None:
    """Hand one task to the broker. Raises OperationalError where that fails."""
    send_notifications.apply_async(args=(ids,), retry=False)


class Nudger:
    """A bounded queue and the thread that empties it, for one process."""

    def __init__(self, post: Callable[[list[str]], None] = post) -> None:
        self.pid = os.getpid()
        self._post = post
        self._queue: queue.Queue[list[str]] = queue.Queue(QUEUE_LIMIT)
        self._is_broken = False
        threading.Thread(target=self._run, name="nudging", daemon=True).start()

    def put(self, ids: list[str]) -> None:
        try:
            self._queue.put_nowait(ids)
        except queue.Full:
            logger.debug("a nudge is left to the sweep")

    def wait(self) -> None:
        """Return when everything that was put has been posted or lost."""
        self._queue.join()

    def _run(self) -> None:
        while True:
            ids = self._queue.get()
            try:
                self._post(ids)
            except (OperationalError, OSError) as error:
                self._broke(error)
            else:
                self._mended()
            finally:
                self._queue.task_done()

    def _broke(self, error: Exception) -> None:
        if not self._is_broken:
            logger.warning("nudges do not reach the broker: %s", error)
        self._is_broken = True

    def _mended(self) -> None:
        if self._is_broken:
            logger.info("nudges reach the broker again")
        self._is_broken = False


_nudger: Nudger | None = None
_starting = threading.Lock()


def nudge(ids: Sequence[UUID]) -> None:
    """Have these notifications sent soon. Call it after the commit; never blocks or raises."""
    global _nudger
    if not ids:
        return
    with _starting:
        # A forked child has the parent's object but not its thread.
        if _nudger is None or _nudger.pid != os.getpid():
            _nudger = Nudger()
        nudger = _nudger
    texts = [str(each) for each in ids]
    for start in range(0, len(texts), IDS_PER_TASK):
        nudger.put(texts[start : start + IDS_PER_TASK])


def _after_fork() -> None:
    # Another thread may have held the lock while the process forked.
    global _starting
    _starting = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
