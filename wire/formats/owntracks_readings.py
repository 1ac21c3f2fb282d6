"""Readings of an OwnTracks message: phones, and Queclink trackers behind qtripp."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from core.observation import Value
from wire.quantities import HPA_PER_KPA, lenient_number, truth
from wire.reading_names import MAX_MEMBERS_READ, bounded_readings

_PHONE_TRIGGERS = frozenset("pcCbrutv")
_NOT_READINGS = frozenset({
    "_type", "_id", "_http", "topic", "tid", "lat", "lon", "alt", "acc", "vac", "vacc", "vel",
    "cog", "tst", "created_at", "wtst", "sent", "image", "face", "inregions", "inrids", "mcc",
    "mnc", "lac", "cid", "data", "anum", "t",
})  # fmt: skip
_TEMPERATURE = re.compile(r"temp_c-(\d{1,3})", re.ASCII)


def _times(factor: float) -> Callable[[Any], float | None]:
    def read(value: Any) -> float | None:
        found = lenient_number(value)
        return None if found is None else found * factor

    return read


def _percent(value: Any) -> float | None:
    found = lenient_number(value)
    return found if found is not None and 0 <= found <= 100 else None


def _is_charging(value: Any) -> bool | None:
    """Return True for 2 (charging), False for 1 (unplugged) and 3 (full); 0 is unknown."""
    state = lenient_number(value)
    return {1.0: False, 2.0: True, 3.0: False}.get(-1.0 if state is None else state)


_QUANTITIES: dict[str, tuple[str, Callable[[Any], Value | None]]] = {
    "batt": ("battery.level", _percent),
    "bs": ("battery.charging", _is_charging),
    "p": ("air.pressure", _times(HPA_PER_KPA)),
    "odometer": ("odometer", _times(1000.0)),
    "uext": ("power.voltage", _times(1.0)),
    "ubatt": ("battery.voltage", _times(1.0)),
    "ign": ("ignition", truth),
    "motion": ("motion.detected", truth),
}
_CUSTOM = {
    "conn": "custom.connection",
    "m": "custom.monitoring_mode",
    "don": "custom.ignition_on_seconds",
    "hmc": "custom.engine_hours_s",
    "desc": "custom.region",
}


def owntracks_readings(root: Mapping[str, Any]) -> tuple[dict[str, Value], list[str]]:
    """Return the readings, and the names of those that could not be kept."""
    accuracy = ("vertical_accuracy", _vertical_accuracy_m(root))
    return bounded_readings([*_named(root), *_temperatures(root), accuracy])


def _named(root: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in islice(root.items(), MAX_MEMBERS_READ):
        if name in _QUANTITIES:
            canonical, read = _QUANTITIES[name]
            yield canonical, read(value)
        elif name == "motionactivities" and isinstance(value, list):
            yield "custom.activity", ",".join(str(one) for one in value)
        elif not (name in _NOT_READINGS or _TEMPERATURE.fullmatch(name)):
            yield _CUSTOM.get(name, f"custom.{name}"), value
    yield from _trigger(root.get("t"), has_ignition="ign" in root)


def _trigger(trigger: Any, *, has_ignition: bool) -> Iterator[tuple[str, Any]]:
    if not isinstance(trigger, str):
        return
    is_phone = trigger in _PHONE_TRIGGERS
    yield ("custom.trigger" if is_phone else "custom.event"), trigger
    if trigger in ("i", "I") and not has_ignition:
        # Case matters: small is on, capital is off.
        yield "ignition", trigger == "i"


def _temperatures(root: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found = [
        (match[1].lstrip("0") or "0", lenient_number(value))
        for name, value in islice(root.items(), MAX_MEMBERS_READ)
        if (match := _TEMPERATURE.fullmatch(name))
    ]
    if len(found) == 1:
        return [("air.temperature", found[0][1])]
    return [(f"air.temperature.{channel}", value) for channel, value in found]


def _vertical_accuracy_m(root: Mapping[str, Any]) -> float | None:
    """Return the vertical accuracy; early versions of the app call it `vacc`."""
    found = lenient_number(root.get("vac", root.get("vacc")))
    return found if found is not None and found > 0 else None
