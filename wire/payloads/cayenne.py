"""Cayenne Low Power Payload: channel, type and big-endian data, over and over."""

from __future__ import annotations

from msgspec import Struct

from core.errors import UnreadableUplink

Value = float | int | dict[str, float]


class CayenneEntry(Struct, frozen=True):
    """A measurement. `name` is the type's; the values of a vector are named."""

    channel: int
    type: int
    name: str
    value: Value


class _CayenneType(Struct, frozen=True):
    """`sizes` in bytes; a value is the integer divided by `divisor`."""

    name: str
    sizes: tuple[int, ...]
    divisors: tuple[float, ...] = (1,)
    is_signed: bool = False
    axes: tuple[str, ...] = ()


_XYZ = ("x", "y", "z")
_TYPES = {
    0: _CayenneType("digital_input", (1,)),
    1: _CayenneType("digital_output", (1,)),
    2: _CayenneType("analog_input", (2,), (100,), is_signed=True),
    3: _CayenneType("analog_output", (2,), (100,), is_signed=True),
    100: _CayenneType("generic_sensor", (4,)),
    101: _CayenneType("illuminance", (2,)),
    102: _CayenneType("presence", (1,)),
    103: _CayenneType("temperature", (2,), (10,), is_signed=True),
    104: _CayenneType("humidity", (1,), (2,)),
    113: _CayenneType("accelerometer", (2, 2, 2), (1000, 1000, 1000), is_signed=True, axes=_XYZ),
    115: _CayenneType("barometer", (2,), (10,)),
    116: _CayenneType("voltage", (2,), (100,)),
    117: _CayenneType("current", (2,), (1000,)),
    118: _CayenneType("frequency", (4,)),
    120: _CayenneType("percentage", (1,)),
    121: _CayenneType("altitude", (2,), is_signed=True),
    125: _CayenneType("concentration", (2,)),
    128: _CayenneType("power", (2,)),
    130: _CayenneType("distance", (4,), (1000,)),
    131: _CayenneType("energy", (4,), (1000,)),
    132: _CayenneType("direction", (2,)),
    133: _CayenneType("unix_time", (4,)),
    134: _CayenneType("gyrometer", (2, 2, 2), (100, 100, 100), is_signed=True, axes=_XYZ),
    135: _CayenneType("colour", (1, 1, 1), (1, 1, 1), axes=("r", "g", "b")),
    136: _CayenneType(
        "gps", (3, 3, 3), (10_000, 10_000, 100),
        is_signed=True, axes=("latitude", "longitude", "altitude"),
    ),
    142: _CayenneType("switch", (1,)),
}  # fmt: skip


def entries(payload: bytes) -> tuple[CayenneEntry, ...]:
    """Return the entries of a payload, in its order.

    An entry does not carry its length, so an unknown type or a cut-off entry makes the rest
    unreadable: raises UnreadableUplink.
    """
    found: list[CayenneEntry] = []
    at = 0
    while at < len(payload):
        if at + 2 > len(payload):
            raise UnreadableUplink("a channel without a type.")
        channel, number = payload[at], payload[at + 1]
        kind = _TYPES.get(number)
        if kind is None:
            raise UnreadableUplink(f"type {number} is not known.")
        size = sum(kind.sizes)
        data = payload[at + 2 : at + 2 + size]
        if len(data) != size:
            raise UnreadableUplink(f"the {kind.name} is cut off.")
        found.append(CayenneEntry(channel, number, kind.name, _value(data, kind)))
        at += 2 + size
    return tuple(found)


def _value(data: bytes, kind: _CayenneType) -> Value:
    values: list[float] = []
    at = 0
    for size, divisor in zip(kind.sizes, kind.divisors, strict=True):
        raw = int.from_bytes(data[at : at + size], "big", signed=kind.is_signed)
        values.append(raw if divisor == 1 else raw / divisor)
        at += size
    return dict(zip(kind.axes, values, strict=True)) if kind.axes else values[0]


def named_values(payload: bytes) -> dict[str, Value]:
    """Return the values by name and channel, as network servers spell them: `temperature_3`.

    Raises UnreadableUplink where they cannot be read to the end.
    """
    return {f"{entry.name}_{entry.channel}": entry.value for entry in entries(payload)}
