"""The reading of a member by its name alone: a table of concepts, and the judgement by it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from wire.payloads.member_names import words_of
from wire.payloads.units import UNITS_IN_NAMES, Unit
from wire.payloads.vocabulary import (
    AIR_WORDS,
    CHANNEL_WORDS,
    CONCEPTS,
    DEVICE_WORDS,
    FILLERS,
    GENERIC,
    OTHER_MATTER,
    PROBE_WORDS,
    SECOND_CHOICE,
    SOFT_VETOES,
    VETOES,
    WEAK,
)

Kind = Literal[
    "temperature", "humidity", "pressure", "co2", "light", "lux", "battery", "battery.level",
    "battery.voltage", "voltage", "flag", "open", "closed", "reed", "contact", "count", "length",
    "acceleration", "angle",
]  # fmt: skip


class ReadingRule(Struct, frozen=True):
    """A reading, and the kind of its values. `is_alarm` permits alarm words in the name."""

    reading: str
    kind: Kind
    is_alarm: bool = False


_VECTORS: tuple[tuple[str, str, Kind], ...] = (
    ("acceleration", "acceleration", "acceleration"),
    ("angle", "angle", "angle"),
    ("tilt", "angle", "angle"),
    ("tilt angle", "angle", "angle"),
)
_RULES: dict[frozenset[str], ReadingRule] = {
    frozenset(concepts.split()): rule
    for concepts, rule in {
        "temperature": ReadingRule("air.temperature", "temperature"),
        "humidity": ReadingRule("air.humidity", "humidity"),
        "pressure": ReadingRule("air.pressure", "pressure"),
        "co2": ReadingRule("air.co2", "co2"),
        "lux": ReadingRule("light", "lux"),
        "light lux": ReadingRule("light", "lux"),
        "light": ReadingRule("light", "light"),
        "light level": ReadingRule("light", "light"),
        "battery": ReadingRule("battery", "battery"),
        "battery level": ReadingRule("battery.level", "battery.level"),
        "battery voltage": ReadingRule("battery.voltage", "battery.voltage"),
        "voltage": ReadingRule("battery.voltage", "voltage"),
        "power voltage": ReadingRule("power.voltage", "voltage"),
        "charging": ReadingRule("battery.charging", "flag"),
        "battery charging": ReadingRule("battery.charging", "flag"),
        "motion": ReadingRule("motion.detected", "flag", is_alarm=True),
        "occupancy": ReadingRule("motion.detected", "flag"),
        "motion occupancy": ReadingRule("motion.detected", "flag"),
        "motion count": ReadingRule("motion.count", "count"),
        "door": ReadingRule("contact", "open"),
        "open": ReadingRule("contact", "open"),
        "door open": ReadingRule("contact", "open"),
        "contact open": ReadingRule("contact", "open"),
        "closed": ReadingRule("contact", "closed"),
        "door closed": ReadingRule("contact", "closed"),
        "contact closed": ReadingRule("contact", "closed"),
        "reed": ReadingRule("contact", "reed"),
        "reed contact": ReadingRule("contact", "reed"),
        "contact": ReadingRule("contact", "contact"),
        "door contact": ReadingRule("contact", "contact"),
        "leak": ReadingRule("leak", "flag", is_alarm=True),
        "leak water": ReadingRule("leak", "flag", is_alarm=True),
        "water": ReadingRule("leak", "flag"),
        "tamper": ReadingRule("tamper", "flag", is_alarm=True),
        "sos": ReadingRule("sos", "flag", is_alarm=True),
        "ignition": ReadingRule("ignition", "flag"),
        "odometer": ReadingRule("odometer", "length"),
        "shock": ReadingRule("shock", "acceleration"),
        "acceleration shock": ReadingRule("shock", "acceleration"),
        "pitch": ReadingRule("tilt.pitch", "angle"),
        "roll": ReadingRule("tilt.roll", "angle"),
        "tilt pitch": ReadingRule("tilt.pitch", "angle"),
        "tilt roll": ReadingRule("tilt.roll", "angle"),
        "angle pitch": ReadingRule("tilt.pitch", "angle"),
        "angle roll": ReadingRule("tilt.roll", "angle"),
        "tilt angle": ReadingRule("tilt.pitch", "angle"),
        # Vectors: their axes are named by place.
        "acceleration": ReadingRule("acceleration", "acceleration"),
        **{
            f"{what} {axis}": ReadingRule(f"{reading}.{axis}", kind)
            for what, reading, kind in _VECTORS
            for axis in "xyz"
        },
    }.items()
}  # fmt: skip
_UNDERSTOOD = CONCEPTS.keys() | FILLERS | GENERIC | VETOES | OTHER_MATTER | UNITS_IN_NAMES.keys()
# Of other matter than air these stay what they are.
_ANY_MATTER = frozenset({"leak", "battery", "battery.level", "battery.voltage", "tamper", "sos"})


class NameMeaning(Struct, frozen=True):
    """The meaning of a member's name. Without a `rule` the `reason` says why it has none.

    `channel` is its number; `has_own_channel` where the name calls it a channel. `is_probe` marks a
    second sensor, `is_second` a choice behind the plain member, such as an average. `doubt` is a
    word that was not understood. `names_air` where the name itself says the air of a room.
    """

    rule: ReadingRule | None = None
    reason: str = ""
    unit: Unit | None = None
    channel: str = ""
    has_own_channel: bool = False
    is_probe: bool = False
    is_second: bool = False
    names_air: bool = False
    doubt: str = ""


class _NameParts(Struct, frozen=True):
    words: tuple[str, ...]
    numbers: tuple[str, ...]
    concepts: frozenset[str]
    unit: Unit | None
    unknown: tuple[str, ...]


@lru_cache(maxsize=8_192)
def meaning_of(names: tuple[str, ...]) -> NameMeaning:
    """Return the meaning of the names from the root of a payload to a member."""
    parts = [_parts(name) for name in names]
    leaf, parents = parts[-1], parts[-2::-1]
    concepts, around = _concepts(leaf, parents)
    rule = _RULES.get(concepts)
    if rule is None:
        several = " and ".join(sorted(concepts))
        return NameMeaning(reason=f"{several} is no quantity" if several else "no known quantity")
    words = frozenset(leaf.words).union(*(part.words for part in parents))
    veto = _veto(words - _unit_words(parts), rule)
    if veto:
        return NameMeaning(reason=f"{veto!r} is in its name")
    unknown = leaf.unknown if leaf.concepts else (*leaf.unknown, *around.unknown)
    if len(unknown) > 1 or (unknown and concepts <= {"open", "closed", "water", "voltage"}):
        return NameMeaning(reason=f"{', '.join(unknown)[:80]!r} is not understood")
    matter = frozenset(leaf.words) & OTHER_MATTER or (
        frozenset() if frozenset(leaf.words) & AIR_WORDS else words & OTHER_MATTER
    )
    if matter - concepts and rule.reading not in _ANY_MATTER:
        return NameMeaning(reason=f"not of the air: {min(matter)!r}")
    channel = _channel(parts)
    return NameMeaning(
        rule=_of_device(rule, words),
        unit=leaf.unit or (around.unit if not leaf.concepts else None),
        channel=channel,
        has_own_channel=bool(channel) and bool(words & CHANNEL_WORDS),
        is_probe=bool(words & PROBE_WORDS),
        is_second=bool(words & SECOND_CHOICE),
        names_air=bool(words & AIR_WORDS),
        doubt=unknown[0] if unknown else "",
    )


def concepts_of(name: str) -> frozenset[str]:
    """Return the concepts that a name is about, whatever else it says."""
    return _parts(name).concepts


@lru_cache(maxsize=8_192)
def _parts(name: str) -> _NameParts:
    words = words_of(name)
    numbers = tuple(word for word in words if word.isdecimal())
    unit = UNITS_IN_NAMES.get(words[-1]) if len(words) > 1 else None
    if unit is None and len(words) > 2 and words[-1].isdecimal():
        unit = UNITS_IN_NAMES.get(words[-2])
    concepts = frozenset(concept for word in words for concept in CONCEPTS.get(word, ()))
    unknown = tuple(word for word in words if word not in _UNDERSTOOD and not word.isdecimal())
    return _NameParts(words, numbers, concepts, unit, unknown)


def _concepts(leaf: _NameParts, parents: list[_NameParts]) -> tuple[frozenset[str], _NameParts]:
    """Return the concepts of a member, with those of the nearest object that has any if it needs.

    A member needs them if its own name is of generic words or weak concepts only.
    """
    is_generic = not leaf.concepts and all(
        word in GENERIC or word.isdecimal() or word in UNITS_IN_NAMES for word in leaf.words
    )
    if not (is_generic or (leaf.concepts and leaf.concepts <= WEAK)):
        return leaf.concepts, leaf
    around = next((part for part in parents if part.concepts), None)
    if around is None:
        return leaf.concepts, leaf
    joined = leaf.concepts | around.concepts
    if joined in _RULES or is_generic:
        return joined, around
    return leaf.concepts, leaf


def _unit_words(parts: Iterable[_NameParts]) -> frozenset[str]:
    """Return the last words that are units: `min` alone is none, but a veto."""
    return frozenset(part.words[-1] for part in parts if part.unit is not None) - {"min"}


def _veto(words: frozenset[str], rule: ReadingRule) -> str:
    tolerated = SOFT_VETOES if rule.is_alarm else frozenset()
    if rule.kind == "count":
        tolerated |= {"total"}
    found = (words & VETOES) - tolerated
    return min(found) if found else ""


def _of_device(rule: ReadingRule, words: frozenset[str]) -> ReadingRule:
    is_of_device = rule.kind == "temperature" and words & DEVICE_WORDS and not words & AIR_WORDS
    return ReadingRule("device.temperature", "temperature") if is_of_device else rule


def _channel(parts: list[_NameParts]) -> str:
    return next((part.numbers[-1] for part in reversed(parts) if part.numbers), "")[:5]
