"""The pauses between the attempts of a notification, in plain Python."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

MINUTE_S: Final = 60
HOUR_S: Final = 60 * MINUTE_S
# From each attempt to the next: short at first, for a mail server that restarts, then long, for a
# mail server that is down over a weekend. Ten attempts over 72 hours.
PAUSES_S: Final = (
    30,
    2 * MINUTE_S,
    10 * MINUTE_S,
    30 * MINUTE_S,
    2 * HOUR_S,
    6 * HOUR_S,
    12 * HOUR_S,
    20 * HOUR_S,
    31 * HOUR_S + 17 * MINUTE_S + 30,
)
MAX_ATTEMPTS: Final = len(PAUSES_S) + 1
JITTER: Final = 0.1


def pause_after(attempt: int, *, chance: float) -> timedelta | None:
    """Return the pause after failed `attempt` (1 is the first), or None to give up.

    `chance` in [0, 1) spreads the pause over 90 to 110 %, so that notifications that failed
    together are not tried again together.
    """
    if attempt >= MAX_ATTEMPTS:
        return None
    return timedelta(seconds=PAUSES_S[attempt - 1] * (1 - JITTER + 2 * JITTER * chance))
