"""Rules for the fields of device models whose names do not say how to read them: field maps.

The rules of models that we know are a table here; a user's field map has the same form. A rule
renames a member, states its unit, or scales it; the grammar of names then reads it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

from wire.device_model import DeviceModel, FieldRule
from wire.payloads.member_names import normal_name
from wire.payloads.members import Member
from wire.payloads.units import UNKNOWN_UNIT, unit_called
from wire.quantities import lenient_number
from wire.reading_names import reading_name

MAX_RULES = 64
MAX_MEMBER_CHARS = 128
# Targets that are no readings, and the name under which the grammar understands each.
PLACE_TARGETS = {
    "position.latitude": "latitude",
    "position.longitude": "longitude",
    "position.altitude": "altitude",
    "position.accuracy": "accuracy",
    "position.speed": "speed",
    "position.course": "course",
    "position.satellites": "satellites",
    "position.valid": "fix_valid",
    "position.time": "time",
    "position.age": "position_age",
}


class ModelRules(Struct, frozen=True, kw_only=True):
    """The oddities of a vendor's model. An empty `model` stands for all of the vendor.

    A decoder whose members are all in `recognised_by` needs no name of its model. The clock of the
    device is `week_rounds` rounds of 1,024 weeks behind.
    """

    vendor: str
    model: str = ""
    fields: tuple[FieldRule, ...] = ()
    recognised_by: tuple[str, ...] = ()
    week_rounds: int = 0


MODELS: tuple[ModelRules, ...] = (
    ModelRules(
        vendor="abeeway",
        recognised_by=("gpsCourseOverGround", "gpsSpeedOverGround"),
        fields=(
            FieldRule(member="gpsCourseOverGround", reading="position.course", scale=0.01),
            FieldRule(member="gpsSpeedOverGround", reading="position.speed", unit="cm/s"),
        ),
    ),
    ModelRules(
        vendor="abeeway",
        recognised_by=("gpsLatitude", "gpsLongitude", "age"),
        fields=(FieldRule(member="age", reading="position.age"),),
    ),
    ModelRules(
        vendor="abeeway",
        recognised_by=("temperatureMeasure",),
        fields=(FieldRule(member="temperatureMeasure", reading="device.temperature"),),
    ),
    ModelRules(
        vendor="dragino",
        recognised_by=("ALARM_status",),
        # The button of its trackers.
        fields=(FieldRule(member="ALARM_status", reading="sos"),),
    ),
    ModelRules(
        vendor="milesight",
        recognised_by=("button_event",),
        fields=(FieldRule(member="button_event.status", reading="sos"),),
    ),
    ModelRules(
        vendor="milesight",
        model="em500pp",
        # Of a pipe, and no air pressure.
        fields=(FieldRule(member="pressure", reading="custom.pressure"),),
    ),
    ModelRules(
        vendor="elv",
        fields=(FieldRule(member="Supply_Voltage", reading="battery.voltage", unit="mV"),),
    ),
)


def problem_of(rule: FieldRule) -> str:
    """Return why a rule cannot be used, in words for its author; empty where it can."""
    is_known = rule.reading in PLACE_TARGETS or reading_name(rule.reading) == rule.reading
    if not 0 < len(rule.member) <= MAX_MEMBER_CHARS:
        return f"a member has 1 to {MAX_MEMBER_CHARS} characters"
    if rule.unit and unit_called(rule.unit) in (None, UNKNOWN_UNIT):
        return f"{rule.unit!r} is no unit that we know"
    if rule.reading and (not is_known or rule.reading == "custom."):
        return f"{rule.reading!r} is no reading, no custom. name and no part of the position"
    if not (math.isfinite(rule.scale) and math.isfinite(rule.offset)):
        return "scale and offset are finite numbers"
    if not (rule.reading or rule.unit or rule.scale != 1.0 or rule.offset):
        return "it says nothing of the member"
    return ""


def rules_of_model(vendor: str | None, model: str) -> list[ModelRules]:
    """Return the known rules for a model, in any spelling of its names."""
    maker, name = normal_name(vendor or ""), normal_name(model)
    return [
        rules
        for rules in MODELS
        if (maker.startswith(rules.vendor) or (not maker and rules.vendor in name))
        and (not rules.model or rules.model in name)
    ]


def recognised_rules(payload: Mapping[str, Any]) -> list[ModelRules]:
    """Return the known rules for decoders that are recognised by the members of their payload."""
    return [
        rules
        for rules in MODELS
        if rules.recognised_by and all(name in payload for name in rules.recognised_by)
    ]


@lru_cache(maxsize=1_024)
def rules_of_device(model: DeviceModel | None) -> tuple[ModelRules, ...]:
    """Return the rules for a device: its users' field map before what we know of the model."""
    if model is None:
        return ()
    known = tuple(rules_of_model(model.vendor, model.name)) if model.name else ()
    own = ModelRules(vendor="", fields=model.fields, week_rounds=model.week_rounds)
    return (own, *known)


def apply_rule(rule: FieldRule, member: Member) -> None:
    """Give a member the name, unit and scale of a rule."""
    found = lenient_number(member.value)
    is_scaled = rule.scale != 1.0 or rule.offset != 0.0
    if found is not None and is_scaled:
        member.value = scaled_exactly(found, rule.scale) + rule.offset
    if rule.unit:
        member.unit, member.unit_member = rule.unit, None
    if rule.reading in PLACE_TARGETS:
        member.names = (*member.names[:-1], PLACE_TARGETS[rule.reading])
    else:
        member.reading = rule.reading or None


def scaled_exactly(value: float, scale: float) -> float:
    """Return the product; by a decimal fraction as a division: 3320 by 0.001 is 3.32."""
    inverse = round(1 / scale) if scale else 0
    return value / inverse if inverse > 1 and 1 / inverse == scale else value * scale
