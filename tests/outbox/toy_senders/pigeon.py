"""Carrier pigeons: all that a second channel takes."""

from __future__ import annotations

from typing import ClassVar, Self

from outbox.messages import OutgoingMessage, SendOutcome


class PigeonSender:
    """Pigeons know the way to lofts only, and do not come back from the moon."""

    channel: ClassVar[str] = "pigeon"
    arrived: ClassVar[list[OutgoingMessage]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send(self, message: OutgoingMessage) -> SendOutcome:
        if not message.address.startswith("loft "):
            return SendOutcome(kind="permanent", detail="Not a loft.")
        self.arrived.append(message)
        return SendOutcome(kind="sent")


SENDER = PigeonSender
