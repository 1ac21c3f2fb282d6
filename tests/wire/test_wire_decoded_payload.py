"""What codecs wrap, list or spell in their own way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core.observation import Beacon, Scans
from tests.wire.uplinks import NOON, chirpstack_event, decoded, only, ttn_uplink

MAC = "A1:B2:C3:D4:E5:F6"
AT_TEN_MS = 1_767_607_200_000


def uplink_of(payload: Any) -> Any:
    return only(decoded("ttn", ttn_uplink(payload)))


def readings_of(payload: Any) -> dict[str, Any]:
    readings: dict[str, Any] = uplink_of(payload).readings
    return {name: value for name, value in readings.items() if not name.startswith("link.")}


@pytest.mark.parametrize(
    "payload",
    [
        {"latitude": {"value": 52.1, "unit": "°"}, "longitude": {"value": 4.3, "unit": "°"}},
        {"gps": {"lat": {"value": 52.1}, "lng": {"value": 4.3}}},
        {"latitude": "52.1°", "longitude": "4.3°"},
    ],
)
def test_a_coordinate_may_be_wrapped_with_its_unit(payload):
    fix = uplink_of(payload).fix

    assert (fix.lat_deg, fix.lon_deg) == (52.1, 4.3)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"temperature": {"value": 21.5, "unit": "°C"}}, {"air.temperature": 21.5}),
        ({"temperature": {"value": 86, "unit": "°F"}}, {"air.temperature": pytest.approx(30.0)}),
        (
            {"battery": {"displayName": "Battery", "unit": "mV", "value": 3600}},
            {"battery.voltage": 3.6},
        ),
        (
            {"level": {"value": 5, "unit": "mg"}},
            {"custom.level": 5, "custom.level.unit": "mg"},
        ),
        ({"level": {"value": 5, "raw": 7}}, {"custom.level.value": 5, "custom.level.raw": 7}),
        ({"tilt": {"pitch": 3, "roll": 4}}, {"tilt.pitch": 3, "tilt.roll": 4}),
        ({"DOOR_OPEN_STATUS": 1}, {"contact": "open"}),
        ({"door_open": False}, {"contact": "closed"}),
        ({"battery_vol": 3.6}, {"battery.voltage": 3.6}),
        ({"battery_vol": 3600}, {"battery.voltage": 3.6}),
        ({"ILL_lx": 277}, {"light": 277}),
    ],
)
def test_a_wrapped_value_counts_as_if_it_were_bare(payload, expected):
    assert readings_of(payload) == expected


def test_a_list_of_numbered_measurements_is_read_by_their_numbers():
    measured = [
        {"measurementId": "4197", "timestamp": AT_TEN_MS, "measurementValue": "4.3"},
        {"measurementId": "4198", "timestamp": AT_TEN_MS, "measurementValue": "52.1"},
        {"measurementId": "4097", "type": "Air Temperature", "measurementValue": "21.5"},
        {"measurementId": "3000", "type": "Battery", "measurementValue": 85},
        {"measurementId": "4200", "type": "Event Status", "measurementValue": [{"id": 1}]},
    ]

    found = uplink_of({"messages": [measured], "valid": True})

    assert (found.fix.lat_deg, found.fix.lon_deg) == (52.1, 4.3)
    assert (found.measured_at, found.time_source) == (
        datetime(2026, 1, 5, 10, tzinfo=UTC),
        "device",
    )
    assert (found.readings["air.temperature"], found.readings["battery.level"]) == (21.5, 85)


@pytest.mark.parametrize(
    "unread",
    [
        {"measurementId": "9999", "measurementValue": 3},
        {"measurementId": "4098"},
        {"measurementId": "4098", "type": "Air Humidity", "measurementValue": None},
    ],
)
def test_a_measurement_without_a_name_or_a_value_leaves_its_neighbours(unread):
    measured = [unread, {"measurementId": "4097", "measurementValue": "21.5"}]

    assert readings_of({"messages": [measured]})["air.temperature"] == 21.5


@pytest.mark.parametrize(
    "payload",
    [
        {"wifi": {MAC: {"rssi": -10, "channel": 1}}},
        {"wifi": [{"mac": MAC, "rssi": -10}]},
        {"access_points": [{"bssid": MAC, "rssi": -10}]},
        {"messages": [{"measurementId": "5001", "measurementValue": [{"mac": MAC, "rssi": -10}]}]},
    ],
)
def test_a_scan_stays_with_the_position_and_is_no_reading(payload):
    on_ttn = decoded("ttn", ttn_uplink(payload))
    on_chirpstack = decoded("chirpstack", chirpstack_event(object=payload), query="event=up")

    heard = Scans(wifi=(Beacon(MAC.lower(), -10),))
    assert only(on_ttn).scans == only(on_chirpstack).scans == heard
    assert readings_of(payload) == {}


@pytest.mark.parametrize("more", [{}, {"warnings": ["cold"]}, {"errors": [], "warnings": []}])
def test_a_payload_may_come_with_all_that_its_formatter_returned(more):
    sent = {"data": {"latitude": 52.1, "longitude": 4.3, "temperature": 5}} | more

    found = uplink_of(sent)

    assert found.fix is not None
    assert found.readings["air.temperature"] == 5


def test_data_beside_other_members_is_a_member_like_any_other():
    found = uplink_of({"data": {"temperature": 5}, "temperature": 7})

    assert (found.readings["air.temperature"], found.readings["custom.data.temperature"]) == (7, 5)


def test_a_member_that_only_looks_like_a_coordinate_stays_a_reading():
    sent = {"latitude": 52.1, "longitude": 4.3, "LON": True}

    assert readings_of(sent) == {"custom.LON": True}


@pytest.mark.parametrize(
    ("said", "has_fix"),
    [("none", False), ("No Fix", False), ("invalid", False), ("3D", True), (None, True)],
)
def test_a_word_may_disown_a_position(said, has_fix):
    fix = uplink_of({"latitude": 52.1, "longitude": 4.3, "fix_type": said}).fix

    assert (fix is not None) is has_fix


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-1-5 9:05:07  Timezone:0", datetime(2026, 1, 5, 9, 5, 7, tzinfo=UTC)),
        ("2026-1-5 9:05:07  Timezone:4", NOON),
    ],
)
def test_a_time_without_leading_zeros_counts_where_its_zone_is_certain(text, at):
    assert uplink_of({"utc_time": text}).measured_at == at
