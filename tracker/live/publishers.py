"""Whether anything was lost between the publishers and this hub. Plain values."""

from __future__ import annotations

from dataclasses import dataclass

from core.broadcast import BEAT_EVERY_S, Message

# A publisher that is alive is heard this soon after the hub began to listen.
GRACE_S = 2.5 * BEAT_EVERY_S
SILENCE_S = 3 * BEAT_EVERY_S
FORGET_AFTER_S = 24 * 3600.0


@dataclass(slots=True)
class _Heard:
    number: int
    at: float
    is_resting: bool


class Publishers:
    """The last number of each publisher. `now` is monotonic seconds."""

    def __init__(self, *, now: float) -> None:
        self._since = now
        self._heard: dict[str, _Heard] = {}

    def heard(self, message: Message, *, now: float) -> bool:
        """Take note of a message; return whether one before it was lost."""
        known = self._heard.get(message.publisher)
        self._heard[message.publisher] = _Heard(message.number, now, message.is_resting)
        expected = message.number - 1 if message.frames else message.number
        if known is not None:
            return known.number != expected
        # What it said before this hub listened is in the database, which was read since.
        return expected > 0 and now - self._since > GRACE_S

    def fell_silent(self, *, now: float) -> bool:
        """Whether a publisher stopped without a word since this was last asked."""
        lost = [n for n, h in self._heard.items() if not h.is_resting and now - h.at > SILENCE_S]
        old = [n for n, h in self._heard.items() if h.is_resting and now - h.at > FORGET_AFTER_S]
        for name in lost + old:
            del self._heard[name]
        return bool(lost)
