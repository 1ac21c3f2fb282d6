"""Rules for the fields of device models, ours and users' own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.uplinks import NOON, only, ttn_uplink, uplink
from wire.device_model import DeviceModel, FieldRule
from wire.payloads.field_rules import MODELS, ModelRules, problem_of, rules_of_model
from wire.payloads.payload_reader import read_payload
from wire.registry import FORMATS

PLACE = {"a": 52.1, "b": 4.3}


def read_by(rules: list[FieldRule], payload: dict[str, Any]) -> Any:
    return read_payload(payload, [ModelRules(vendor="", fields=tuple(rules))], now=NOON).main


@pytest.mark.parametrize(
    ("rule", "payload", "expected"),
    [
        ({"reading": "battery.level"}, {"b": 3}, {"battery.level": 3}),
        ({"reading": "battery.voltage", "scale": 0.1}, {"b": 36}, {"battery.voltage": 3.6}),
        ({"reading": "battery.voltage", "unit": "mV"}, {"b": "3320"}, {"battery.voltage": 3.32}),
        ({"reading": "air.temperature.2", "unit": "°F"}, {"b": 86}, {"air.temperature.2": 30.0}),
        ({"reading": "air.temperature", "offset": -40}, {"b": 61.5}, {"air.temperature": 21.5}),
        ({"reading": "air.temperature", "scale": 2}, {"b": 10}, {"air.temperature": 20}),
        ({"reading": "light"}, {"b": 0.5}, {"light": 0.5}),
        ({"reading": "contact"}, {"b": "closed"}, {"contact": "closed"}),
        ({"reading": "sos"}, {"b": "pressed"}, {"sos": True}),
        ({"reading": "motion.count"}, {"b": 7}, {"motion.count": 7}),
        ({"reading": "vertical_accuracy"}, {"b": 7}, {"vertical_accuracy": 7}),
        ({"reading": "custom.fill"}, {"b": 7}, {"custom.fill": 7}),
        ({"reading": "custom.fill"}, {"b": "x" * 5000}, {}),
        ({"reading": "custom.fill", "scale": 0}, {"b": 7}, {"custom.fill": 0}),
        ({"reading": "battery.level"}, {"b": 300}, {"custom.b": 300}),
        ({"reading": "battery.level"}, {"b": "none"}, {"custom.b": "none"}),
        ({"unit": "V"}, {"b": {"battery": 3}}, {"custom.b.battery": 3}),
    ],
)
def test_a_rule_says_how_a_member_is_read(rule, payload, expected):
    assert read_by([FieldRule(member="b", **rule)], payload).readings == expected


@pytest.mark.parametrize("member", ["status.battery", "battery"])
def test_a_rule_finds_its_member_by_path_or_name_and_ends_guessing(member):
    found = read_payload(
        {"status": {"battery": 3}},
        [ModelRules(vendor="", fields=(FieldRule(member=member, unit="V"),))],
        now=NOON,
    )

    assert found.main.readings == {"battery.voltage": 3}
    assert [one.fate for one in found.members] == ["canonical"]


def test_rules_make_a_place_of_any_members():
    rules = [
        FieldRule(member="a", reading="position.latitude", scale=1e-7),
        FieldRule(member="b", reading="position.longitude", scale=1e-7),
        FieldRule(member="c", reading="position.course", scale=0.01),
        FieldRule(member="d", reading="position.valid"),
    ]
    sent = {"a": 521_000_001, "b": 43_000_001, "c": 20_000}

    fix = read_by(rules, sent | {"d": 1}).fix

    assert (fix.lat_deg, fix.lon_deg, fix.course_deg) == (52.1000001, 4.3000001, 200.0)
    assert read_by(rules, sent | {"d": 0}).fix is None


def test_the_first_rule_for_a_member_counts():
    rules = [
        FieldRule(member="b", reading="battery.level"),
        FieldRule(member="b", reading="air.humidity"),
    ]

    assert read_by(rules, {"b": 50}).readings == {"battery.level": 50}


@pytest.mark.field("S-36")
@pytest.mark.parametrize(
    ("payload", "readings"),
    [
        ({"ALARM_status": "TRUE"}, {"sos": True}),
        ({"button_event": {"status": "pressed"}}, {"sos": True}),
    ],
)
def test_the_decoder_of_a_vendor_is_recognised_by_its_members(payload, readings):
    assert read_payload(payload, now=NOON).main.readings == readings


@pytest.mark.parametrize(
    ("vendor", "model", "expected"),
    [
        ("elv", "LW-GPS1", 1),
        (None, "ELV BM-TRX1", 1),
        ("milesight-iot", "em500-pp", 2),
        ("milesight", "am300", 1),
        ("acme", "elv", 0),
    ],
)
def test_the_rules_of_a_model_are_found_in_any_spelling(vendor, model, expected):
    assert len(rules_of_model(vendor, model)) == expected


def test_the_rules_of_the_table_are_usable():
    assert [problem_of(rule) for model in MODELS for rule in model.fields if problem_of(rule)] == []


def test_a_model_of_a_device_is_read_by_its_rules():
    sent = uplink(ttn_uplink({"pressure": 943, "temperature": 20}))

    known = FORMATS["ttn"].decode(sent, model_of=lambda _: DeviceModel("Milesight EM500-PP"))
    own = DeviceModel("", fields=(FieldRule(member="pressure", reading="custom.pipe"),))

    assert only(known).readings["custom.pressure"] == 943
    assert only(FORMATS["ttn"].decode(sent, model_of=lambda _: own)).readings["custom.pipe"] == 943


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (FieldRule(member="b", reading="battery.level"), ""),
        (FieldRule(member="b", reading="air.temperature.2"), ""),
        (FieldRule(member="b", reading="position.speed", unit="km/h"), ""),
        (FieldRule(member="b", unit="mV"), ""),
        (FieldRule(member="b", scale=2), ""),
        (FieldRule(member=""), "a member has 1 to 128 characters"),
        (FieldRule(member="b" * 129), "a member has 1 to 128 characters"),
        (FieldRule(member="b", unit="furlong"), "'furlong' is no unit that we know"),
        (FieldRule(member="b"), "it says nothing of the member"),
        (FieldRule(member="b", scale=float("nan")), "scale and offset are finite numbers"),
        (FieldRule(member="b", offset=float("inf")), "scale and offset are finite numbers"),
        (
            FieldRule(member="b", reading="temperature"),
            "'temperature' is no reading, no custom. name and no part of the position",
        ),
    ],
)
def test_a_rule_that_cannot_be_used_has_a_problem(rule, problem):
    assert problem_of(rule) == problem
