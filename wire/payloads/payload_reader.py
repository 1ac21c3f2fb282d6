"""A decoded payload into moments: the place, the time and the readings of each.

Each member of the payload is settled: used, kept as custom, or dropped with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from core.observation import EARLIEST_PLAUSIBLE, Fix, Scans, Value
from wire.device_model import FieldRule
from wire.payloads.field_rules import ModelRules, apply_rule, recognised_rules
from wire.payloads.member_names import words_of
from wire.payloads.members import Member, Scope, all_members, scope_of
from wire.payloads.moment_readings import numbered_readings, readings_of
from wire.payloads.moment_times import TimeFound, age_s, rounds_behind, time_of, used_time
from wire.payloads.payload_scans import scans_in
from wire.payloads.places import PlaceFound, place_of
from wire.payloads.vocabulary import STALE_WORDS, word_set
from wire.quantities import mapping
from wire.strict_json import MAX_ATTRIBUTES

_MESSAGE_KINDS = frozenset({"message", "type", "msg", "typeofmessage", "kind"})
_SETTINGS = word_set("config configuration settings setting setup parameters downlink")
# Objects with such words tell of other times than that of the message.
_OTHER_TIMES = STALE_WORDS | _SETTINGS | {"firmware", "build", "command", "cmd"}


class ReadMoment(Struct, frozen=True, kw_only=True):
    """The fix and readings of a moment; without `at` it is that of the message."""

    at: datetime | None = None
    fix: Fix | None = None
    readings: Mapping[str, Value] = {}


class PayloadReading(Struct, frozen=True, kw_only=True):
    """The content of a decoded payload, and what became of its members.

    `time_member` said the time of the main moment. `clock_doubt` is the reason for which a time
    was not used.
    """

    main: ReadMoment = ReadMoment()
    others: tuple[ReadMoment, ...] = ()
    time_member: str | None = None
    stale_fix: Fix | None = None
    stale_reason: str = ""
    clock_doubt: str = ""
    scans: Scans | None = None
    members: tuple[Member, ...] = ()


class _Moment(Struct):
    """Scopes of one moment, nearest to the root first."""

    scopes: list[Scope]
    place: PlaceFound = PlaceFound()
    readings: dict[str, Value] = {}

    @property
    def says_nothing(self) -> bool:
        return self.place.fix is None and all(name.startswith("custom.") for name in self.readings)


def read_payload(
    payload: Any, models: Sequence[ModelRules] = (), *, now: datetime, room: int = MAX_ATTRIBUTES
) -> PayloadReading:
    """Return the content of a decoded payload; its times are checked against `now`.

    `models` are the rules of its device, the first of which have precedence; at most `room`
    readings are kept of a moment.
    """
    members = mapping(payload)
    root = scope_of(members)
    models = (*models, *recognised_rules(members))
    rounds = max((rules.week_rounds for rules in models), default=0)
    _apply_rules(root, [rule for rules in models for rule in rules.fields])
    scans = scans_in(root)
    main, dated = _split(root, now, rounds)
    joined_at = _join_measurements(main, dated)
    main.place = place_of(main.scopes)
    time, doubt = _time_of_main(main, now, rounds)
    at = used_time(time) if time else joined_at
    numbered = numbered_readings(all_members(root)) if dated else frozenset()
    is_settings = _is_of_settings(root)
    main.readings = readings_of(main.scopes, numbered=numbered, is_settings=is_settings, room=room)
    for moment in dated.values():
        moment.place = place_of(moment.scopes)
        moment.readings = readings_of(moment.scopes, numbered=numbered, room=room)
    if at is None and main.says_nothing and dated:
        at = max(dated)
        main = _joined(dated.pop(at), main, room)
    return PayloadReading(
        main=ReadMoment(at=at, fix=main.place.fix, readings=main.readings),
        others=tuple(
            ReadMoment(at=at, fix=one.place.fix, readings=one.readings) for at, one in dated.items()
        ),
        time_member=time.members[0].path_text if time else None,
        stale_fix=main.place.stale_fix,
        stale_reason=main.place.reason,
        clock_doubt=doubt,
        scans=scans,
        members=tuple(all_members(root)),
    )


def _apply_rules(root: Scope, rules: Iterable[FieldRule]) -> None:
    by_member: dict[str, FieldRule] = {}
    for rule in rules:
        by_member.setdefault(rule.member, rule)
    if by_member:
        for member in all_members(root):
            found = by_member.get(member.path_text) or by_member.get(str(member.path[-1]))
            if found is not None:
                apply_rule(found, member)


def _split(root: Scope, now: datetime, rounds: int) -> tuple[_Moment, dict[datetime, _Moment]]:
    """Return the scopes of the message, and those of list entries with a time of their own."""
    main = _Moment([])
    dated: dict[datetime, _Moment] = {}
    todo = [(root, main)]
    while todo:
        below: list[tuple[Scope, _Moment]] = []
        for scope, around in todo:
            found = time_of(scope, now, rounds) if scope.is_entry else None
            if found is not None and not rounds_behind(found.at, now):
                moment = dated.setdefault(used_time(found), _Moment([]))
            else:
                moment = around
            moment.scopes.append(scope)
            below += [(inner, moment) for inner in scope.inner]
        todo = below
    return main, dated


def _join_measurements(main: _Moment, dated: dict[datetime, _Moment]) -> datetime | None:
    """Make measurements that all have the same time part of the message; return that time."""
    if len(dated) != 1:
        return None
    at, moment = next(iter(dated.items()))
    if not all(scope.is_measurement for scope in moment.scopes if scope.is_entry):
        return None
    main.scopes += moment.scopes
    del dated[at]
    return at


def _joined(newest: _Moment, main: _Moment, room: int) -> _Moment:
    """Return the newest moment with the members of a message that itself says nothing of one."""
    readings = dict(newest.readings)
    for member in (member for scope in main.scopes for member in scope.members):
        name = member.reading
        if member.fate != "custom" or name is None:
            continue
        if len(readings) < room:
            readings.setdefault(name, main.readings[name])
        else:
            member.settle("dropped", name, "more readings than are kept")
    return _Moment([*newest.scopes, *main.scopes], newest.place, readings)


def _is_of_settings(root: Scope) -> bool:
    """Return whether the message says of itself that it tells of settings."""
    for member in root.members:
        is_kind = frozenset(words_of(member.names[-1])) & _MESSAGE_KINDS
        value = member.value if is_kind and isinstance(member.value, str) else ""
        if frozenset(words_of(value)) & _SETTINGS:
            return True
    return False


def _time_of_main(main: _Moment, now: datetime, rounds: int) -> tuple[TimeFound | None, str]:
    """Return the time of the message by its own words, or the reason to doubt it."""
    for scope in _scopes_of_time(main):
        found = time_of(scope, now, rounds)
        if found is not None:
            behind = rounds_behind(found.at, now)
            doubt = f"{behind * 1024:,} weeks behind: GPS week rollover" if behind else ""
            return (None if behind else found), doubt
    return _time_by_age(main, now), ""


def _scopes_of_time(main: _Moment) -> Iterator[Scope]:
    """Yield the object of the place first, then all, nearest to the root first."""
    of_place = _path_of_place(main)
    yield from (scope for scope in main.scopes if scope.path == of_place)
    for scope in main.scopes:
        words = {word for name in scope.names for word in words_of(name)}
        if not words & _OTHER_TIMES:
            yield scope


def _time_by_age(main: _Moment, now: datetime) -> TimeFound | None:
    of_place = _path_of_place(main)
    for scope in main.scopes:
        for member in scope.members if scope.path == of_place and main.place.fix else ():
            age = age_s(member)
            if age is not None and now >= EARLIEST_PLAUSIBLE:
                return TimeFound(now - timedelta(seconds=age), (member,))
    return None


def _path_of_place(main: _Moment) -> tuple[str | int, ...] | None:
    return main.place.members[0].path[:-1] if main.place.members else None
