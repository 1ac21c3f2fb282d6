"""The place in a decoded payload at any depth, and whether its receiver vouches for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct

from core.observation import Fix
from wire.fixes import lenient_fix
from wire.payloads.member_names import words_of
from wire.payloads.members import Member, Scope
from wire.payloads.status_words import said_truth
from wire.payloads.units import UNITS_IN_NAMES, Unit, number_and_unit, unit_called
from wire.payloads.vocabulary import (
    PLACE_FILLERS,
    PLACE_WORDS,
    RECEIVER_WORDS,
    STALE_WORDS,
    word_set,
)
from wire.quantities import lenient_number, number

# One step of Cayenne's 0.0001 degrees.
CAYENNE_ACCURACY_M = 11.0
# About 10 metres: decoders turn a missing place, all ones or zero, into the last digit of 0, 0.
_NULL_ISLAND_DEG = 9e-5
_CAYENNE = re.compile(r"gps_\d+|gpsLocation", re.ASCII)
_PAIR_TEXT = re.compile(
    r"\s*([+-]?\d{1,3}\.\d{1,12})\s*[,; ]\s*([+-]?\d{1,3}\.\d{1,12})\s*", re.ASCII
)
_NO_FIX_WORDS = word_set(
    "no none invalid not unfixed nofix lost searching failed fail failure timeout void "
    "unlocked error acquiring unavailable false"
)
_FAILURES = word_set("failed fail failure error err invalid lost timeout unavailable")
_SUCCESSES = word_set("valid fix lock locked fixed has ok")
_STATES = word_set("status state type quality mode validity flag")


class PlaceFound(Struct, frozen=True, kw_only=True):
    """A place of a payload. `stale_fix` is one that the payload itself disowns, `reason` why.

    `members` are those that it was read from.
    """

    fix: Fix | None = None
    stale_fix: Fix | None = None
    reason: str = ""
    members: tuple[Member, ...] = ()


class _Pair(Struct, frozen=True):
    lat_deg: float
    lon_deg: float
    altitude_m: float | None
    members: tuple[Member, ...]


def place_of(scopes: Sequence[Scope]) -> PlaceFound:
    """Return the place of a moment, the nearest to the root that is one; its members are settled.

    All its scopes are searched for flags by which the receiver disowns it.
    """
    disowned: PlaceFound | None = None
    doubt: str | None = None
    for scope in (*scopes, *_measured_together(scopes)):
        pair = _pair(scope)
        if pair is None:
            continue
        doubt = _receivers_doubt(scopes) if doubt is None else doubt
        found = _place(pair, scope, scopes, doubt)
        if found.fix is not None:
            return found
        disowned = disowned or found
    return disowned or PlaceFound()


def _measured_together(scopes: Sequence[Scope]) -> list[Scope]:
    """Return the measurements of a list as one object: latitude and longitude are two of them."""
    measurements = [scope for scope in scopes if scope.is_measurement]
    if not measurements:
        return []
    members = [member for scope in measurements for member in scope.members]
    return [Scope(measurements[0].path, measurements[0].names, members=members)]


def _place(pair: _Pair, scope: Scope, scopes: Sequence[Scope], doubt: str) -> PlaceFound:
    reason = _is_stale(scope) or doubt or _sentinel(pair.lat_deg, pair.lon_deg)
    near = [scope, *(one for one in scopes if one.path == scope.path[: len(one.path)])]
    parts = {part: _first(near, part) for part in _PARTS}
    accuracy_m = parts["accuracy"][0]
    is_cayenne = any(_CAYENNE.fullmatch(name) for name in scope.names)
    fix = lenient_fix(
        pair.lat_deg,
        pair.lon_deg,
        altitude_m=pair.altitude_m if pair.altitude_m is not None else parts["altitude"][0],
        accuracy_m=CAYENNE_ACCURACY_M if accuracy_m is None and is_cayenne else accuracy_m,
        speed_mps=parts["speed"][0],
        course_deg=parts["course"][0],
    )
    used = [*pair.members, *(member for _, member in parts.values() if member is not None)]
    if fix is not None or reason:
        for member in used:
            member.settle("stale place" if reason else "place", reason=reason)
    return PlaceFound(
        fix=None if reason else fix,
        stale_fix=fix if reason else None,
        reason=reason,
        members=tuple(used),
    )


_PARTS = ("altitude", "accuracy", "speed", "course")


class _PlaceName(Struct, frozen=True):
    part: str
    unit: Unit | None


@lru_cache(maxsize=4_096)
def place_part(name: str) -> _PlaceName | None:
    """Return the part of a place that a member of this name is, or None."""
    words = words_of(name)
    parts = {PLACE_WORDS[word] for word in words if word in PLACE_WORDS}
    unit = UNITS_IN_NAMES.get(words[-1]) if len(words) > 1 else None
    others = words[:-1] if unit else words
    if len(parts) != 1 or not all(word in PLACE_WORDS or word in PLACE_FILLERS for word in others):
        return None
    return _PlaceName(parts.pop(), unit)


def _first(scopes: Iterable[Scope], part: str) -> tuple[float | None, Member | None]:
    """Return the first value of a part in canonical units, and its member."""
    for scope in scopes:
        for member in scope.members:
            said = None if member.fate else place_part(member.names[-1])
            if said is not None and said.part == part:
                found = _canonical(said, member)
                if found is not None:
                    return found, member
    return None, None


def _canonical(said: _PlaceName, member: Member) -> float | None:
    found, unit_of_text = number_and_unit(member.value)
    unit = (member.unit and unit_called(member.unit)) or unit_of_text or said.unit
    if found is None:
        return None
    wanted = {"altitude": "length", "accuracy": "length", "speed": "speed", "course": "angle"}
    dimension = wanted.get(said.part)
    if unit is None:
        # A speed may be in five units; the others have a customary one.
        return None if said.part == "speed" else found
    return unit.canonical(found) if unit.dimension == dimension else None


def _pair(scope: Scope) -> _Pair | None:
    found: dict[str, tuple[float, Member]] = {}
    for member in scope.members:
        said = None if member.fate else place_part(member.names[-1])
        if said is not None and said.part in ("lat", "lon"):
            degrees = _coordinate(member.value)
            if degrees is not None:
                found.setdefault(said.part, (degrees, member))
    if len(found) == 2:
        (lat_deg, lat), (lon_deg, lon) = found["lat"], found["lon"]
        return _Pair(lat_deg, lon_deg, None, (lat, lon))
    return _pair_in_one_member(scope)


def _pair_in_one_member(scope: Scope) -> _Pair | None:
    """Read a GeoJSON point, or a text of latitude and longitude under a name of places."""
    values = {str(member.path[-1]): member for member in scope.members}
    if "coordinates" in values and "type" in values and values["type"].value == "Point":
        point = values["coordinates"]
        lonlat = point.value if isinstance(point.value, list) else []
        numbers = [number(one) for one in lonlat[:3]]
        if len(numbers) >= 2 and numbers[0] is not None and numbers[1] is not None:
            altitude_m = numbers[2] if len(numbers) > 2 else None
            return _Pair(numbers[1], numbers[0], altitude_m, (point, values["type"]))
    for member in scope.members:
        if isinstance(member.value, str) and not member.fate:
            match = _PAIR_TEXT.fullmatch(member.value[:64])
            if match and frozenset(words_of(member.names[-1])) & _PAIR_WORDS:
                return _Pair(float(match[1]), float(match[2]), None, (member,))
    return None


_PAIR_WORDS = RECEIVER_WORDS | {"latlon", "latlng", "lat"}


def _coordinate(value: Any) -> float | None:
    # A text without a decimal point may be hexadecimal (Netvox R720G).
    is_decimal = isinstance(value, str) and "." in value
    return lenient_number(value.rstrip("° ")) if is_decimal else number(value)


def _sentinel(lat_deg: float, lon_deg: float) -> str:
    """Return why two numbers are the sign of a missing place; empty if they are a place."""
    if abs(lat_deg) <= _NULL_ISLAND_DEG and abs(lon_deg) <= _NULL_ISLAND_DEG:
        return "within 10 m of 0, 0"
    if lat_deg == int(lat_deg) and lon_deg == int(lon_deg):
        return "whole degrees in both"
    if lat_deg == lon_deg and any(_is_all_ones(lat_deg, digits) for digits in range(4, 9)):
        return "all bits of both are ones"
    return ""


def _is_all_ones(degrees: float, digits: int) -> bool:
    raw = round(abs(degrees) * 10**digits)
    is_exact = abs(abs(degrees) * 10**digits - raw) < 1e-3
    return is_exact and raw + 1 in (1 << 15, 1 << 16, 1 << 23, 1 << 24, 1 << 31, 1 << 32)


def _is_stale(scope: Scope) -> str:
    words = {word for name in scope.names for word in words_of(name)}
    found = words & STALE_WORDS
    return f"{min(found)!r} place" if found else ""


def _receivers_doubt(scopes: Iterable[Scope]) -> str:
    """Return the member by which a receiver says that it has no fix; empty if none does."""
    for scope in scopes:
        around = frozenset(scope.names[-1:])
        is_of_receiver = any(frozenset(words_of(name)) & RECEIVER_WORDS for name in around)
        for member in scope.members:
            if not isinstance(member.value, list) and _disowns(
                fix_flag(member.names[-1], is_of_receiver), member.value
            ):
                return f"{member.path_text} is {str(member.value)[:32]}"
    return ""


@lru_cache(maxsize=4_096)
def fix_flag(name: str, is_of_receiver: bool) -> str:
    """Return whether a member says `success`, `failure`, `state` or `satellites` of a fix."""
    words = frozenset(words_of(name))
    said = place_part(name)
    if said is not None and said.part == "satellites":
        return "satellites"
    receiver = words & RECEIVER_WORDS
    if {"no", "fix"} <= words or "nofix" in words:
        return "failure"
    if words & STALE_WORDS and (receiver or words & {"known"}):
        return "failure"
    if (receiver or is_of_receiver) and words & _FAILURES:
        return "failure"
    return _success_flag(words, receiver, is_of_receiver=is_of_receiver)


def _success_flag(words: frozenset[str], receiver: frozenset[str], *, is_of_receiver: bool) -> str:
    rest = words - RECEIVER_WORDS - _SUCCESSES - _STATES - {"is", "device"}
    if rest:
        return ""
    if words & {"valid", "fix"} or (receiver and words & _SUCCESSES):
        return "success"
    return "state" if words & _STATES and (receiver or is_of_receiver) else ""


def _disowns(flag: str, value: Any) -> bool:
    if not flag or value is None:
        return False
    if flag == "satellites":
        return lenient_number(value) == 0
    said = said_truth(value)
    if flag == "failure":
        return said is True
    if isinstance(value, str) and frozenset(words_of(value)) & _NO_FIX_WORDS:
        return True
    return said is False and (flag == "success" or isinstance(value, bool))
