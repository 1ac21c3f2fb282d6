"""When a message was made, where its sender says so: that orders messages of one moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.wire.uplinks import (
    NOON,
    chirpstack_event,
    decoded,
    faults,
    observation,
    only,
    owntracks_location,
    sdk_location,
    traccar_position,
    ttn_uplink,
)

LATER = NOON + timedelta(minutes=5)
SOLVED = {
    "end_device_ids": {"device_id": "van-7"},
    "received_at": "2026-01-05T12:05:00Z",
    "location_solved": {"service": "x", "location": {"latitude": 52.1, "longitude": 4.3}},
}


def reported_at(format_name: str, body: Any, query: str = "") -> Any:
    return only(decoded(format_name, body, query=query)).reported_at


@pytest.mark.field("S-01", "S-03")
@pytest.mark.parametrize(
    ("format_name", "body"),
    [
        ("json", observation(reported_at="2026-01-05T12:05:00Z")),
        ("json", observation(reported_at="2026-01-05T13:05:00+01:00")),
        ("json", observation(reported_at="2026-01-05T12:05:00Z", unknown="slow path")),
        ("owntracks", owntracks_location(created_at=1767614700)),
        ("ttn", ttn_uplink({"time": "2026-01-05T12:00:00Z"}, received_at="2026-01-05T12:05:00Z")),
        ("ttn", SOLVED),
        ("chirpstack", chirpstack_event(time="2026-01-05T12:05:00Z", object={"a": 1})),
        ("chirpstack", chirpstack_event(time="2026-01-05T12:05:00Z", margin=5)),
        ("osmand", {"location": sdk_location(age=300_000), "device_id": "7"}),
        ("osmand", {"location": sdk_location(recorded_at="2026-01-05T12:05:00Z"), "id": "7"}),
        ("traccar", traccar_position(deviceTime="2026-01-05T12:05:00.000+00:00")),
        (
            "traccar",
            traccar_position(deviceTime=None, serverTime="2026-01-05T12:05:00.000+00:00"),
        ),
    ],
)
def test_the_time_at_which_a_message_was_made_is_its_report_time(format_name, body):
    assert reported_at(format_name, body) == LATER


@pytest.mark.parametrize(
    ("format_name", "body", "query"),
    [
        ("json", observation(), ""),
        ("osmand", b"", "id=7&lat=52.1&lon=4.3&timestamp=1767614400"),
        ("osmand", {"location": sdk_location(), "device_id": "7"}, ""),
        ("owntracks", owntracks_location(created_at="soon"), ""),
        ("ttn", {"uplink_message": {"f_port": 1}}, "devEUI=0004A30B001C0530"),
    ],
)
def test_who_does_not_say_when_has_no_report_time(format_name, body, query):
    assert reported_at(format_name, body, query) is None


@pytest.mark.parametrize("age", [-1, 1e300, "5", True])
def test_an_impossible_age_is_none(age):
    assert reported_at("osmand", {"location": sdk_location(age=age), "device_id": "7"}) is None


def test_a_report_time_of_our_own_json_is_read_as_strictly_as_the_other():
    sent = observation(reported_at="2026-01-05T12:05:00")

    assert faults(decoded("json", sent)) == [("/reported_at", "time-without-zone")]
    assert faults(decoded("json", observation(reported_at=5))) == [("/reported_at", "not-a-time")]


def test_the_report_time_does_not_change_when_it_was_measured():
    sent = owntracks_location(created_at=1767614700)

    assert only(decoded("owntracks", sent)).measured_at == NOON
