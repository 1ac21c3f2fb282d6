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
    """The bytes of a request as they arrived.

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
    """The faults of an observation that was refused; `index` is its place in the batch.

    `more_faults` is the number of its faults beyond those listed.
    """

    index: int
    faults: tuple[Fault, ...]
    more_faults: int = 0


class Decoded(Struct, frozen=True, kw_only=True):
    """The observations and refusals of an uplink, with notes for people.

    `indexes` gives each observation's place in the batch. `device` is the device of a message
    without observations. `set_aside` is `code: text` where it could be read but not used.
    `notes` holds all else: names, gateways, warnings.
    """

    message: str
    device: str | None = None
    observations: tuple[Observation, ...] = ()
    indexes: tuple[int, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    set_aside: str | None = None
    notes: dict[str, Any] = {}


def content_digest(content: Any) -> str:
    """Return a short digest of JSON content, for an event id of a message without its own."""
    return hashlib.sha256(str(content).encode()).hexdigest()[:16]


def bounded_event_id(text: str) -> str:
    """Return an event id of ours within its column; a digest keeps two long ones distinct."""
    if len(text) <= _MAX_EVENT_ID_CHARS:
        return text
    return f"{text[:100]}#{content_digest(text)}"
