"""The order of facts, as one value whose parts only this module knows (ADR 12).

Facts of an asset stand in the order of the moment at which they held, then of their report
time, then of device and message. Everything that must compare facts keeps a `FactKey`, or
its bytes, and asks this module for the rest.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from core.observation import Fix, Observation, Value, instant

# Numbers of messages are non-negative and fit PostgreSQL's bigint.
_MESSAGE_BITS: Final = 63
_HIGHEST: Final = (1 << _MESSAGE_BITS) - 1
# Adding it makes signed numbers compare like the unsigned bytes that they are written as.
_SIGN: Final = 1 << 63
_PACKED: Final = struct.Struct(">4Q")
# PostgreSQL's calendar and Python's both end within this.
_EARLIEST_US: Final = -(1 << 56)
_LATEST_US: Final = 1 << 62


class FactKey(NamedTuple):
    """Where a fact stands among those of its asset; greater is later. Times in µs since 1970."""

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
    """Return the number that tells messages of one device and moment apart.

    That of the sender's own id where there is one, else that of the content: the same message
    has the same number whenever it comes again.
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
    return (*(None if number is None else float(number) for number in numbers), fix.method)


def _plain(readings: dict[str, Value]) -> dict[str, Value]:
    """One format writes 20 and another 20.0, and mean the same. True is no number."""
    return {name: float(value) if type(value) is int else value for name, value in readings.items()}


# --- in SQL ---------------------------------------------------------------------

COLUMN_TYPES: Final = ("timestamptz", "timestamptz", "bigint", "bigint")


def order_sql(table: str) -> str:
    """Return the row value by which rows of positions are ordered, for a table or its alias."""
    t = table
    return (
        f"({t}.measured_at, coalesce({t}.reported_at, {t}.received_at), {t}.device_id, {t}.message)"
    )


def key_columns_sql(table: str) -> str:
    """Return the columns of a position from which `key_of_columns` makes its key."""
    t = table
    return (
        f"(extract(epoch FROM {t}.measured_at) * 1000000)::bigint,"
        f" (extract(epoch FROM coalesce({t}.reported_at, {t}.received_at)) * 1000000)::bigint,"
        f" {t}.device_id, {t}.message"
    )


def key_of_columns(columns: Sequence[int]) -> FactKey:
    return FactKey(*columns)


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
