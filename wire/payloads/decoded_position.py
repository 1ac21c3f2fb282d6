"""The position in a decoded LoRaWAN payload, under the many names that codecs use.

Only unambiguous names are understood; a speed without a unit or a bare pair of numbers
is left to readings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from core.observation import EARLIEST_PLAUSIBLE, Fix
from core.time_texts import instant_of_text
from wire.fixes import lenient_fix
from wire.instants import instant_by_magnitude
from wire.quantities import MPS_PER_KMH, MPS_PER_KNOT, lenient_number, mapping, number, truth

# One step of Cayenne's 0.0001 degrees.
CAYENNE_ACCURACY_M = 11.0

_CAYENNE = re.compile(r"gps_\d+", re.ASCII)
_PAIRS = (
    ("lat", "lon"), ("lat", "lng"), ("lat", "long"), ("latitude", "longitude"),
    ("latitudedeg", "longitudedeg"), ("gpslatitude", "gpslongitude"),
    ("gpslat", "gpslon"), ("gpslat", "gpslng"), ("gpslat", "gpslong"),
)  # fmt: skip
_NESTS = (
    "gnssfix",
    "gpsfix",
    "position",
    "gnss",
    "gps",
    "location",
    "coordinates",
    "coords",
    "fix",
    "gpslocation",
    "gpsposition",
    "geolocation",
)
_ALTITUDES = ("altitude", "alt", "height", "gpsalt", "gpsaltitude", "altitudem")
_ACCURACIES = (
    "accuracy", "acc", "hacc", "horizontalaccuracy", "gpsepe", "accuracym", "gpsaccuracy",
)  # fmt: skip
_COURSES = ("heading", "course", "cog", "bearing", "headingdeg", "coursedeg", "gpsheading")
_CENTIDEGREES = ("gpscourseoverground",)
_SPEEDS = {
    "speedkmph": MPS_PER_KMH, "speedkmh": MPS_PER_KMH, "speedkph": MPS_PER_KMH,
    "gpsspeedkmh": MPS_PER_KMH, "speedmps": 1.0, "speedknots": MPS_PER_KNOT,
    "speedcms": 0.01, "gpsspeedoverground": 0.01,
}  # fmt: skip
_HDOPS = ("hdop", "gpshdop")
_SATELLITES = ("sats", "satellites", "gpssats", "gpssatellites", "numsat", "numsats", "satcount")
_TIMES = (
    "time", "timestamp", "fixtime", "gpstime", "gnsstime", "datetime", "utctime", "measuredat",
)  # fmt: skip
# Moko's, without leading zeros but with its zone.
_UTC_TEXT = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2}) (\d{1,2}:\d{1,2}:\d{1,2})\s+Timezone:0", re.ASCII
)
_FAILURES = frozenset({"fixfailed", "gpsfixfailed", "nofix"})
_SUCCESSES = frozenset(
    {"valid", "gpsvalid", "fixvalid", "gpsfix", "hasfix", "fix", "positionvalid"}
)
_STATES = _SUCCESSES | {"gpsfixstatus", "fixstatus", "gpsstatus", "fixtype"}
_NO_FIX = ("nofix", "none", "invalid")
_POSITION_NAMES = frozenset(
    [name for pair in _PAIRS for name in pair]
    + [*_ALTITUDES, *_ACCURACIES, *_COURSES, *_CENTIDEGREES, *_SPEEDS, *_HDOPS, *_SATELLITES]
)
_MAX_AGE_S = 7 * 86_400


class DecodedPosition(Struct, frozen=True, kw_only=True):
    """The position and time in a decoded payload.

    `stale_fix` is a position that the payload itself declares invalid. `used_members` are the
    top-level members that were read here and are no readings; `parent` is the member with the
    object that held the position, where it was not the payload itself.
    """

    fix: Fix | None = None
    measured_at: datetime | None = None
    hdop: float | None = None
    satellites: float | None = None
    stale_fix: Fix | None = None
    used_members: frozenset[str] = frozenset()
    parent: str | None = None


def normal_name(name: str) -> str:
    """Return a member's name in lower case without separators: `Gps-Lat` is `gpslat`."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def decoded_position(payload: Mapping[str, Any], *, now: datetime) -> DecodedPosition:
    """Return the position in a decoded payload; a time of its own is checked against `now`."""
    for place in _position_objects(payload):
        fix, is_declared_invalid = _fix_at(place)
        if fix is None and not is_declared_invalid:
            continue
        is_good = not (is_declared_invalid or _is_declared_invalid(payload))
        measured_at = _time_in(place.members, now) or _time_in(payload, now)
        return DecodedPosition(
            fix=fix if is_good else None,
            stale_fix=None if is_good else fix,
            measured_at=measured_at,
            hdop=_first_number(place.members, _HDOPS),
            satellites=_first_number(place.members, _SATELLITES),
            used_members=_used_members(payload, place, with_time=measured_at is not None),
            parent=place.parent,
        )
    return _without_position(payload, now)


def is_position_member(name: str) -> bool:
    """Return True for names of members that are part of a position, in an object with one."""
    return normal_name(name) in _POSITION_NAMES


def _without_position(payload: Mapping[str, Any], now: datetime) -> DecodedPosition:
    measured_at = _time_in(payload, now)
    names = _HDOPS + _SATELLITES + (() if measured_at is None else _TIMES)
    return DecodedPosition(
        measured_at=measured_at,
        hdop=_first_number(payload, _HDOPS),
        satellites=_first_number(payload, _SATELLITES),
        stale_fix=_fix_at(_PositionObject(members=mapping(payload.get("cached"))))[0],
        used_members=_members_read(payload, names),
    )


class _PositionObject(Struct, frozen=True):
    """An object that may hold a position, and the top-level member that contains it."""

    members: Mapping[str, Any]
    parent: str | None = None
    is_cayenne: bool = False


def _position_objects(payload: Mapping[str, Any]) -> Iterator[_PositionObject]:
    for name, value in payload.items():
        if _CAYENNE.fullmatch(name) and isinstance(value, dict):
            yield _PositionObject(members=value, parent=name, is_cayenne=True)
    for value in mapping(payload.get("gpsLocation")).values():
        yield _PositionObject(members=mapping(value), parent="gpsLocation", is_cayenne=True)
    yield _PositionObject(members=payload)
    for name, value in payload.items():
        if normal_name(name) in _NESTS and isinstance(value, dict):
            yield from _nested(value, name, depth=2)


def _nested(members: Mapping[str, Any], parent: str, *, depth: int) -> Iterator[_PositionObject]:
    yield _PositionObject(members=members, parent=parent)
    if members.get("type") == "Point" and isinstance(members.get("coordinates"), list):
        yield _PositionObject(members=_members_of_geojson(members["coordinates"]), parent=parent)
    if depth:
        for name, value in members.items():
            if normal_name(name) in _NESTS and isinstance(value, dict):
                yield from _nested(value, parent, depth=depth - 1)


def _members_of_geojson(coordinates: list[Any]) -> dict[str, Any]:
    return dict(zip(("lon", "lat", "alt"), coordinates, strict=False))


def _fix_at(place: _PositionObject) -> tuple[Fix | None, bool]:
    """Return the fix of an object, and True where the object itself declares it invalid."""
    pair = _pair(place.members)
    if pair is None:
        return None, False
    accuracy_m = _first_number(place.members, _ACCURACIES)
    course_deg = _first_number(place.members, _COURSES)
    centidegrees = _first_number(place.members, _CENTIDEGREES)
    if centidegrees is not None:
        course_deg = centidegrees / 100
    fix = lenient_fix(
        *pair,
        altitude_m=_first_number(place.members, _ALTITUDES),
        accuracy_m=CAYENNE_ACCURACY_M if accuracy_m is None and place.is_cayenne else accuracy_m,
        speed_mps=_speed_mps(place.members),
        course_deg=course_deg,
    )
    return fix, _is_declared_invalid(place.members)


def _pair(members: Mapping[str, Any]) -> tuple[float, float] | None:
    coordinates = {normal_name(name): _coordinate(value) for name, value in members.items()}
    for lat_name, lon_name in _PAIRS:
        lat_deg, lon_deg = coordinates.get(lat_name), coordinates.get(lon_name)
        if lat_deg is not None and lon_deg is not None:
            return lat_deg, lon_deg
    return None


def _coordinate(value: Any) -> float | None:
    # A text without a decimal point may be hexadecimal (Netvox R720G).
    is_decimal = isinstance(value, str) and "." in value
    return lenient_number(value.rstrip("° ")) if is_decimal else number(value)


def _speed_mps(members: Mapping[str, Any]) -> float | None:
    for name, value in members.items():
        factor, found = _SPEEDS.get(normal_name(name)), number(value)
        if factor is not None and found is not None:
            return found * factor
    return None


def _first_number(members: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    found = {normal_name(name): lenient_number(value) for name, value in members.items()}
    return next((found[name] for name in names if found.get(name) is not None), None)


def _is_declared_invalid(members: Mapping[str, Any]) -> bool:
    for name, value in members.items():
        normal = normal_name(name)
        if normal in _FAILURES and truth(value) is True:
            return True
        if normal in _SUCCESSES and truth(value) is False:
            return True
        if normal in _STATES and isinstance(value, str) and normal_name(value) in _NO_FIX:
            return True
    return _first_number(members, _SATELLITES) == 0


def _time_in(members: Mapping[str, Any], now: datetime) -> datetime | None:
    named = {normal_name(name): value for name, value in members.items()}
    for name in _TIMES:
        found = _plausible_time(named.get(name), now)
        if found is not None:
            return found
    age_s = number(named.get("age"))
    is_age = age_s is not None and 0 <= age_s <= _MAX_AGE_S and now >= EARLIEST_PLAUSIBLE
    if "gpslatitude" in named and age_s is not None and is_age:
        return now - timedelta(seconds=age_s)
    return None


def _plausible_time(value: Any, now: datetime) -> datetime | None:
    """Return a time unless it is implausible: a receiver without a fix reports 1980."""
    try:
        count = number(value)
        if isinstance(value, str):
            found = instant_of_text(_iso_of_moko(value))
        elif count is not None:
            found = instant_by_magnitude(count)
        else:
            return None
    except ValueError:
        return None
    return found if is_plausible(found, now) else None


def is_plausible(at: datetime, now: datetime) -> bool:
    """Return True for a time from the first plausible one to a day ahead of `now`."""
    return at >= EARLIEST_PLAUSIBLE and at - now <= timedelta(days=1)


def _iso_of_moko(text: str) -> str:
    match = _UTC_TEXT.fullmatch(text.strip())
    if match is None:
        return text
    date = "-".join(part.zfill(2) for part in match.group(1, 2, 3))
    return f"{date}T{':'.join(part.zfill(2) for part in match[4].split(':'))}Z"


def _used_members(
    payload: Mapping[str, Any], place: _PositionObject, *, with_time: bool
) -> frozenset[str]:
    times = _TIMES if with_time else ()
    names = times if place.parent is not None else (*_POSITION_NAMES, *times)
    return _members_read(payload, names)


def _members_read(payload: Mapping[str, Any], names: tuple[str, ...]) -> frozenset[str]:
    """Return the members that were read; `LON: true` was not, and stays a reading."""
    return frozenset(
        name
        for name, value in payload.items()
        if (normal := normal_name(name)) in names
        and (
            normal in _TIMES or lenient_number(value) is not None or _coordinate(value) is not None
        )
    )
