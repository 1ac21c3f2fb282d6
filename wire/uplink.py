"""The plain values between a door and a wire format."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from core.errors import Fault
from core.observation import Observation

# As many characters as the table of event ids holds.
_MAX_EVENT_ID_CHARS = 128


class Uplink(Struct, frozen=True, kw_only=True):
    """Bytes as they arrived.

    `query` is raw and undecoded; the names in `headers` are lower case; `user` is the
    name of HTTP Basic, where there is one.
    """

    received_at: datetime
    body: bytes = b""
    content_type: str | None = None
    query: str = ""
    headers: Mapping[str, str] = {}
    user: str | None = None


class Refusal(Struct, frozen=True, kw_only=True):
    """One observation of an uplink that is wrong; `index` is its place in the batch."""

    index: int
    faults: tuple[Fault, ...]


class Decoded(Struct, frozen=True, kw_only=True):
    """What an uplink means.

    `indexes` gives each observation's place in the batch. `device` is whom a message without
    observations is about. `set_aside` is `code: text` where it could be read but not used.
    `notes` holds what is no observation: names, gateways, warnings.
    """

    message: str
    device: str | None = None
    observations: tuple[Observation, ...] = ()
    indexes: tuple[int, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    set_aside: str | None = None
    notes: dict[str, Any] = {}


def content_digest(content: Any) -> str:
    """Return a short name for JSON content, the same whenever it comes again."""
    return hashlib.sha256(str(content).encode()).hexdigest()[:16]


def event_name(text: str) -> str:
    """Return a made event id so that it fits and still tells two long ones apart."""
    if len(text) <= _MAX_EVENT_ID_CHARS:
        return text
    return f"{text[:100]}#{content_digest(text)}"
