"""What phones and forwarding servers send besides the usual."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from core.errors import TooLarge, UnreadableUplink
from tests.wire.uplinks import (
    NOON,
    RECEIVED_AT,
    decoded,
    faults,
    only,
    owntracks_location,
    reason,
    sdk_location,
    traccar_position,
)
from wire.registry import detect
from wire.uplink import Uplink

PLACE = {"lat": 52.1, "lng": 4.3}
WITHOUT_PLACE = {"timestamp": "2026-01-05T12:00:00.000Z", "uuid": "u"}


def osmand(query: str) -> Any:
    return only(decoded("osmand", query=f"id=7&lat=52.1&lon=4.3&{query}"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("batt=-1", {}),
        ("hdop=-1&sat=-1&odometer=-1", {}),
        ("batt=101", {"custom.batt": 101.0}),
        ("vacc=3.5", {"vertical_accuracy": 3.5}),
        ("vacc=0&hacc=0", {}),
        ("alarm=sos", {"custom.alarm": "sos", "sos": True}),
        ("alarm=general", {"custom.alarm": "general"}),
        ("notificationToken=secret", {}),
        ("driverUniqueId=0042&rpm=933", {"custom.driverUniqueId": "0042", "custom.rpm": 933}),
        ("driverUniqueId=10042", {"custom.driverUniqueId": "10042"}),
    ],
)
def test_what_the_phone_does_not_know_is_no_reading(query, expected):
    assert osmand(query).readings == expected


@pytest.mark.parametrize(
    ("query", "accuracy_m"), [("hacc=8", 8.0), ("hacc=8&accuracy=5", 5.0), ("hacc=0", None)]
)
def test_the_horizontal_accuracy_has_two_names(query, accuracy_m):
    assert osmand(query).fix.accuracy_m == accuracy_m


def test_an_empty_valid_says_nothing_against_the_fix():
    assert osmand("valid=").fix is not None


@pytest.mark.parametrize("place", [{}, {"coords": None}])
def test_a_heartbeat_of_an_app_without_a_place_is_an_observation(place):
    sent = WITHOUT_PLACE | place | {"event": "heartbeat", "battery": {"level": 0.5}}

    found = only(decoded("osmand", {"location": sent, "device_id": "7"}))

    assert (found.fix, found.measured_at) == (None, NOON)
    assert found.readings == {"battery.level": 50.0, "custom.event": "heartbeat"}


@pytest.mark.parametrize("sent", [{}, WITHOUT_PLACE])
def test_an_app_s_location_with_neither_place_nor_reading_is_refused(sent):
    found = decoded("osmand", {"location": sent, "device_id": "7"})

    assert faults(found) == [("/location/coords", "missing")]


@pytest.mark.parametrize(
    "body",
    [
        {"location": PLACE, "device_id": "7"},
        {"data": PLACE, "device_id": "7"},
        {"data": [PLACE], "device_id": "7"},
        PLACE | {"device_id": "7"},
        [PLACE | {"device_id": "7"}],
    ],
)
def test_a_template_may_write_its_coordinates_flat(body):
    fix = only(decoded("osmand", body)).fix

    assert (fix.lat_deg, fix.lon_deg) == (52.1, 4.3)


@pytest.mark.fault("F-024")
def test_an_app_s_own_members_are_kept_and_its_secrets_are_not():
    location = sdk_location(alarm="sos", extras={"route": 8, "nested": {"a": 1}})
    sent = {"location": location, "device_id": "7", "user_id": 1234, "token": "secret"}

    assert only(decoded("osmand", sent)).readings == {
        "sos": True,
        "custom.alarm": "sos",
        "custom.route": 8,
        "custom.user_id": 1234,
    }


def test_the_button_of_traccar_client_puts_its_sos_into_the_extras():
    sent = {"location": sdk_location(extras={"alarm": "sos"}), "device_id": "7"}

    assert only(decoded("osmand", sent)).readings == {"sos": True, "custom.alarm": "sos"}


@pytest.mark.parametrize(
    "body",
    [
        b"id=7&lat=52.1&lon=4.3&alarm=tampering%2CfuelLeak",
        b'{"device_id": "7", "location": {"alarm": "tampering,fuelLeak", "timestamp": 1767614400}}',
    ],
)
def test_an_alarm_is_the_same_word_in_parameters_and_in_json(body):
    readings = only(decoded("osmand", body)).readings

    assert readings == {"tamper": True, "custom.alarm": "tampering,fuelLeak"}


def test_a_secret_among_an_app_s_extras_is_not_kept():
    location = sdk_location(extras={"token": "secret", "password": "secret", "route": 8})

    readings = only(decoded("osmand", {"location": location, "device_id": "7"})).readings

    assert readings == {"custom.route": 8}


@pytest.mark.parametrize(
    ("format_name", "sent"),
    [
        ("osmand", {"location": sdk_location(extras={"tyre": {"bar": 2}}), "device_id": "7"}),
        ("owntracks", owntracks_location(tyre={"bar": 2})),
        ("traccar", traccar_position(attributes={"tyre": {"bar": 2}})),
    ],
)
def test_what_is_no_reading_is_named_where_it_is_left_out(format_name, sent):
    assert decoded(format_name, sent).notes["dropped_readings"] == ["custom.tyre"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([{"location": PLACE, "device_id": "7", "route": 8}], "/0/location/lat"),
        ([{"location": [PLACE], "device_id": "7", "route": 8}], "/0/location/0/lat"),
        (
            {"locations": [{"location": PLACE, "route": 8}], "device_id": "7"},
            "/locations/0/location/lat",
        ),
        (
            {"location": [{"location": PLACE}], "device_id": "7", "route": 8},
            "/location/0/location/lat",
        ),
    ],
)
def test_each_location_of_a_batch_may_have_a_wrapper_of_its_own(body, pointer):
    found = only(decoded("osmand", body))
    off_earth = json.loads(json.dumps(body).replace("52.1", "91"))

    assert (found.device, found.fix.lat_deg, found.readings) == ("7", 52.1, {"custom.route": 8})
    assert faults(decoded("osmand", off_earth))[0][0].startswith(pointer)


def test_an_app_may_write_its_count_of_seconds_as_text():
    sent = sdk_location(timestamp="1767614400")

    assert only(decoded("osmand", {"location": sent, "device_id": "7"})).measured_at == NOON


def test_an_app_s_heartbeat_is_recognised():
    body = b'{"location":{"timestamp":"2026-01-05T12:00:00Z","event":"heartbeat"},"device_id":"7"}'

    assert detect(Uplink(body=body, received_at=RECEIVED_AT)) == "osmand"


@pytest.mark.parametrize(
    ("body", "query", "name"),
    [
        (b'{"event": {"type": "deviceOnline"}, "device": {"uniqueId": "865"}}', "", "traccar"),
        (b"", "uniqueId=865&deviceTime=1767614400000&latitude=52.1&longitude=4.3", "traccar"),
        (b"", "device_id=7&lat=52.1&lon=4.3", "osmand"),
        (b"deviceId=7&wifi=00-11-22-33-44-55,-70", "", "osmand"),
        (b"", "lat=52.1&lon=4.3", None),
    ],
)
def test_a_request_of_traccar_s_family_is_recognised_by_every_name_of_a_device(body, query, name):
    assert detect(Uplink(body=body, query=query, received_at=RECEIVED_AT)) == name


def test_early_owntracks_apps_wrote_numbers_as_texts():
    sent = owntracks_location(
        lat="52.1", lon="4.3", tst="1767614400", acc="75", vel="36", cog="90", alt="5",
        batt="79", bs="2", vacc="3", p="101.3",
    )  # fmt: skip

    found = only(decoded("owntracks", sent))

    fix = found.fix
    assert (fix.lat_deg, fix.accuracy_m, fix.altitude_m) == (52.1, 75.0, 5.0)
    assert (fix.speed_mps, fix.course_deg) == (pytest.approx(10.0), 90.0)
    assert found.measured_at == NOON
    assert found.readings == {
        "battery.level": 79.0,
        "battery.charging": True,
        "vertical_accuracy": 3.0,
        "air.pressure": pytest.approx(1013.0),
    }


@pytest.mark.fault("F-047")
def test_milliseconds_where_owntracks_counts_seconds_are_known_by_their_size():
    found = only(decoded("owntracks", owntracks_location(tst=1_767_614_400_000)))

    assert (found.measured_at, found.time_source) == (NOON, "device")


def test_a_beacon_s_transition_need_not_say_where():
    sent = owntracks_location(_type="transition", event="enter", desc="keys", lat=None, lon=None)

    found = only(decoded("owntracks", sent))

    assert (found.fix, found.measured_at) == (None, NOON)
    assert found.readings["custom.event"] == "enter"


def test_a_location_without_a_place_is_set_aside():
    assert reason(decoded("owntracks", owntracks_location(lat=None, lon=None))) == "no-position"


TEMPLATE = (
    "name=Van&uniqueId=865&deviceId=1&protocol=osmand&status=online&statusCode=0xF11C"
    "&fixTime=1767614400000&latitude=52.1&longitude=4.3&speed=10"
)


@pytest.mark.fault("F-024")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("batteryLevel=87.0&charge=true", {"battery.level": 87.0, "battery.charging": True}),
        ("batteryLevel=null&charge=null&address={address}", {}),
        ("route=8", {"custom.route": 8}),
        ('attributes={"ignition":true}&route=8', {"ignition": True, "custom.route": 8}),
        ("token=secret", {}),
    ],
)
def test_what_a_url_template_adds_becomes_readings(query, expected):
    readings = only(decoded("traccar", query=f"{TEMPLATE}&{query}")).readings

    # The only trace of an alarm in a template without `attributes`.
    assert readings == {"custom.statusCode": "0xF11C"} | expected


def test_the_clock_of_a_sentence_has_a_fraction():
    query = "id=9&gprmc=$GPRMC,120000.250,A,5206.0000,N,00418.0000,E,0,0,050126,,*05"

    assert only(decoded("traccar", query=query)).measured_at == NOON + timedelta(milliseconds=250)


OFF_EARTH = traccar_position(latitude=91)


@pytest.mark.fault("F-020", "F-055")
@pytest.mark.parametrize(
    ("body", "query", "expected"),
    [
        (OFF_EARTH, "", [("/position/latitude", "out-of-range")]),
        ([traccar_position(), OFF_EARTH], "", [("/1/position/latitude", "out-of-range")]),
        ([traccar_position(), 7], "", [("/1", "not-an-object")]),
        (b"", "uniqueId=865&latitude=52.1&longitude=180.5", [("/longitude", "out-of-range")]),
    ],
)
def test_what_traccar_forwards_and_cannot_be_used_is_told_apart(body, query, expected):
    found = decoded("traccar", body, query=query)

    assert faults(found) == expected
    assert len(found.observations) == (1 if isinstance(body, list) else 0)


def test_an_invalid_position_off_the_earth_is_still_a_sign_of_life():
    found = only(decoded("traccar", traccar_position(latitude=91, valid=False)))

    assert found.fix is None


@pytest.mark.parametrize("body", [[1, 2], [{}], {"latitude": 52.1}])
def test_what_traccar_never_forwards_is_unreadable(body):
    with pytest.raises(UnreadableUplink):
        decoded("traccar", body)


def test_a_url_template_may_use_the_names_of_other_protocols():
    query = "dev=865&lat=52.1&lon=4.3&alt=7&timestamp=1767614400000&speed=10&bearing=90"

    found = only(decoded("traccar", query=query))

    assert (found.device, found.measured_at) == ("865", NOON)
    assert (found.fix.altitude_m, found.fix.course_deg) == (7.0, 90.0)


@pytest.mark.fault("F-047")
def test_seconds_where_traccar_counts_milliseconds_are_an_old_clock():
    found = only(decoded("traccar", query="uniqueId=865&fixTime=1767614400&latitude=1&longitude=2"))

    assert found.measured_at < NOON - timedelta(days=365 * 50)


@pytest.mark.parametrize(
    "members", [{}, {"position": None}, {"event": {"type": "deviceOnline"}, "position": None}]
)
@pytest.mark.fault("F-162")
def test_what_traccar_forwards_without_a_position_is_noted(members):
    found = decoded("traccar", {"device": {"uniqueId": "865"}} | members)

    assert (found.observations, found.set_aside) == ((), None)


def test_the_other_server_s_number_of_a_device_names_nobody_here():
    sent = traccar_position(deviceId=1)
    sent["device"] = {"id": 1, "name": "Van"}

    assert reason(decoded("traccar", sent)) == "no-device"


def test_the_user_of_http_basic_names_the_phone_where_the_app_does_not():
    found = only(decoded("osmand", {"location": sdk_location()}, user="Pixel-7"))

    assert found.device == "pixel-7"


@pytest.mark.fault("F-021")
def test_more_positions_than_a_batch_may_have_are_not_forwarded():
    with pytest.raises(TooLarge) as error:
        decoded("traccar", [traccar_position()] * 1_001)

    assert error.value.code == "too-many-fixes"


@pytest.mark.fault("F-026")
@pytest.mark.parametrize("format_name", ["osmand", "traccar"])
def test_more_parameters_than_an_app_has_are_refused_before_they_are_split(format_name):
    query = "id=7&lat=52.1&lon=4.3&" + "&".join(f"a{number}=1" for number in range(198))

    with pytest.raises(UnreadableUplink, match="more than 200 parameters"):
        decoded(format_name, query=query)


@pytest.mark.parametrize("body", [{"device_id": "7", "battery": 80}, {"location": "52.1,4.3"}])
def test_json_without_a_location_is_unreadable(body):
    with pytest.raises(UnreadableUplink, match="no location"):
        decoded("osmand", body)


def test_parameters_under_the_type_of_json_are_malformed_json():
    with pytest.raises(UnreadableUplink) as error:
        decoded("osmand", b"id=7&lat=52.1&lon=4.3", content_type="application/json")

    assert error.value.code == "malformed-json"


@pytest.mark.fault("F-016", "F-017")
@pytest.mark.parametrize("format_name", ["osmand", "traccar"])
@pytest.mark.parametrize("name", ["note=a\0b", "note=a%00b", "no%00te=a", "note=caf%E9"])
def test_a_parameter_that_no_database_can_hold_is_refused(format_name, name):
    with pytest.raises(UnreadableUplink):
        decoded(format_name, query=f"id=7&lat=52.1&lon=4.3&{name}")


def test_a_body_beside_a_query_that_is_no_form_is_not_read():
    found = decoded("osmand", b"hello", query="id=7&lat=52.1&lon=4.3", content_type="text/plain")

    assert only(found).device == "7"


@pytest.mark.fault("F-006")
def test_a_forwarding_request_without_parameters_and_body_is_empty():
    with pytest.raises(UnreadableUplink) as error:
        decoded("traccar")

    assert error.value.code == "empty-body"


def test_attributes_that_are_no_json_leave_the_position():
    found = only(decoded("traccar", query=f"{TEMPLATE}&attributes={{ignition:true"))

    assert found.fix is not None
    assert "ignition" not in found.readings


@pytest.mark.parametrize("text", ["noon", "2026-13-05T12:00:00Z", 10**20])
def test_where_the_time_of_a_fix_is_unreadable_that_of_the_device_counts(text):
    found = only(decoded("traccar", traccar_position(fixTime=text)))

    assert found.measured_at == NOON + timedelta(seconds=10)


@pytest.mark.parametrize(
    ("clock", "lat", "date", "measured_at", "has_fix"),
    [
        ("120000", "5206.0000", "050126", NOON, True),
        ("120000", "", "050126", NOON, False),
        ("120000", "-5206.0000", "050126", NOON, False),
        ("120000", "5206.0000", "051326", RECEIVED_AT, True),
        ("noon", "5206.0000", "050126", RECEIVED_AT, True),
    ],
)
def test_an_unreadable_part_of_a_sentence_leaves_the_others(clock, lat, date, measured_at, has_fix):
    sentence = f"$GPRMC,{clock},A,{lat},N,00418.0000,E,0,0,{date},,*05"

    found = only(decoded("traccar", query=f"id=9&gprmc={sentence}"))

    assert (found.measured_at, found.fix is not None) == (measured_at, has_fix)


@pytest.mark.parametrize(
    ("valid", "has_fix"), [("true", True), ("1", True), ("false", False), ("", True)]
)
def test_a_url_template_may_say_whether_its_fix_is_valid(valid, has_fix):
    query = f"uniqueId=865&latitude=52.1&longitude=4.3&valid={valid}"

    assert (only(decoded("traccar", query=query)).fix is not None) is has_fix
