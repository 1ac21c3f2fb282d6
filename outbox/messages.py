"""What senders take and what they answer: plain values."""

from __future__ import annotations

import re
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from core.names import isolated

# The channel of those who are known by an e-mail address only.
EMAIL: Final = "email"
_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


class RenderedText(Struct, frozen=True, kw_only=True):
    """What a notification says, as its author wrote it.

    `html` is the same for channels that show it. Texts with the same `thread` are shown as one
    conversation, such as `alert-17`. `headers` are for programs that read the message.
    """

    subject: str
    plain: str
    html: str | None = None
    thread: str | None = None
    headers: dict[str, str] = {}


class OutgoingMessage(Struct, frozen=True, kw_only=True):
    """A text for one address.

    The id is the same in each attempt, so that a receiver can recognise what it has already.
    """

    notification_id: UUID
    address: str
    text: RenderedText


class SendOutcome(Struct, frozen=True, kw_only=True):
    """How an attempt ended. `unclear`: without an answer, so it may have arrived."""

    kind: Literal["sent", "temporary", "unclear", "permanent"]
    detail: str = ""


def one_line(text: str) -> str:
    """Return `text` fit for a header and for a sentence, whose direction it does not turn.

    A line break becomes a space.
    """
    return isolated(_UNPRINTABLE.sub(" ", text).strip())
