"""Handing items out in the background: a queue, and the thread that empties it.

For work that follows a commit and must never delay it: a slow or missing receiver does not block
the thread that puts items in. Lost items are found again by other means, so nothing is retried.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

Item = TypeVar("Item")
Queue = TypeVar("Queue", bound="BackgroundQueue[Any]")

logger = logging.getLogger(__name__)

CLOSE_WITHIN_S = 1.0
# After a failure, so that the thread does not run through a full queue while the receiver is down.
PAUSE_S = 0.2


class BackgroundQueue(Generic[Item]):
    """A bounded queue and the thread that hands out its items, in order of arrival.

    Items are numbered from 1 as they are put, so that a receiver can notice dropped items.
    A subclass implements `hand_out`. `failures` are the exceptions by which the receiver may
    refuse: the items handed out then are lost, and the log has a line when this begins and a
    line when it ends. Any other exception is our own mistake; it is logged, and the thread goes
    on.
    """

    content: ClassVar[str]
    receiver: ClassVar[str]
    failures: ClassVar[tuple[type[Exception], ...]] = (OSError,)
    # How many items are handed out together.
    at_once: ClassVar[int] = 1

    def __init__(self, *, limit: int) -> None:
        self.dropped = 0
        self._number = 0
        self._queue: deque[tuple[int, Item]] = deque(maxlen=limit)
        self._wake = threading.Condition()
        self._is_closing = self._is_broken = False
        self._thread = threading.Thread(target=self._run, name=self.content, daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Queue `item`; never blocks. When full, the oldest item is dropped."""
        with self._wake:
            self._number += 1
            self.dropped += len(self._queue) == self._queue.maxlen
            self._queue.append((self._number, item))
            self._wake.notify()

    def close(self, within_s: float = CLOSE_WITHIN_S) -> None:
        """Hand out the queued items and end the thread; give up after `within_s`."""
        # In a forked child there is no thread, and the lock may be held for ever.
        if not self._thread.is_alive():
            return
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        self._thread.join(within_s)

    # --- for a subclass ---------------------------------------------------

    def hand_out(self, items: Sequence[tuple[int, Item]]) -> None:
        """Give items, each with its number, to the receiver; none if `wait_s` has passed."""
        raise NotImplementedError

    def wait_s(self) -> float | None:
        """Return how long to wait for an item; without a limit where this is None."""
        return None

    def finish(self) -> None:
        """Announce to the receiver that no more items will come. Called once, at the end."""

    # --- in the thread ----------------------------------------------------

    def _run(self) -> None:
        while True:
            items, is_last = self._take_items()
            if not is_last or items:
                self._attempt(partial(self.hand_out, items))
            if is_last:
                self._attempt(self.finish)
                return

    def _take_items(self) -> tuple[list[tuple[int, Item]], bool]:
        """Wait for items. Return the items to hand out now, and whether they are the last."""
        with self._wake:
            if not self._queue and not self._is_closing:
                self._wake.wait(self.wait_s())
            items = [self._queue.popleft() for _ in range(min(len(self._queue), self.at_once))]
            return items, self._is_closing and not self._queue

    def _attempt(self, act: Callable[[], None]) -> None:
        try:
            act()
        except self.failures as error:
            self._report_failure(error)
        except Exception:
            logger.exception("%s cannot be handed out", self.content)
        else:
            self._report_recovery()

    def _report_failure(self, error: Exception) -> None:
        if not self._is_broken:
            logger.warning("%s do not reach %s: %s", self.content, self.receiver, error)
        self._is_broken = True
        if not self._is_closing:
            time.sleep(PAUSE_S)

    def _report_recovery(self) -> None:
        if self._is_broken:
            logger.info("%s reach %s again; dropped %d", self.content, self.receiver, self.dropped)
        self._is_broken = False


class OncePerProcess(Generic[Queue]):
    """Makes a queue at its first use in a process, and closes it when the process ends.

    A forked child makes its own queue: it inherits its parent's object, but not the thread.
    """

    def __init__(self, make: Callable[[], Queue]) -> None:
        self._make = make
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._queue: Queue | None = None
        # Another thread may have held the lock while the process forked.
        self._making = threading.Lock()

    def get(self) -> Queue:
        with self._making:
            if self._queue is None:
                self._queue = self._make()
                atexit.register(self._queue.close)
            return self._queue
