"""The canonical names of readings; any other is kept under `custom.`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from core.observation import Value
from wire.quantities import number
from wire.strict_json import MAX_ATTRIBUTES, MAX_INTEGER, MAX_NAME_CHARS, MAX_TEXT_CHARS

CANONICAL = frozenset({
    "battery.level", "battery.voltage", "power.voltage", "battery.charging",
    "air.temperature", "device.temperature", "air.humidity", "air.pressure", "air.co2",
    "light", "motion.detected", "motion.count", "contact", "leak", "ignition", "tamper", "sos",
    "acceleration.x", "acceleration.y", "acceleration.z", "shock", "tilt.pitch", "tilt.roll",
    "angle.x", "angle.y", "angle.z",
    "odometer", "hdop", "satellites", "vertical_accuracy",
    "link.rssi", "link.snr", "link.gateways", "link.sf", "link.frequency", "link.fcnt",
    "link.fport", "link.margin",
})  # fmt: skip

# At most so many members of one object are read; beyond MAX_ATTRIBUTES some are dropped anyway.
MAX_MEMBERS_READ = 256
# Enough for people to see the kind of them; a hostile body has thousands.
_MAX_DROPPED_NAMES = 15

_CHANNEL = re.compile(r"\.\d{1,5}$", re.ASCII)


@lru_cache(maxsize=4096)
def reading_name(name: str) -> str:
    """Return a canonical name, with or without channel, as it is; else `custom.<name>`."""
    if name.startswith("custom.") or name in CANONICAL or _CHANNEL.sub("", name) in CANONICAL:
        return name
    return f"custom.{name}"


def storable_value(value: Any) -> Value | None:
    """Return a value that can be a reading: a finite number, true, false or a bounded text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value if 0 < len(value) <= MAX_TEXT_CHARS else None
    found = number(value)
    is_huge = isinstance(found, int) and abs(found) > MAX_INTEGER
    return None if is_huge else found


def bounded_readings(readings: Iterable[tuple[str, Any]]) -> tuple[dict[str, Value], list[str]]:
    """Return the readings that can be kept, and the names of those that cannot.

    None and empty texts are no values and not counted as dropped; of two with one name
    the first stays.
    """
    kept: dict[str, Value] = {}
    dropped: list[str] = []
    for name, value in readings:
        if value is None or value == "" or name in kept:
            continue
        found = storable_value(value)
        is_room = len(name) <= MAX_NAME_CHARS and len(kept) < MAX_ATTRIBUTES
        if found is None or not is_room:
            dropped[_MAX_DROPPED_NAMES:] = []
            dropped.append(name[:MAX_NAME_CHARS])
        else:
            kept[name] = found
    return kept, dropped
