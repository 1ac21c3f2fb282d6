"""Messages to senders, and the outcomes that senders return: plain values."""

from __future__ import annotations

import re
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from core.names import isolated

# The channel of e-mail addresses.
EMAIL: Final = "email"
_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


class RenderedText(Struct, frozen=True, kw_only=True):
    """The text of a notification, rendered by its author.

    `html` is the same text for channels that show HTML. Texts with the same `thread`,
    such as `alert-17`, are shown as one conversation. `headers` are for programs that read the
    message.
    """

    subject: str
    plain: str
    html: str | None = None
    thread: str | None = None
    headers: dict[str, str] = {}


class OutgoingMessage(Struct, frozen=True, kw_only=True):
    """A text for one address.

    The id is the same in each attempt, so that a receiver can recognise a repeated message.
    """

    notification_id: UUID
    address: str
    text: RenderedText


class SendOutcome(Struct, frozen=True, kw_only=True):
    """The outcome of an attempt. `unclear`: without an answer, so it may have arrived."""

    kind: Literal["sent", "temporary", "unclear", "permanent"]
    detail: str = ""


def one_line(text: str) -> str:
    """Return `text` in one line, for a header or a sentence, whose direction it does not turn.

    A line break becomes a space.
    """
    return isolated(_UNPRINTABLE.sub(" ", text).strip())
