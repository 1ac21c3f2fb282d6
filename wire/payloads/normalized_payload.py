"""The fixed vocabulary of The Things Stack's normalised payload, which names its units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.observation import Fix
from wire.fixes import lenient_fix
from wire.quantities import mapping, number

_CANONICAL = {
    "battery": "battery.voltage",
    "air.temperature": "air.temperature",
    "air.relativeHumidity": "air.humidity",
    "air.pressure": "air.pressure",
    "air.co2": "air.co2",
    "air.lightIntensity": "light",
    "action.motion.detected": "motion.detected",
    "action.motion.count": "motion.count",
    "action.contactState": "contact",
    "water.leak": "leak",
}


def normalized_readings(measurement: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the readings of one measurement; `soil`, `wind` and the like are custom."""
    members = {k: v for k, v in measurement.items() if k not in ("time", "position")}
    return [
        (_CANONICAL.get(path, f"custom.{path}"), value)
        for path, value in _paths(members, "")
        if not isinstance(value, list)
    ]


def normalized_fix(measurement: Mapping[str, Any]) -> Fix | None:
    place = mapping(measurement.get("position"))
    return lenient_fix(number(place.get("latitude")), number(place.get("longitude")))


def _paths(members: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in members.items():
        path = f"{prefix}{name}"
        found += _paths(value, f"{path}.") if isinstance(value, dict) else [(path, value)]
    return found
