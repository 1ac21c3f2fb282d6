"""The interface of senders, and the choice of the sender for a channel."""

from __future__ import annotations

import logging
import pkgutil
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import ClassVar, Protocol, Self

from outbox import senders
from outbox.messages import OutgoingMessage, SendOutcome

logger = logging.getLogger(__name__)


class Sender(Protocol):
    """Delivers messages over one channel. Each batch makes its own; one thread uses it.

    `__enter__` may open a connection for the batch. `send` returns the outcome of a message; it
    raises no exception that the other side or the network can cause.
    """

    channel: ClassVar[str]

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def send(self, message: OutgoingMessage) -> SendOutcome: ...


def senders_in(package: ModuleType) -> dict[str, type[Sender]]:
    """Return, by channel, the `SENDER` of each module in `package`."""
    found: dict[str, type[Sender]] = {}
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        sender: type[Sender] = import_module(module.name).SENDER
        assert sender.channel not in found, f"two senders for {sender.channel}"
        found[sender.channel] = sender
    return found


@cache
def senders_by_channel() -> Mapping[str, type[Sender]]:
    return senders_in(senders)


class OpenSenders:
    """The senders of one batch: each is opened for its first message, and closed at the end."""

    def __init__(self, available: Mapping[str, type[Sender]]) -> None:
        self._available = available
        self._open: dict[str, Sender] = {}
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def send(self, channel: str, message: OutgoingMessage) -> SendOutcome:
        """Send by the sender of `channel`. A mistake in a sender does not stop other messages."""
        if channel not in self._available:
            return SendOutcome(kind="permanent", detail=f"There is no sender for {channel!r}.")
        try:
            sender = self._opened(channel)
        except Exception:
            logger.exception("the sender for %s cannot be opened", channel)
            return SendOutcome(kind="temporary", detail="The sender could not be opened.")
        try:
            return sender.send(message)
        except Exception:
            logger.exception("notification %s broke its sender", message.notification_id)
            return SendOutcome(kind="unclear", detail="The sender failed.")

    def _opened(self, channel: str) -> Sender:
        if channel not in self._open:
            self._open[channel] = self._closing.enter_context(self._available[channel]())
        return self._open[channel]
