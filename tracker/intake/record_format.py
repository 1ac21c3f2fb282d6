"""The format of a record: deliveries in bytes that another release can read.

A record begins with the name and version of its format. Unknown members are ignored and missing
ones take their default, so a new member with a default needs no new version. A change that a former
release would misread needs a new version, and the reader of the former version stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from tracker.road.delivery import Delivery

_FORMAT = b"deliveries/1"
# The name ends here; no MessagePack of a list begins with it.
_END_OF_NAME = b"\n"

_encode = msgspec.msgpack.Encoder().encode
_READERS: dict[bytes, Callable[[bytes], list[Delivery]]] = {
    _FORMAT: msgspec.msgpack.Decoder(list[Delivery]).decode,
}


class UnknownRecordFormatError(ValueError):
    """A record in a format that this release does not know."""


class DamagedRecordError(ValueError):
    """A record that its format cannot read."""


def record_of(deliveries: Sequence[Delivery]) -> bytes:
    return _FORMAT + _END_OF_NAME + _encode(list(deliveries))


def deliveries_of(record: bytes) -> list[Delivery]:
    """Return the deliveries of a record. Raises UnknownRecordFormatError and DamagedRecordError."""
    name, end, content = record.partition(_END_OF_NAME)
    reader = _READERS.get(name)
    if reader is None or not end:
        raise UnknownRecordFormatError(f"no reader for records of format {name[:40]!r}")
    try:
        return reader(content)
    except msgspec.MsgspecError as error:
        raise DamagedRecordError(str(error)) from error
