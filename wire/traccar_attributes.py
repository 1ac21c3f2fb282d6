"""Traccar's attributes of a position, whose units its data model fixes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from core.observation import Value
from wire.quantities import is_probe_error, lenient_number, number, truth
from wire.reading_names import MAX_MEMBERS_READ

_TEMPERATURE = re.compile(r"temp(\d{1,3})", re.ASCII)


def _contact(value: Any) -> str | None:
    is_open = truth(value)
    return None if is_open is None else "open" if is_open else "closed"


def _percent(value: Any) -> float | None:
    found = lenient_number(value)
    return found if found is not None and 0 <= found <= 100 else None


_QUANTITIES: dict[str, tuple[str, Callable[[Any], Value | None]]] = {
    "batteryLevel": ("battery.level", _percent),
    "battery": ("battery.voltage", number),
    "power": ("power.voltage", number),
    "charge": ("battery.charging", truth),
    "ignition": ("ignition", truth),
    "motion": ("motion.detected", truth),
    "odometer": ("odometer", number),
    "hdop": ("hdop", number),
    "sat": ("satellites", number),
    "humidity": ("air.humidity", _percent),
    "deviceTemp": ("device.temperature", number),
    "door": ("contact", _contact),
}


def attribute_readings(attributes: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield readings; attributes without a unit in Traccar stay custom."""
    read = dict(islice(attributes.items(), MAX_MEMBERS_READ))
    probes = [name for name in read if _TEMPERATURE.fullmatch(name)]
    for name, value in read.items():
        canonical, quantity = _QUANTITIES.get(name, (None, None))
        found = None if quantity is None else quantity(value)
        if canonical is not None and found is not None:
            yield canonical, found
        elif name in probes and _is_temperature(value):
            yield _temperature_name(name, is_only=len(probes) == 1), value
        else:
            yield f"custom.{name}", value
    yield from alarm_readings(attributes.get("alarm"))


def _is_temperature(value: Any) -> bool:
    celsius = number(value)
    return celsius is not None and not is_probe_error(celsius)


def _temperature_name(name: str, *, is_only: bool) -> str:
    match = _TEMPERATURE.fullmatch(name)
    return "air.temperature" if is_only or match is None else f"air.temperature.{match[1]}"


def alarm_readings(alarm: Any) -> Iterator[tuple[str, bool]]:
    """Yield the readings of Traccar's alarms, a text of one or several joined by commas."""
    words = alarm.split(",") if isinstance(alarm, str) else []
    if "sos" in words:
        yield "sos", True
    if "tampering" in words:
        yield "tamper", True
