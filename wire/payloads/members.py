"""The members of a decoded payload, found in every object and list, each with its fate.

The walk makes a tree of scopes: an object with its plain members, and the objects inside it. A
value wrapped with its unit is a plain member; an entry of a list of measurements is a scope with
one member under the measurement's own name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct

from core.errors import UnreadableUplink
from wire.payloads.member_names import normal_name

# A LoRaWAN payload has at most 242 bytes; no codec makes a thousand members of it.
MAX_MEMBERS = 1_000

Fate = Literal[
    "", "canonical", "guessed", "custom", "place", "stale place", "time", "unit", "name", "scan",
    "empty", "dropped",
]  # fmt: skip


class Member(Struct):
    """A plain value of a payload, and what became of it.

    `path` leads to it from the root, places in lists as numbers. `names` are the names that say its
    meaning. `unit` is the text of a unit stated beside it, in `unit_member` if that is a member.
    """

    path: tuple[str | int, ...]
    names: tuple[str, ...]
    value: Any
    unit: str | None = None
    unit_member: Member | None = None
    channel: str = ""
    fate: Fate = ""
    reading: str | None = None
    reason: str = ""

    def settle(self, fate: Fate, reading: str | None = None, reason: str = "") -> None:
        self.fate, self.reading, self.reason = fate, reading, reason

    @property
    def path_text(self) -> str:
        """The path as people write it: `samples[0].value`."""
        text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return text.removeprefix(".")


class Scope(Struct):
    """An object of a payload: its plain members, and the scopes inside it."""

    path: tuple[str | int, ...]
    names: tuple[str, ...]
    is_entry: bool = False
    is_measurement: bool = False
    members: list[Member] = []
    inner: list[Scope] = []

    def below(self) -> Iterator[Scope]:
        """Yield this scope and all inside it, nearest to the root first."""
        level = [self]
        while level:
            yield from level
            level = [scope for one in level for scope in one.inner]


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


_UNITS = ("unit", "units", "_unit", "uom")
_LABELS = frozenset({"displayName", "display_name", "label", "description", *_UNITS})
_WRAPPED_VALUES = ("value", "_value", "data")
_ENTRY_VALUES = ("measurementValue", "value", "_value", "val", "Value", "v")
_ENTRY_NAMES = (
    "name", "_name", "Name", "variable", "type", "Type", "measurement", "quantity", "parameter",
    "sensor", "label", "key", "n", "displayName", "uuid",
)  # fmt: skip
_ENTRY_CHANNELS = ("measurementChannel", "channel", "Channel", "ch", "chn")
# SenseCAP numbers its measurements; later decoders write no names any more.
_MEASUREMENT_NAMES = {
    "3000": "battery_level", "4097": "air_temperature", "4098": "air_humidity",
    "4197": "longitude", "4198": "latitude", "5001": "wifi", "5002": "bluetooth",
}  # fmt: skip


def scope_of(payload: Mapping[str, Any]) -> Scope:
    """Return the scopes and members of a payload, none of them settled."""
    return _object(payload, (), ())


def all_members(root: Scope) -> Iterator[Member]:
    for scope in root.below():
        yield from scope.members


def _object(
    members: Mapping[str, Any], path: tuple[str | int, ...], names: tuple[str, ...]
) -> Scope:
    scope = Scope(path, names, members=[], inner=[])
    for name, value in members.items():
        _add(scope, (*path, name), (*names, name), value)
    _attach_units(scope)
    return scope


def _add(scope: Scope, path: tuple[str | int, ...], names: tuple[str, ...], value: Any) -> None:
    if isinstance(value, dict):
        if not _add_wrapped(scope, path, names, value):
            scope.inner.append(_object(value, path, names))
    elif _is_list_of_objects(value):
        for place, entry in enumerate(value):
            _add_entry(scope, (*path, place), names, entry)
    else:
        scope.members.append(Member(path, names, value))


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(entry, dict | list) for entry in value)


def _add_entry(
    scope: Scope, path: tuple[str | int, ...], names: tuple[str, ...], entry: Any
) -> None:
    if not isinstance(entry, dict):
        _add(scope, path, names, entry)
        return
    inner = _measurement(entry, path, names) or _object(entry, path, names)
    inner.is_entry = True
    scope.inner.append(inner)


def _add_wrapped(
    scope: Scope, path: tuple[str | int, ...], names: tuple[str, ...], members: Mapping[str, Any]
) -> bool:
    """Add a value that is wrapped with its unit as a plain member; return whether it is one."""
    key = next((key for key in _WRAPPED_VALUES if key in members), None)
    if key is None or isinstance(members[key], dict) or _is_list_of_objects(members[key]):
        return False
    if not members.keys() - {key} <= _LABELS:
        return False
    member = Member(path, names, members[key])
    scope.members.append(member)
    for name, label in members.items():
        if name in _UNITS and isinstance(label, str):
            member.unit = label
            member.unit_member = Member((*path, name), (*names, name), label)
            scope.members.append(member.unit_member)
        elif name != key:
            scope.members.append(Member((*path, name), (*names, name), label, "", None, "", "name"))
    return True


def _measurement(
    entry: Mapping[str, Any], path: tuple[str | int, ...], names: tuple[str, ...]
) -> Scope | None:
    """Return the scope of an entry with a name and a value; None for any other entry."""
    key = next((key for key in _ENTRY_VALUES if key in entry), None)
    number = _MEASUREMENT_NAMES.get(_digits(entry.get("measurementId")))
    said = [key for key in _ENTRY_NAMES if isinstance(entry.get(key), str) and entry[key]]
    name = number or (entry[said[0]] if said else None)
    if key is None or name is None:
        return None
    scope = Scope(path, names, is_measurement=True, members=[], inner=[])
    for other, value in entry.items():
        here = (*path, other)
        if other == key:
            _add(scope, here, (*names, name), value)
        elif other in said or other == "measurementId":
            scope.members.append(Member(here, (*names, other), value, "", None, "", "name"))
        else:
            _add(scope, here, (*names, other), value)
    _describe_measurement(scope, entry, (*path, key))
    return scope


def _describe_measurement(
    scope: Scope, entry: Mapping[str, Any], path: tuple[str | int, ...]
) -> None:
    """Give the member of a measurement the unit and the channel that stand beside it."""
    measured = next((member for member in scope.members if member.path == path), None)
    if measured is None:
        return
    for member in scope.members:
        name = member.path[-1]
        if name in _UNITS or name in ("_unit", "Unit"):
            measured.unit, measured.unit_member = _text(member.value), member
        elif name in _ENTRY_CHANNELS and _digits(member.value).isdecimal():
            measured.channel = _digits(member.value)[:5]
            member.settle("name", reason="the channel")


def _digits(value: Any) -> str:
    """Return a whole number as text, also if the network server made a fraction of it: 2.0."""
    return str(value).removesuffix(".0")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _attach_units(scope: Scope) -> None:
    """Give members the unit that another member states: `flow` and `flowUnit`."""
    units = {
        normal_name(name)[:-4]: member
        for member in scope.members
        if (name := str(member.path[-1]))[-4:].lower() == "unit" and isinstance(member.value, str)
    }
    for member in scope.members if units else ():
        unit_member = units.get(normal_name(str(member.path[-1])))
        if unit_member is not None and member.unit is None:
            member.unit, member.unit_member = unit_member.value, unit_member
