"""What senders do beside their documentation, as it was reported from the field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core.errors import UnreadableUplink, UnsupportedMediaType
from tests.wire.uplinks import (
    NOON,
    chirpstack_event,
    decoded,
    observation,
    only,
    owntracks_location,
    reason,
    traccar_position,
    uplink,
)
from wire.registry import detect

POINT = {"type": "Point", "coordinates": [4.3, 52.1, 7.5]}
TRACK = {
    "locations": [
        {"lat": 52.1, "lon": 4.3, "time": "2026-01-05T12:00:00Z", "ele": 47.3},
        {"lat": 52.2, "lon": 4.3, "time": "2026-01-05T12:01:00Z", "ele": 48.3},
        {"lat": 52.3, "lon": 4.3, "time": 1767614520000, "ele": 49.3},
    ],
    "device_id": "r11",
}
FLESPI = [
    {
        "ident": "352625333222111",
        "timestamp": 1767614400,
        "position.latitude": 52.1,
        "position.longitude": 4.3,
        "device.id": 7,
    }
]


@pytest.mark.field("S-23")
def test_locations_of_a_template_have_their_own_times_and_altitudes():
    found = decoded("osmand", TRACK).observations

    assert [one.measured_at.minute for one in found] == [0, 1, 2]
    assert [one.fix.altitude_m for one in found if one.fix] == [47.3, 48.3, 49.3]
    assert {one.time_source for one in found} == {"device"}


@pytest.mark.field("S-23")
@pytest.mark.parametrize("name", ["time", "fixTime", "datetime", "measured_at", "ts"])
@pytest.mark.parametrize("value", ["2026-01-05T12:00:00Z", 1767614400, 1767614400000])
def test_a_template_may_call_the_time_as_it_likes(name, value):
    body = {"location": {"lat": 52.1, "lng": 4.3, name: value}, "device_id": "7"}

    assert only(decoded("osmand", body)).measured_at == NOON


@pytest.mark.field("S-24")
def test_a_time_that_cannot_be_read_is_refused_with_its_name():
    body = {"location": [{"lat": 52.1, "lon": 4.3, "time": "noon"}] * 2, "device_id": "7"}

    found = decoded("osmand", body)

    assert not found.observations
    assert [one.faults[0].pointer for one in found.refusals] == [
        "/location/0/time",
        "/location/1/time",
    ]


@pytest.mark.field("S-25")
@pytest.mark.parametrize(
    "text",
    [
        "2016-12-31T23:59:60Z",
        "2016-12-31T23:59:60.75Z",
        "2017-01-01T00:59:60+01:00",
        "2016-12-31T18:59:60-05:00",
    ],
)
def test_a_leap_second_is_the_instant_after(text):
    found = only(decoded("json", observation(measured_at=text)))

    assert found.measured_at == datetime(2017, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-01-05T12:00:60Z", "2026-01-05T23:59:61Z"])
def test_a_second_60_elsewhere_is_no_time(text):
    assert not decoded("json", observation(measured_at=text)).observations


@pytest.mark.field("S-37")
@pytest.mark.parametrize(
    "body",
    [
        {"location": POINT, "timestamp": "2026-01-05T12:00:00Z", "device_id": "7"},
        {"location": [{"location": POINT, "timestamp": "2026-01-05T12:00:00Z"}], "id": "7"},
        {
            "locations": [
                {
                    "type": "Feature",
                    "geometry": POINT,
                    "properties": {"timestamp": "2026-01-05T12:00:00Z", "device_id": "7"},
                }
            ]
        },
        {"type": "Feature", "geometry": POINT, "time": 1767614400, "device_id": "7"},
    ],
)
def test_a_point_of_geojson_is_the_place_at_the_time_beside_it(body):
    found = only(decoded("osmand", body))

    assert (found.fix.lon_deg, found.fix.lat_deg, found.fix.altitude_m) == (4.3, 52.1, 7.5)
    assert (found.device, found.measured_at, found.readings) == ("7", NOON, {})


@pytest.mark.parametrize("point", [{"type": "Point", "coordinates": [4.3]}, {"type": "Point"}])
def test_a_point_without_a_pair_is_no_place(point):
    body = {"location": point, "timestamp": "2026-01-05T12:00:00Z", "device_id": "7"}

    assert all(one.fix is None for one in decoded("osmand", body).observations)


@pytest.mark.field("S-40")
def test_an_owntracks_message_without_a_type_is_a_location():
    found = only(decoded("owntracks", owntracks_location(_type=None)))

    assert (found.fix.lat_deg, found.measured_at) == (52.1, NOON)


@pytest.mark.field("S-40")
@pytest.mark.parametrize("body", [{"lat": 52.1, "lon": 4.3}, {"position": [4.3, 52.1]}])
def test_an_owntracks_message_without_type_and_place_is_set_aside(body):
    assert reason(decoded("owntracks", body)) == "unknown-event"


@pytest.mark.field("S-41")
@pytest.mark.parametrize(
    "nothing", [{"location": None, "margin": 0, "queueItemId": ""}, {"level": None, "error": ""}]
)
def test_members_that_say_nothing_tell_no_event(nothing):
    body = chirpstack_event(**nothing, fCnt=3, data="AQ==", rxInfo=[{"gatewayId": "g"}])

    found = decoded("chirpstack", body)

    assert found.message == "uplink"
    assert only(found).measured_at == NOON


@pytest.mark.field("S-44")
@pytest.mark.parametrize(
    ("body", "format_name"),
    [
        (FLESPI, None),
        ({"device": "7", "lat": 52.1}, None),
        ({"hello": "world"}, None),
        ([{"timestamp": 1767614400, "value": 5}], None),
        (b"not a message", None),
        (observation(), "json"),
        (traccar_position(), "traccar"),
        (TRACK, "osmand"),
        ({"location": {"timestamp": "2026-01-05T12:00:00Z", "is_moving": False}}, "osmand"),
        ({"locations": [{"timestamp": "2026-01-05T12:00:00Z", "uuid": "1"}]}, "osmand"),
    ],
)
def test_a_body_is_recognised_by_its_content(body: Any, format_name):
    assert detect(uplink(body)) == format_name


@pytest.mark.field("S-44")
def test_a_device_that_is_no_object_is_not_of_traccar():
    with pytest.raises(UnreadableUplink):
        decoded("traccar", {"device": "7", "measured_at": "2026-01-05T12:00:00Z"})


@pytest.mark.field("S-46")
def test_a_multipart_form_is_refused_with_what_to_send():
    body = b'--x\r\nContent-Disposition: form-data; name="id"\r\n\r\n7\r\n--x--\r\n'

    with pytest.raises(UnsupportedMediaType, match="urlencoded"):
        decoded("osmand", body, content_type="multipart/form-data; boundary=x")


@pytest.mark.field("S-46")
@pytest.mark.parametrize(("name", "value"), [("charge", "2"), ("ignition", "3"), ("sos", "help")])
def test_what_is_no_truth_value_is_kept_as_sent(name, value):
    found = only(decoded("osmand", query=f"id=7&lat=52.1&lon=4.3&{name}={value}"))

    assert str(found.readings[f"custom.{name}"]) == value


@pytest.mark.field("S-46")
@pytest.mark.parametrize(
    "body", [b"id=7&lat=52.1&lon=4.3&driver=M\xfcller", b"id=7&driver=M%FCller"]
)
def test_a_form_that_is_not_utf_8_says_so(body):
    with pytest.raises(UnreadableUplink, match="not UTF-8"):
        decoded("osmand", body)


def service_data(**solution: Any) -> dict[str, Any]:
    return {
        "end_device_ids": {"device_id": "van-7"},
        "received_at": "2026-01-05T12:05:00Z",
        "correlation_ids": ["as:up:01"],
        "service_data": {
            "service": "lora-cloud-device-management-v1",
            "data": {"result": {"position_solution": solution, "operation": "gnss"}},
        },
    }


@pytest.mark.field("S-42")
def test_a_position_that_a_service_solved_is_used():
    solution = {"algorithm_type": "gnssng", "llh": [52.1, 4.3, 7.5], "accuracy": 20.7}

    found = decoded("ttn", service_data(**solution, capture_time_utc=NOON.timestamp()))

    one = only(found)
    assert (one.fix.lat_deg, one.fix.lon_deg, one.fix.altitude_m) == (52.1, 4.3, 7.5)
    assert (one.fix.accuracy_m, one.fix.method, one.measured_at) == (20.7, "gnss", NOON)
    assert one.event_id == "as:up:01:service_data"
    assert found.notes["service"] == "lora-cloud-device-management-v1"


@pytest.mark.field("S-42")
@pytest.mark.parametrize("capture", [{}, {"capture_time_utc": 1e30}])
def test_a_solved_position_without_its_time_is_of_the_network_time(capture):
    found = only(decoded("ttn", service_data(llh=[52.1, 4.3], **capture)))

    assert (found.measured_at.minute, found.time_source, found.fix.method) == (
        5,
        "network",
        "network",
    )


@pytest.mark.field("S-42")
@pytest.mark.parametrize("solution", [{}, {"llh": [52.1]}, {"llh": "52.1,4.3"}, {"llh": [91, 4]}])
def test_service_data_without_a_position_is_noted(solution):
    found = decoded("ttn", service_data(**solution))

    assert (found.observations, found.device, found.message) == ((), "van-7", "service_data")


@pytest.mark.field("H-12")
@pytest.mark.parametrize("bad", ["1e999", '"\\u0000"'])
def test_the_faults_of_an_observation_are_listed_up_to_a_hundred(bad):
    body = '{"device":"7","measured_at":"2026-01-05T12:00:00Z","readings":{"n":[%s]}}'

    (refusal,) = decoded("json", (body % ",".join([bad] * 250)).encode()).refusals

    assert (len(refusal.faults), refusal.more_faults) == (100, 150)


def test_a_time_of_owntracks_beyond_all_calendars_is_none():
    assert only(decoded("owntracks", owntracks_location(tst=1e30))).time_source == "server"
