"""Detection of messages lost between the publishers and this hub. Plain values."""

from __future__ import annotations

from dataclasses import dataclass

from core.broadcast import BEAT_EVERY_S, Message, SealedMessage

# A live publisher sends a message within this after the hub began to listen.
GRACE_S = 2.5 * BEAT_EVERY_S
SILENCE_S = 3 * BEAT_EVERY_S
FORGET_AFTER_S = 24 * 3600.0


@dataclass(slots=True)
class _LastMessage:
    number: int
    at: float
    is_resting: bool


class Publishers:
    """The last message of each publisher. `now` is monotonic seconds."""

    def __init__(self, *, now: float) -> None:
        self._since = now
        self._last: dict[str, _LastMessage] = {}

    def record(self, message: Message | SealedMessage, *, now: float) -> bool:
        """Record a message; return whether a message before it was lost."""
        last = self._last.get(message.publisher)
        self._last[message.publisher] = _LastMessage(message.number, now, message.is_resting)
        expected = message.number - 1 if message.frames else message.number
        if last is not None:
            return last.number != expected
        # Messages from before this hub listened are in the database, which was read since.
        return expected > 0 and now - self._since > GRACE_S

    def drop_silent(self, *, now: float) -> bool:
        """Drop publishers that fell silent without notice; return whether there were any."""
        silences_s = {name: now - last.at for name, last in self._last.items()}
        resting = {name for name, last in self._last.items() if last.is_resting}
        lost = [name for name in silences_s.keys() - resting if silences_s[name] > SILENCE_S]
        old = [name for name in resting if silences_s[name] > FORGET_AFTER_S]
        for name in lost + old:
            del self._last[name]
        return bool(lost)
