"""Readings from a decoded LoRaWAN payload: canonical where name and unit are unambiguous."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from core.observation import Value
from wire.payloads.decoded_position import DecodedPosition, is_position_member, normal_name
from wire.quantities import lenient_number, truth
from wire.reading_names import bounded_readings

_MAX_NESTING = 4
_CHANNEL = re.compile(r"(.*\D)[_.]?(\d{1,3})", re.ASCII)
WITH_UNIT = re.compile(r"\s*([+-]?\d{1,12}(?:\.\d{1,12})?)\s*(°C|℃|°F|℉|mV|V|%|hPa|ppm|lux|lx)\s*")


def _within(low: float, high: float, factor: float = 1.0) -> Callable[[Any], float | None]:
    """Read a number from `low` to `high`, in the sender's unit; beyond it the unit is another."""

    def read(value: Any) -> float | None:
        found = lenient_number(value)
        if found is None or not low <= found <= high:
            return None
        return found if factor == 1.0 else found * factor

    return read


def _fahrenheit(value: Any) -> float | None:
    found = _within(-100, 400)(value)
    return None if found is None else (found - 32) * 5 / 9


def _contact(value: Any) -> str | None:
    word = str(value).strip().lower()
    if word in ("open", "opened"):
        return "open"
    return "closed" if word in ("closed", "close") else None


def _is_open(value: Any) -> str | None:
    is_open = truth(value)
    return None if is_open is None else "open" if is_open else "closed"


def _leak(value: Any) -> bool | None:
    words = {"leak": True, "leaking": True, "normal": False, "dry": False}
    return words.get(str(value).strip().lower(), truth(value))


_celsius, _percent = _within(-90, 250), _within(0, 100)
_volt, _millivolt = _within(0, 60), _within(0, 60_000, 0.001)
_QUANTITIES: dict[str, tuple[str, Callable[[Any], Value | None]]] = {
    **dict.fromkeys(
        ("temperature", "temp", "tem", "temperaturec", "tempc", "airtemperature", "tempcsht",
         "ambienttemperature", "airtemp", "ambienttemp", "temperaturesensor",
         # Codecs are also written in other languages.
         "temperatur", "temperatuur", "temperatura", "température", "lufttemperatur"),
        ("air.temperature", _celsius),
    ),
    **dict.fromkeys(("temperaturef", "tempf", "airtemperaturef"), ("air.temperature", _fahrenheit)),
    **dict.fromkeys(
        ("temperatureboard", "ictemperature", "boardtemperature", "devicetemperature",
         "temperaturemeasure", "internaltemperature", "mcutemperature", "chiptemperature"),
        ("device.temperature", _celsius),
    ),
    **dict.fromkeys(
        ("humidity", "hum", "relativehumidity", "rh", "airhumidity", "humsht", "humiditysensor",
         "luftfeuchtigkeit", "luftfeuchte", "luchtvochtigheid", "humidité", "humedad"),
        ("air.humidity", _percent),
    ),
    **dict.fromkeys(
        ("pressure", "barometer", "barometricpressure", "airpressure", "pressurehpa",
         "atmosphericpressure", "luftdruck", "luchtdruk"),
        ("air.pressure", _within(300, 1200)),
    ),
    "pressurepa": ("air.pressure", _within(30_000, 120_000, 0.01)),
    **dict.fromkeys(("co2", "airco2", "co2ppm"), ("air.co2", _within(0, 100_000))),
    **dict.fromkeys(
        ("illuminance", "lux", "illuminancesensor", "lightlux", "illumination", "illlx"),
        ("light", _within(0, 1e6)),
    ),
    **dict.fromkeys(
        ("batterylevel", "batterypercent", "batterypercentage", "batterypct", "batpercent",
         "batpct", "batterylifetimepct", "batlevel"),
        ("battery.level", _percent),
    ),
    **dict.fromkeys(
        ("batv", "batteryvoltage", "batteryv", "vbat", "batvoltage", "batteryvolt", "vbatt",
         "battv", "batteryvolts", "batvolt", "batteryvol"),
        ("battery.voltage", _volt),
    ),
    **dict.fromkeys(
        ("batmv", "batterymv", "vbatmv", "batteryvoltagemv", "batvmv", "supplyvoltagemv"),
        ("battery.voltage", _millivolt),
    ),
    **dict.fromkeys(("ischarging", "charging", "batterycharging"), ("battery.charging", truth)),
    **dict.fromkeys(
        ("motiondetected", "ismoving", "moving", "motion"), ("motion.detected", truth)
    ),
    "motioncount": ("motion.count", _within(0, 1e12)),
    **dict.fromkeys(
        ("contact", "contactstate", "door", "doorstate", "doorstatus", "magnetstatus"),
        ("contact", _contact),
    ),
    **dict.fromkeys(("dooropen", "dooropenstatus"), ("contact", _is_open)),
    **dict.fromkeys(
        ("leak", "waterleak", "waterleakage", "leakage", "waterleakstatus", "leakdetected",
         "lekstatus", "lekkage", "leckage"),
        ("leak", _leak),
    ),
    "ignition": ("ignition", truth),
    "tamper": ("tamper", truth),
    **dict.fromkeys(("sos", "sosflag", "panic"), ("sos", truth)),
    **dict.fromkeys(("pitch", "tilt.pitch"), ("tilt.pitch", _within(-360, 360))),
    **dict.fromkeys(("roll", "tilt.roll"), ("tilt.roll", _within(-360, 360))),
    **{f"accelerometer.{axis}": (f"acceleration.{axis}", _within(-64, 64)) for axis in "xyz"},
}  # fmt: skip
# The Things Stack's Cayenne decoder gives lux under this name, and only with a channel.
_WITH_CHANNEL = {"luminosity": ("light", _within(0, 1e6))}
_OF_UNIT: dict[str, tuple[str, Callable[[Any], Value | None]]] = {
    "V": ("voltage", _volt), "mV": ("voltage", _millivolt), "%": ("level", _percent),
}  # fmt: skip


class _Leaf(Struct, frozen=True):
    path: tuple[str, ...]
    value: Any


def decoded_readings(
    payload: Mapping[str, Any], position: DecodedPosition
) -> tuple[dict[str, Value], list[str]]:
    """Return the readings of a decoded payload and the names of those that could not be kept.

    A quantity of a single probe has no channel; of several, each carries its own.
    """
    named = [_named(leaf) for leaf in _leaves(payload, position)]
    probes = Counter(name for name, _, _ in named)
    readings = [
        (f"{name}.{channel}" if channel and probes[name] > 1 else name, value)
        for name, channel, value in named
    ]
    return bounded_readings(
        [*readings, ("hdop", position.hdop), ("satellites", position.satellites)]
    )


def _leaves(payload: Mapping[str, Any], position: DecodedPosition) -> Iterator[_Leaf]:
    for name, value in payload.items():
        if name in position.used_members or name == "cached":
            continue
        for leaf in _below((name,), value):
            is_of_position = name == position.parent and is_position_member(leaf.path[-1])
            if not is_of_position:
                yield leaf


def _below(path: tuple[str, ...], value: Any) -> Iterator[_Leaf]:
    if isinstance(value, dict) and len(path) < _MAX_NESTING:
        for name, member in value.items():
            yield from _below((*path, name), member)
    elif not isinstance(value, dict | list):
        yield _Leaf(path, value)


def _named(leaf: _Leaf) -> tuple[str, str, Value | None]:
    """Return the reading's name, its channel or "", and its value."""
    key, channel = _key_and_channel(leaf.path)
    value, unit = _without_unit(leaf.value)
    quantity = _quantity(key, channel, unit)
    if quantity is None and channel:
        exact = normal_name(".".join(leaf.path))
        quantity, channel = _QUANTITIES.get(exact), channel if exact not in _QUANTITIES else ""
    if quantity is not None:
        name, read = quantity
        found = read(value)
        if found is not None:
            return name, channel, found
    return f"custom.{'.'.join(leaf.path)}", "", leaf.value


def _quantity(
    key: str, channel: str, unit: str | None
) -> tuple[str, Callable[[Any], Value | None]] | None:
    if unit in _OF_UNIT and key.startswith("bat"):
        kind, read = _OF_UNIT[unit]
        return f"battery.{kind}", read
    if unit in ("°F", "℉"):
        return ("air.temperature", _fahrenheit) if key in ("temperature", "temp") else None
    return _QUANTITIES.get(key) or (_WITH_CHANNEL.get(key) if channel else None)


def _key_and_channel(path: tuple[str, ...]) -> tuple[str, str]:
    """Split `temperature_3`, `temperatureSensor.3` and `accelerometer_2.x`."""
    names = list(path)
    channel = ""
    for place in range(len(names)):
        match = _CHANNEL.fullmatch(names[place])
        if names[place].isdecimal() and names[place].isascii() and place > 0:
            channel, names[place] = names[place], ""
        elif match and not channel:
            names[place], channel = match[1].rstrip("_."), match[2]
    return ".".join(normal_name(name) for name in names if name), channel


def _without_unit(value: Any) -> tuple[Any, str | None]:
    """Return `"3.4V"` as ("3.4", "V")."""
    match = WITH_UNIT.fullmatch(value) if isinstance(value, str) else None
    return (match[1], match[2]) if match else (value, None)
