"""Quotas, in the memory of one process: wrong tokens by address, observations by device."""

from __future__ import annotations

from collections.abc import Hashable

from core.errors import TooOften

WINDOW_S = 60.0
# Beyond so many keys all counts start again at zero, which bounds the memory.
MAX_KEYS = 100_000


class Quota:
    """At most `limit` of something for a key in each window of a minute."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._window = -1
        self._counts: dict[Hashable, int] = {}

    def take(self, key: Hashable, amount: int, now_s: float) -> None:
        """Count `amount`. Raises TooOften, counting nothing, if that is beyond the limit."""
        window = int(now_s // WINDOW_S)
        if window != self._window or len(self._counts) > MAX_KEYS:
            self._window, self._counts = window, {}
        taken = self._counts.get(key, 0) + amount
        if taken > self._limit:
            wait_s = int(WINDOW_S - now_s % WINDOW_S) + 1
            raise TooOften("the quota of this minute is used up", retry_after_s=wait_s)
        self._counts[key] = taken
