"""The form of a record: how deliveries are written so that another release can read them.

A record names its form and its version. Members that a release does not know are ignored, and
missing ones take their default, so a new member with a default needs no new version. Whatever a
former release would read wrong does: then the name changes, and the reader of the former stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from tracker.road.delivery import Delivery

_FORM = b"deliveries/1"
# The name ends here; no MessagePack of a list begins with it.
_END_OF_NAME = b"\n"

_encode = msgspec.msgpack.Encoder().encode
_READERS: dict[bytes, Callable[[bytes], list[Delivery]]] = {
    _FORM: msgspec.msgpack.Decoder(list[Delivery]).decode,
}


class UnknownFormError(ValueError):
    """A record in a form of another release."""


class DamagedRecordError(ValueError):
    """A record that is not what its form says."""


def record_of(deliveries: Sequence[Delivery]) -> bytes:
    return _FORM + _END_OF_NAME + _encode(list(deliveries))


def deliveries_of(record: bytes) -> list[Delivery]:
    """Return the deliveries of a record. Raises UnknownFormError and DamagedRecordError."""
    form, end, content = record.partition(_END_OF_NAME)
    reader = _READERS.get(form)
    if reader is None or not end:
        raise UnknownFormError(f"no reader for records of form {form[:40]!r}")
    try:
        return reader(content)
    except msgspec.MsgspecError as error:
        raise DamagedRecordError(str(error)) from error
