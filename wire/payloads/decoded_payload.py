"""A decoded LoRaWAN payload unwrapped, before position and readings are searched in it.

Some codecs wrap each value with its unit, or write a list of measurements. A wrapped
value becomes a member like any other; scans of radio beacons, which are no readings,
are removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from core.errors import UnreadableUplink
from core.observation import Beacon, Scans
from wire.payloads.decoded_position import normal_name
from wire.payloads.decoded_readings import WITH_UNIT
from wire.quantities import entries, mapping, number
from wire.scans import beacon, scans_of

# A LoRaWAN payload has at most 242 bytes; no codec makes a thousand members of it.
MAX_MEMBERS = 1_000
_WRAPPING = frozenset({"value", "unit", "displayName"})
# The members of the object that a codec function of The Things Stack returns.
_CODEC_RESULT = frozenset({"data", "warnings", "errors"})
_VALUES = ("measurementValue", "value")
# SenseCAP numbers its measurements; later decoders write no names any more.
_MEASUREMENT_NAMES = {
    "3000": "battery_level", "4097": "air_temperature", "4098": "air_humidity",
    "4197": "longitude", "4198": "latitude", "5001": "wifi", "5002": "bluetooth",
}  # fmt: skip
_WIFI = ("accesspoints", "wifi", "wifiscan", "wifiscans")
_BLUETOOTH = ("bluetooth", "bluetoothscan", "ble", "blescan", "blescans", "beacons", "blebeacons")
_ADDRESSES = ("mac", "bssid")


def refuse_too_many_members(payload: Any) -> None:
    """Raise UnreadableUplink for a larger object than a codec makes, before reading it."""
    if _count(payload, MAX_MEMBERS) > MAX_MEMBERS:
        raise UnreadableUplink(
            f"the decoded payload has more than {MAX_MEMBERS} members.", code="decode-failed"
        )


def _count(value: Any, limit: int) -> int:
    """Return the number of values in `value`, or some number beyond `limit`."""
    if not isinstance(value, dict | list):
        return 1
    total = len(value)
    for inner in value.values() if isinstance(value, dict) else value:
        if total > limit:
            break
        if isinstance(inner, dict | list):
            total += _count(inner, limit - total)
    return total


def unwrapped_payload(payload: Any) -> Mapping[str, Any]:
    """Return the members of a payload, wrapped values unwrapped, without scans."""
    return {name: value for name, value in _members(payload).items() if not _beacons(name, value)}


def scans_in(payload: Any) -> Scans | None:
    """Return the access points and beacons that a payload lists."""
    scans = [(_scan_kind(name), _beacons(name, value)) for name, value in _members(payload).items()]
    return scans_of(
        wifi=(one for kind, found in scans if kind == "wifi" for one in found),
        bluetooth=(one for kind, found in scans if kind == "bluetooth" for one in found),
    )


def _members(payload: Any) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in _codec_data(mapping(payload)).items():
        measured = _measurements_by_name(value) if isinstance(value, list) else {}
        if measured:
            members |= measured
        else:
            members[name] = _unwrapped(value)
    return members


def _codec_data(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the data of a codec that was called by another, which passed on its whole result."""
    data = payload.get("data")
    return data if isinstance(data, dict) and payload.keys() <= _CODEC_RESULT else payload


def _unwrapped(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = value.get("value")
    if not (value.keys() <= _WRAPPING and isinstance(inner, bool | int | float | str)):
        return {name: _unwrapped(member) for name, member in value.items()}
    with_unit = f"{inner} {value.get('unit')}"
    return with_unit if WITH_UNIT.fullmatch(with_unit) else inner


def _measurements_by_name(values: list[Any]) -> dict[str, Any]:
    """Return the measurements of a list by name, with their time where all have the same."""
    measurements = list(_measurements(values))
    times = {at for one in measurements if (at := number(one.get("timestamp"))) is not None}
    named: dict[str, Any] = {}
    for one in measurements:
        name, value = (
            _measurement_name(one),
            next((one[key] for key in _VALUES if key in one), None),
        )
        if name is not None and value is not None:
            named.setdefault(name, value)
    return named | ({"timestamp": times.pop()} if named and len(times) == 1 else {})


def _measurements(values: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for value in values:
        if isinstance(value, list):
            yield from _measurements(value)
        elif isinstance(value, dict) and "measurementId" in value:
            yield value


def _measurement_name(measurement: Mapping[str, Any]) -> str | None:
    known = _MEASUREMENT_NAMES.get(str(measurement.get("measurementId")))
    name = measurement.get("type")
    return known or (name if isinstance(name, str) and name else None)


def _scan_kind(name: str) -> str | None:
    """Return the kind of scan in a member by its name; None for any other member."""
    normal = normal_name(name)
    return "wifi" if normal in _WIFI else "bluetooth" if normal in _BLUETOOTH else None


def _beacons(name: str, value: Any) -> list[Beacon]:
    if _scan_kind(name) is None:
        return []
    if isinstance(value, dict):
        found = [beacon(mac, mapping(one).get("rssi")) for mac, one in value.items()]
    else:
        listed = entries(value) if isinstance(value, list) else []
        found = [
            beacon(one[key], one.get("rssi")) for one in listed for key in _ADDRESSES if key in one
        ]
    return [one for one in found if one is not None]
