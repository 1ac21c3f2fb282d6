"""A language that senders speak: how to know it, its manners, and what its messages mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

from msgspec import Struct

from core.errors import Refused
from wire.device_model import DeviceModel
from wire.envelope import Envelope, decode_payload
from wire.parameters import all_parameters
from wire.quantities import mapping
from wire.strict_json import read_lenient
from wire.uplink import Decoded, Uplink


class Certainty(IntEnum):
    """How surely an uplink is of a format. Of several claims the surest decides."""

    NONE = 0
    SHAPE = 1  # others send what looks like this, too
    WORDS = 2  # names of parameters that few others use
    ADDRESS = 3  # the sender has put its mark into the URL
    MARK = 4  # members that no other format has


class Clues(Struct, frozen=True):
    """An uplink of unknown format, read once for all formats that may know it.

    `root` is the JSON of its body and `members` that of its first object; `parameters` are the
    names in query and form, where the body is no JSON.
    """

    uplink: Uplink
    root: Any = None
    members: Mapping[str, Any] = {}
    parameters: frozenset[str] = frozenset()


def clues_in(uplink: Uplink) -> Clues:
    """Return what formats can be told apart by; of what cannot be read, the uplink itself."""
    try:
        if uplink.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"["):
            return Clues(uplink, parameters=frozenset(all_parameters(uplink)))
        root = read_lenient(uplink.body)
    except Refused:
        return Clues(uplink)
    first = root[0] if isinstance(root, list) and root else root
    return Clues(uplink, root, mapping(first))


ModelOf = Callable[[str], DeviceModel | None]


class WireFormat(Struct, frozen=True, kw_only=True):
    """A module of `wire.formats` has one as its `FORMAT`; that is all there is to adding it.

    `open` returns what an uplink means or, where that depends on the kind of device, an envelope
    whose payload is still to be read. It raises UnreadableUplink and TooLarge.
    `is_lenient`: the sender repeats a refused message for ever or switches itself off,
    so the door answers 2xx to what is unreadable and sets it aside. `success_body` is
    what the sender wants to read; None means our receipt. Empty `media_types`: any.
    """

    name: str
    title: str
    looks_like: Callable[[Clues], Certainty]
    open: Callable[[Uplink], Decoded | Envelope]
    is_lenient: bool
    success_body: bytes | None = None
    media_types: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("POST",)
    token_in_path: bool = False

    def decode(self, uplink: Uplink, model_of: ModelOf = lambda _: None) -> Decoded:
        """Return what an uplink means; `model_of` says what is known of a device by identifier.

        Raises UnreadableUplink and TooLarge.
        """
        opened = self.open(uplink)
        if isinstance(opened, Decoded):
            return opened
        return decode_payload(opened, model_of(opened.device))
