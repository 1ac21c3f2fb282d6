"""The readings of one moment of a payload; each of its members ends as one, or as custom."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct

from core.observation import Value
from wire.payloads.member_names import words_of
from wire.payloads.members import Member, Scope
from wire.payloads.places import place_part
from wire.payloads.reading_rules import NameMeaning, ReadingRule, meaning_of
from wire.payloads.reading_values import (
    ValueFound,
    acceleration_unit,
    declared_value,
    value_of,
)
from wire.payloads.units import number_and_unit
from wire.payloads.vocabulary import LISTS_OF_SENSORS
from wire.quantities import number
from wire.reading_names import storable_value
from wire.strict_json import MAX_ATTRIBUTES, MAX_NAME_CHARS

_AXES = "xyz"
_SOS_WORDS = frozenset({"sos", "panic", "emergency"})
_STATUS_NAMES = frozenset({"event", "events", "alarm", "alarms", "alert", "status", "reason",
                           "trigger", "type"})  # fmt: skip
_ELECTRICITY = frozenset({"current", "power", "energy", "frequency", "pf"})
# Enough to see what a device measures; a hostile object has a thousand.
_NEIGHBOURS = 64
_AIR = frozenset({"air.temperature", "air.humidity", "air.co2"})
_NO_MEANING = NameMeaning()


class _ReadingCandidate(Struct, frozen=True):
    """A member with the reading that it may become."""

    member: Member
    found: ValueFound
    meaning: NameMeaning
    value: Value

    @property
    def has_unit(self) -> bool:
        return bool(self.member.unit or self.meaning.unit) or isinstance(self.member.value, str)


def readings_of(
    scopes: Sequence[Scope],
    *,
    numbered: Container[str] = (),
    is_settings: bool = False,
    room: int = MAX_ATTRIBUTES,
) -> dict[str, Value]:
    """Return the readings of a moment, canonical ones first, at most `room`; settles its members.

    Those in `numbered` keep their channel even if alone. Of a message of settings all members stay
    custom.
    """
    readings: dict[str, Value] = {}
    left: list[Member] = []
    candidates: dict[str, list[_ReadingCandidate]] = {}
    for member, scope in _unsettled(scopes):
        found = list(_candidates(member, scope, is_settings=is_settings))
        for one in found:
            candidates.setdefault(str(one.found.reading), []).append(one)
        if not found:
            left.append(member)
    _guess_accelerations(left, candidates)
    left += _doubtful_pressures(candidates)
    for reading, several in candidates.items():
        is_only = len(several) == 1 and reading not in numbered
        left += _take(several, readings, room, is_only=is_only)
    _keep_custom(left, readings, room)
    return readings


def _unsettled(scopes: Iterable[Scope]) -> Iterator[tuple[Member, Scope]]:
    """Yield the members that are still to be read; those without a value are settled."""
    for scope in scopes:
        for member in scope.members:
            if member.value is None or member.value in ("", []):
                member.settle("empty")
            elif not member.fate:
                yield member, scope


def _doubtful_pressures(candidates: dict[str, list[_ReadingCandidate]]) -> list[Member]:
    """Take away a pressure of no stated unit or matter, where nothing else tells of the air."""
    if _AIR.isdisjoint(candidates):
        doubtful = [
            one
            for one in candidates.get("air.pressure", [])
            if not (one.meaning.names_air or one.has_unit)
        ]
        for one in doubtful:
            candidates["air.pressure"].remove(one)
            one.member.reason = "a pressure without a unit: not said of what"
        return [one.member for one in doubtful]
    return []


def _candidates(member: Member, scope: Scope, *, is_settings: bool) -> Iterator[_ReadingCandidate]:
    """Yield the readings of a member: none, one, or three of a vector."""
    quality = place_part(member.names[-1])
    if member.reading:
        yield from _of_field_rule(member)
    elif is_settings:
        member.reason = "the message tells of settings"
    elif quality is not None and quality.part in ("hdop", "satellites"):
        found = number_and_unit(member.value)[0]
        if found is not None:
            yield _ReadingCandidate(member, ValueFound(quality.part, found), _NO_MEANING, found)
    else:
        yield from _of_words(member, scope)


def _of_words(member: Member, scope: Scope) -> Iterator[_ReadingCandidate]:
    meaning = meaning_of(member.names)
    rule = meaning.rule
    if rule is None:
        yield from _sos_of_text(member, meaning)
    elif isinstance(member.value, list):
        yield from _of_vector(member, rule, meaning)
    elif rule.kind == "voltage" and _is_beside_electricity(member, scope):
        member.reason = "beside a current or a power: not the battery's"
    else:
        found = value_of(meaning, rule, member.value, member.unit)
        member.reason = found.reason
        if found.value is not None:
            yield _ReadingCandidate(member, found, meaning, found.value)


def _of_field_rule(member: Member) -> Iterator[_ReadingCandidate]:
    """Read a member of which a rule says the reading: by its kind, or as sent."""
    reading = str(member.reading)
    meaning = meaning_of(tuple(reading.split(".")))
    if reading.startswith("custom.") or meaning.rule is None:
        found = ValueFound(reading, _custom_value(member), reason="its value is too long")
    else:
        rule = ReadingRule(reading, meaning.rule.kind)
        found = declared_value(rule, member.value, member.unit)
    member.reason = found.reason
    if (value := found.value) is not None:
        found = msgspec.structs.replace(found, reading=reading)
        yield _ReadingCandidate(member, found, _NO_MEANING, value)


def _sos_of_text(member: Member, meaning: NameMeaning) -> Iterator[_ReadingCandidate]:
    """Find an emergency that is told as the text of an event: `SOS event.`."""
    member.reason = meaning.reason
    if not isinstance(member.value, str) or len(member.value) > 64:
        return
    words = frozenset(words_of(member.value))
    names = frozenset(words_of(member.names[-1]))
    if words & _SOS_WORDS and names & _STATUS_NAMES and not words & {"no", "not", "off"}:
        yield _ReadingCandidate(member, ValueFound("sos", True), _NO_MEANING, True)


def _of_vector(
    member: Member, rule: ReadingRule, meaning: NameMeaning
) -> Iterator[_ReadingCandidate]:
    axes = [number(value) for value in member.value]
    if rule.reading != "acceleration" or len(axes) != len(_AXES):
        member.reason = "a list"
        return
    x, y, z = axes
    if x is None or y is None or z is None:
        member.reason = "a list"
        return
    unit, guess = member.unit, ""
    if unit is None and meaning.unit is None:
        guessed = acceleration_unit((x, y, z))
        unit = guessed.name if guessed else None
        guess = f"no unit: {unit}, since at rest"
    member.reason = "no unit"
    for axis, value in zip(_AXES, (x, y, z), strict=True):
        of_axis = ReadingRule(f"acceleration.{axis}", rule.kind)
        found = value_of(meaning, of_axis, value, unit)
        if (acceleration := found.value) is not None:
            found = msgspec.structs.replace(found, guess=guess)
            yield _ReadingCandidate(member, found, meaning, acceleration)


def _guess_accelerations(
    left: list[Member], candidates: dict[str, list[_ReadingCandidate]]
) -> None:
    """Read three axes of no stated unit, if together they have about the length of gravity."""
    groups: dict[tuple[object, ...], dict[str, Member]] = {}
    for member in left:
        rule = None if member.reading else meaning_of(member.names).rule
        axis = rule.reading[-1] if rule and rule.kind == "acceleration" else ""
        if axis in _AXES and axis and number(member.value) is not None:
            groups.setdefault(member.path[:-1], {}).setdefault(axis, member)
    for axes in groups.values():
        if len(axes) != len(_AXES):
            continue
        unit = acceleration_unit((axes["x"].value, axes["y"].value, axes["z"].value))
        if unit is None:
            continue
        for axis, member in axes.items():
            left.remove(member)
            value = unit.canonical(member.value)
            guess = f"no unit: {unit.name}, since at rest"
            found = ValueFound(f"acceleration.{axis}", value, guess)
            candidates.setdefault(f"acceleration.{axis}", []).append(
                _ReadingCandidate(member, found, meaning_of(member.names), value)
            )


def _is_beside_electricity(member: Member, scope: Scope) -> bool:
    return any(
        frozenset(words_of(other.names[-1])) & _ELECTRICITY
        for other in scope.members[:_NEIGHBOURS]
        if other is not member
    )


def numbered_readings(members: Iterable[Member]) -> frozenset[str]:
    """Return the readings of which a payload names several channels, in all its moments."""
    channels: dict[str, set[str]] = {}
    for member in members:
        meaning = meaning_of(member.names)
        if meaning.rule is not None and meaning.channel:
            channels.setdefault(meaning.rule.reading, set()).add(meaning.channel)
    return frozenset(reading for reading, several in channels.items() if len(several) > 1)


def _take(
    several: list[_ReadingCandidate], readings: dict[str, Value], room: int, *, is_only: bool
) -> Iterator[Member]:
    """Take the candidates of a reading, each under a channel of its own; yield those left over."""
    several.sort(key=lambda one: (one.meaning.is_second, bool(one.meaning.doubt)))
    for one in several:
        name = _name(one, readings, is_only=is_only)
        if name not in readings and len(readings) >= room:
            one.member.settle("dropped", name, "more readings than are kept")
        elif readings.setdefault(name, one.value) == one.value:
            _settle(one, name)
        else:
            one.member.reason = f"{name} is there already"
            yield one.member


def _name(one: _ReadingCandidate, readings: dict[str, Value], *, is_only: bool) -> str:
    """Return the name of a reading, with a channel if it has one or is of a second probe."""
    reading = str(one.found.reading)
    own = one.member.channel or (one.meaning.channel if one.meaning.has_own_channel else "")
    channel = own or ("" if is_only else one.meaning.channel or _place_in_list(one.member))
    if channel:
        return f"{reading}.{channel}"
    if reading in readings and one.meaning.is_probe:
        free = (f"{reading}.{place}" for place in range(2, MAX_ATTRIBUTES + 3))
        return next(name for name in free if name not in readings)
    return reading


def _place_in_list(member: Member) -> str:
    """Return the place in a list of sensors; in one of records a place is no channel."""
    for at in range(len(member.path) - 1, 0, -1):
        step, list_name = member.path[at], member.path[at - 1]
        if isinstance(step, int) and isinstance(list_name, str):
            return str(step + 1) if frozenset(words_of(list_name)) & LISTS_OF_SENSORS else ""
    return ""


def _settle(one: _ReadingCandidate, name: str) -> None:
    guess = one.found.guess
    if one.meaning.doubt:
        guess = guess or f"{one.meaning.doubt!r} in its name is not understood"
    is_custom = name.startswith("custom.")
    one.member.settle("custom" if is_custom else "guessed" if guess else "canonical", name, guess)
    if one.member.unit_member is not None:
        one.member.unit_member.settle("unit", reason=one.member.path_text)


def _keep_custom(left: Iterable[Member], readings: dict[str, Value], room: int) -> None:
    for member in sorted(left, key=lambda one: len(one.path)):
        if member.fate:
            continue
        name, value = _custom_name(member, readings), _custom_value(member)
        if not name or value is None:
            member.settle("dropped", name or None, "its name or value is too long")
        elif len(readings) >= room:
            member.settle("dropped", name, "more readings than are kept")
        else:
            readings[name] = value
            member.settle("custom", name, member.reason)


def _custom_name(member: Member, readings: dict[str, Value]) -> str:
    """Return a free name: the path, without its first steps if it is too long; empty if none is."""
    own = member.names[-1]
    if own != member.path[-1] and isinstance(member.path[-1], str):
        # A measurement of a list has a name of its own.
        name = f"custom.{own}.{member.channel}" if member.channel else f"custom.{own}"
        if len(name) <= MAX_NAME_CHARS and name not in readings:
            return name
    steps = [str(step) for step in member.path]
    while steps:
        name = f"custom.{'.'.join(steps)}"
        if len(name) <= MAX_NAME_CHARS and name not in readings:
            return name
        steps = steps[1:]
    return ""


def _custom_value(member: Member) -> Value | None:
    value = member.value
    if isinstance(value, list | dict):
        value = msgspec.json.encode(value).decode()
    return storable_value(value)
