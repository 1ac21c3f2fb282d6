"""A wire format: how to recognise and decode its uplinks, and how to answer their sender."""

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
    """The certainty that an uplink is of a format. The format with the highest is chosen."""

    NONE = 0
    SHAPE = 1  # members or parameters that other senders use, too
    PARAMETERS = 2  # names of parameters that few others use
    URL = 3  # a parameter that the sender itself appends to the URL
    MEMBERS = 4  # members that no other format has


class ParsedUplink(Struct, frozen=True):
    """An uplink of unknown format, parsed once for all formats.

    `root` is the JSON of its body and `members` that of its first object; `parameters` are the
    names in query and form, where the body is no JSON.
    """

    uplink: Uplink
    root: Any = None
    members: Mapping[str, Any] = {}
    parameters: frozenset[str] = frozenset()


def parsed_uplink(uplink: Uplink) -> ParsedUplink:
    """Return an uplink with its JSON or parameters; with neither where it cannot be parsed."""
    try:
        if uplink.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"["):
            return ParsedUplink(uplink, parameters=frozenset(all_parameters(uplink)))
        root = read_lenient(uplink.body)
    except Refused:
        return ParsedUplink(uplink)
    first = root[0] if isinstance(root, list) and root else root
    return ParsedUplink(uplink, root, mapping(first))


ModelOf = Callable[[str], DeviceModel | None]


class WireFormat(Struct, frozen=True, kw_only=True):
    """A wire format. A module of `wire.formats` that has one as its `FORMAT` is registered by it.

    `open` decodes an uplink or, where its payload depends on the model of the device, returns an
    envelope with the payload still to be decoded. It raises UnreadableUplink and TooLarge.
    `is_lenient`: the sender repeats a refused message for ever or switches itself off,
    so the door answers 2xx to unreadable uplinks and sets them aside. `success_body` is
    the body that the sender expects; None means our receipt. Empty `media_types`: any.
    `has_event_paths`: the sender may append the name of its event to the path.
    """

    name: str
    title: str
    certainty: Callable[[ParsedUplink], Certainty]
    open: Callable[[Uplink], Decoded | Envelope]
    is_lenient: bool
    success_body: bytes | None = None
    media_types: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("POST",)
    token_in_path: bool = False
    has_event_paths: bool = False

    def decode(self, uplink: Uplink, model_of: ModelOf = lambda _: None) -> Decoded:
        """Return the observations of an uplink; `model_of` maps a device's identifier to its model.

        Raises UnreadableUplink and TooLarge.
        """
        opened = self.open(uplink)
        if isinstance(opened, Decoded):
            return opened
        return decode_payload(opened, model_of(opened.device))
