"""The order of facts, as a value whose parts only this module knows (ADR 12).

Facts of an asset are ordered by the moment at which they held, then by their report time, then
by device and message. Code that must compare facts keeps a `FactKey`, or its bytes, and uses
this module.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from core.observation import Fix, Observation, Value, instant

# Message numbers are non-negative and fit PostgreSQL's bigint.
_MESSAGE_BITS: Final = 63
_HIGHEST: Final = (1 << _MESSAGE_BITS) - 1
# Adding it makes signed numbers compare like the unsigned bytes that they are written as.
_SIGN: Final = 1 << 63
_PACKED: Final = struct.Struct(">4Q")
# PostgreSQL's calendar and Python's both end within this.
_EARLIEST_US: Final = -(1 << 56)
_LATEST_US: Final = 1 << 62


class FactKey(NamedTuple):
    """The place of a fact among the facts of its asset; greater is later.

    Times are in µs since 1970.
    """

    at_us: int
    reported_us: int
    device_id: int
    message: int

    def to_bytes(self) -> bytes:
        """Return 32 bytes that compare, byte by byte, as the keys do."""
        at_us, reported_us, device_id, message = self
        return _PACKED.pack(at_us + _SIGN, reported_us + _SIGN, device_id, message)


def key_of_bytes(data: bytes) -> FactKey:
    """Return the key that `FactKey.to_bytes` wrote."""
    at_us, reported_us, device_id, message = _PACKED.unpack(data)
    return FactKey(at_us - _SIGN, reported_us - _SIGN, device_id, message)


def before_all_at(at_us: int) -> FactKey:
    """Return a key before each fact of an instant, and after each earlier one."""
    return FactKey(at_us, _EARLIEST_US, 0, 0)


def after_all_at(at_us: int) -> FactKey:
    """Return a key after each fact of an instant, and before each later one."""
    return FactKey(at_us, _LATEST_US, _HIGHEST, _HIGHEST)


FIRST: Final = before_all_at(_EARLIEST_US)
LAST: Final = after_all_at(_LATEST_US)


def message_of(observation: Observation) -> int:
    """Return the number that distinguishes messages of the same device and moment.

    It is a hash of the sender's own id if the message has an id, otherwise of the content: a
    repeated message has the same number.
    """
    if observation.event_id is not None:
        content = b"id\0" + observation.event_id.encode("utf-8", "surrogatepass")
    else:
        said = (_plain_fix(observation.fix), _plain(observation.readings))
        content = _encode((*said, observation.scans) if observation.scans else said)
    digest = hashlib.blake2b(content, digest_size=8).digest()
    return int.from_bytes(digest) & _HIGHEST


_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def _plain_fix(fix: Fix | None) -> tuple[float | str | None, ...] | None:
    if fix is None:
        return None
    numbers = (
        fix.lon_deg, fix.lat_deg, fix.altitude_m, fix.accuracy_m, fix.speed_mps, fix.course_deg,
    )  # fmt: skip
    plain = [n if n is None or type(n) is float else float(n) for n in numbers]
    return (*plain, fix.method)


def _plain(readings: dict[str, Value]) -> dict[str, Value]:
    """Return the readings with integers as floats: formats write 20 or 20.0 for the same value.

    True and False are not numbers and stay.
    """
    return {name: float(value) if type(value) is int else value for name, value in readings.items()}


# --- in SQL ---------------------------------------------------------------------

COLUMN_TYPES: Final = ("timestamptz", "timestamptz", "bigint", "bigint")


def order_sql(table: str) -> str:
    """Return the SQL row value that orders rows of positions, for a table or its alias."""
    t = table
    return (
        f"({t}.measured_at, coalesce({t}.reported_at, {t}.received_at), {t}.device_id, {t}.message)"
    )


def key_columns_sql(table: str) -> str:
    """Return the columns of a position that are the values of its `FactKey`."""
    t = table
    return (
        f"(extract(epoch FROM {t}.measured_at) * 1000000)::bigint,"
        f" (extract(epoch FROM coalesce({t}.reported_at, {t}.received_at)) * 1000000)::bigint,"
        f" {t}.device_id, {t}.message"
    )


def key_parameters(keys: Iterable[FactKey]) -> list[list[str] | list[int]]:
    """Return the keys as a column for each of `COLUMN_TYPES`; FIRST and LAST are infinite."""
    listed = list(keys)
    return [
        moments_of(listed),
        [_instant_text(key.reported_us) for key in listed],
        [key.device_id for key in listed],
        [key.message for key in listed],
    ]


def moments_of(keys: Iterable[FactKey]) -> list[str]:
    """Return when each fact held, as PostgreSQL reads it; FIRST and LAST are infinite."""
    return [_instant_text(key.at_us) for key in keys]


def _instant_text(at_us: int) -> str:
    # As text, since Python has no infinite times.
    if at_us <= _EARLIEST_US:
        return "-infinity"
    return "infinity" if at_us >= _LATEST_US else instant(at_us).isoformat()
