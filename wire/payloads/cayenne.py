"""Cayenne Low Power Payload: channel, type and big-endian data, over and over."""

from __future__ import annotations

from msgspec import Struct

from core.errors import UnreadableUplink

Value = float | int | dict[str, float]


class Entry(Struct, frozen=True):
    """One measurement. `name` is the type's; a vector's values are named."""

    channel: int
    type: int
    name: str
    value: Value


class _Type(Struct, frozen=True):
    """`sizes` in bytes; a value is the integer divided by `divisor`."""

    name: str
    sizes: tuple[int, ...]
    divisors: tuple[float, ...] = (1,)
    is_signed: bool = False
    axes: tuple[str, ...] = ()


_XYZ = ("x", "y", "z")
_TYPES = {
    0: _Type("digital_input", (1,)),
    1: _Type("digital_output", (1,)),
    2: _Type("analog_input", (2,), (100,), is_signed=True),
    3: _Type("analog_output", (2,), (100,), is_signed=True),
    100: _Type("generic_sensor", (4,)),
    101: _Type("illuminance", (2,)),
    102: _Type("presence", (1,)),
    103: _Type("temperature", (2,), (10,), is_signed=True),
    104: _Type("humidity", (1,), (2,)),
    113: _Type("accelerometer", (2, 2, 2), (1000, 1000, 1000), is_signed=True, axes=_XYZ),
    115: _Type("barometer", (2,), (10,)),
    116: _Type("voltage", (2,), (100,)),
    117: _Type("current", (2,), (1000,)),
    118: _Type("frequency", (4,)),
    120: _Type("percentage", (1,)),
    121: _Type("altitude", (2,), is_signed=True),
    125: _Type("concentration", (2,)),
    128: _Type("power", (2,)),
    130: _Type("distance", (4,), (1000,)),
    131: _Type("energy", (4,), (1000,)),
    132: _Type("direction", (2,)),
    133: _Type("unix_time", (4,)),
    134: _Type("gyrometer", (2, 2, 2), (100, 100, 100), is_signed=True, axes=_XYZ),
    135: _Type("colour", (1, 1, 1), (1, 1, 1), axes=("r", "g", "b")),
    136: _Type(
        "gps", (3, 3, 3), (10_000, 10_000, 100),
        is_signed=True, axes=("latitude", "longitude", "altitude"),
    ),
    142: _Type("switch", (1,)),
}  # fmt: skip


def entries(payload: bytes) -> tuple[Entry, ...]:
    """Return the entries of a payload, in its order.

    Lengths are not self-describing, so an unknown type or a cut-off entry makes all that
    follows unreadable: raises UnreadableUplink.
    """
    found: list[Entry] = []
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
        found.append(Entry(channel, number, kind.name, _value(data, kind)))
        at += 2 + size
    return tuple(found)


def _value(data: bytes, kind: _Type) -> Value:
    values: list[float] = []
    at = 0
    for size, divisor in zip(kind.sizes, kind.divisors, strict=True):
        raw = int.from_bytes(data[at : at + size], "big", signed=kind.is_signed)
        values.append(raw if divisor == 1 else raw / divisor)
        at += size
    return dict(zip(kind.axes, values, strict=True)) if kind.axes else values[0]


def members(payload: bytes) -> dict[str, Value]:
    """Return the entries by name and channel, as network servers spell them: `temperature_3`.

    Raises UnreadableUplink where they cannot be read to the end.
    """
    return {f"{one.name}_{one.channel}": one.value for one in entries(payload)}
