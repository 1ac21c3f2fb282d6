"""Phones, trackers behind them, and forwarding servers: OwnTracks, OsmAnd, Traccar."""

from __future__ import annotations

import json
from datetime import timedelta

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
from wire.registry import FORMATS

IPHONE = "22A67880-15C3-41A6-9157-25545C7993AC"


@pytest.mark.parametrize(
    ("topic", "device"),
    [
        ("owntracks/ada/phone", "ada/phone"),
        ("owntracks/ada/phone/event", "ada/phone"),
        ("/owntracks/ada/phone", "ada/phone"),
        ("owntracks/qtripp/865284041968706", "865284041968706"),
        (f"owntracks/ada/{IPHONE}", IPHONE.lower()),
    ],
)
def test_the_topic_names_the_device_and_its_user_where_that_is_needed(topic, device):
    assert only(decoded("owntracks", owntracks_location(topic=topic))).device == device


@pytest.mark.parametrize(
    ("more", "device"),
    [
        (
            {"headers": {"x-limit-u": "ada", "x-limit-d": "phone"}, "query": "u=eve&d=x"},
            "ada/phone",
        ),
        ({"query": "u=ada&d=tablet", "user": "eve"}, "ada/tablet"),
        ({"query": "d=tablet"}, "tablet"),
        ({"user": "ada"}, "ada"),
        ({}, "aa"),
    ],
)
def test_without_topic_headers_query_user_and_tid_follow_in_this_order(more, device):
    sent = owntracks_location(topic=None, tid="AA")

    assert only(decoded("owntracks", sent, **more)).device == device


def test_a_location_of_nobody_is_set_aside():
    found = decoded("owntracks", owntracks_location(topic=None))

    assert reason(found) == "no-device"


def test_kilometres_an_hour_kilopascals_and_kilometres_are_converted():
    found = only(decoded("owntracks", owntracks_location(vel=36, p=101.3, odometer=12.5, vac=3)))

    assert found.fix.speed_mps == pytest.approx(10.0)
    assert found.readings["air.pressure"] == pytest.approx(1013.0)
    assert found.readings["odometer"] == pytest.approx(12_500.0)
    assert found.readings["vertical_accuracy"] == 3


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"bs": 2}, {"battery.charging": True}),
        ({"bs": 1}, {"battery.charging": False}),
        ({"bs": 0}, {}),
        ({"batt": 46}, {"battery.level": 46}),
        ({"batt": -1}, {}),
        ({"uext": 12.1, "ubatt": 3.9}, {"power.voltage": 12.1, "battery.voltage": 3.9}),
        ({"t": "p"}, {"custom.trigger": "p"}),
        ({"t": "i"}, {"custom.event": "i", "ignition": True}),
        ({"t": "I"}, {"custom.event": "I", "ignition": False}),
        ({"t": "i", "ign": 0}, {"custom.event": "i", "ignition": False}),
        ({"temp_c-00": 5.5}, {"air.temperature": 5.5}),
        (
            {"temp_c-00": 5.5, "temp_c-01": 6.5},
            {"air.temperature.0": 5.5, "air.temperature.1": 6.5},
        ),
        (
            {"motionactivities": ["stationary", "walking"]},
            {"custom.activity": "stationary,walking"},
        ),
        ({"image": "A" * 10_000}, {}),
        ({"rpm": 900, "vin": "WDB1"}, {"custom.rpm": 900, "custom.vin": "WDB1"}),
    ],
)
def test_what_a_phone_or_queclink_reports_becomes_readings(members, expected):
    assert only(decoded("owntracks", owntracks_location(**members))).readings == expected


@pytest.mark.parametrize("unknown", [{"vel": -1}, {"cog": -1}, {"acc": 0}, {"acc": -1}])
def test_minus_one_is_the_apps_word_for_unknown(unknown):
    fix = only(decoded("owntracks", owntracks_location(**unknown))).fix

    assert (fix.speed_mps, fix.course_deg, fix.accuracy_m) == (None, None, None)


def test_a_transition_is_a_position_with_its_region():
    sent = owntracks_location(_type="transition", event="leave", desc="depot", wtst=1)

    found = decoded("owntracks", sent)

    assert found.message == "geofence event"
    assert (found.notes["event"], found.notes["region"]) == ("leave", "depot")
    assert only(found).measured_at == NOON


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        ({"_type": "lwt", "tst": 1}, "lwt"),
        ({"_type": "card", "name": "Ada"}, "card"),
        ({"_type": "unheard-of"}, "ignored"),
        ({"_type": ["location"]}, "ignored"),
        ({}, "ignored"),
    ],
)
def test_what_is_no_position_is_taken_and_dropped(body, message):
    found = decoded("owntracks", body)

    assert (found.message, found.observations, found.set_aside) == (message, (), None)


def test_an_encrypted_message_is_set_aside():
    assert reason(decoded("owntracks", {"_type": "encrypted", "data": "x"})) == "encrypted"


def test_an_impossible_place_is_set_aside_and_0_0_is_no_fix():
    assert reason(decoded("owntracks", owntracks_location(lat=91))) == "no-position"
    assert only(decoded("owntracks", owntracks_location(lat=0, lon=0))).fix is None


def test_a_time_beyond_all_calendars_falls_back_to_the_servers():
    found = only(decoded("owntracks", owntracks_location(tst=10**30)))

    assert (found.measured_at, found.time_source) == (RECEIVED_AT, "server")


def test_broken_json_is_unreadable_and_the_door_answers_a_list():
    with pytest.raises(UnreadableUplink):
        decoded("owntracks", b"{")

    assert FORMATS["owntracks"].is_lenient
    assert FORMATS["owntracks"].success_body == b"[]"


@pytest.mark.fault("F-046", "F-047")
@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("1767614400", timedelta()),
        ("1767614400.5", timedelta(seconds=0.5)),
        ("1767614400250", timedelta(milliseconds=250)),
        ("1767614400000250", timedelta(microseconds=250)),
        ("2026-01-05T12:00:00Z", timedelta()),
        ("2026-01-05T13:00:00%2B01:00", timedelta()),
        ("2026-01-05T13:00:00+01:00", timedelta()),
        ("2026-01-05T12:00:00", timedelta()),
        ("2026-01-05+12:00:00", timedelta()),
        ("2026-01-05%2012:00:00", timedelta()),
    ],
)
def test_osmand_reads_seconds_milliseconds_and_texts_as_utc(text, offset):
    found = only(decoded("osmand", query=f"id=7&lat=1&lon=2&timestamp={text}"))

    assert (found.measured_at, found.time_source) == (NOON + offset, "device")


@pytest.mark.fault("F-044", "F-048")
@pytest.mark.parametrize(
    "text", ["noon", "-5", "9" * 30, "2026-01-05T12:00:00%2B25:00", "2026-01-05"]
)
def test_osmand_refuses_what_is_no_time(text):
    found = decoded("osmand", query=f"id=7&lat=1&lon=2&timestamp={text}")

    assert faults(found) == [("/timestamp", "not-a-time")]


def test_osmand_without_time_has_the_servers():
    found = only(decoded("osmand", query="id=7&lat=1&lon=2&timestamp="))

    assert (found.measured_at, found.time_source) == (RECEIVED_AT, "server")


@pytest.mark.fault("F-013")
@pytest.mark.parametrize("text", ["1_0", "١٢", "nan", "inf", "0x1f", "1e999", "12,5", "１２"])
def test_text_formats_take_ascii_digits_only(text):
    found = decoded("osmand", query=f"id=7&lat={text}&lon=2")

    assert faults(found) == [("/lat", "not-a-number")]


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("lat=1&lon=2", "/id", "missing"),
        ("id=7&lon=2", "/lat", "missing"),
        ("id=7&lat=1", "/lon", "missing"),
        ("id=7", "/lat", "missing"),
        ("id=7&lat=91&lon=2", "/lat", "out-of-range"),
        ("id=7&lat=1&lon=-180.5", "/lon", "out-of-range"),
        ("id=7&location=1", "/location", "not-a-number"),
        ("id=7&lat=1&lon=2&speed=fast", "/speed", "not-a-number"),
        ("id=7&deviceid=8&lat=1&lon=2", "/id", "duplicate-key"),
        (f"id={'7' * 129}&lat=1&lon=2", "/id", "too-long"),
    ],
)
def test_osmand_says_what_is_missing_or_wrong(query, pointer, code):
    assert faults(decoded("osmand", query=query)) == [(pointer, code)]


def test_another_spelling_beside_an_id_is_an_attribute_like_any_other():
    (one,) = decoded("osmand", query="id=7&device_id=7&deviceId=pixel&lat=1&lon=2").observations

    assert (one.device, one.readings) == ("7", {"custom.deviceId": "pixel"})


@pytest.mark.fault("F-014")
def test_a_parameter_with_two_values_is_never_silently_the_last():
    with pytest.raises(UnreadableUplink) as error:
        decoded("osmand", query="id=7&lat=1&lon=2&lat=89")

    assert error.value.code == "duplicate-key"


@pytest.mark.fault("F-006")
def test_a_request_without_parameters_and_body_is_empty():
    with pytest.raises(UnreadableUplink) as error:
        decoded("osmand")

    assert error.value.code == "empty-body"


@pytest.mark.fault("F-018")
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", None])
def test_osmand_reads_a_form_under_whatever_type(content_type):
    found = decoded("osmand", b"id=7&lat=52.1&lon=4.3&speed=10", content_type=content_type)

    assert only(found).fix.speed_mps == pytest.approx(5.14444)


@pytest.mark.parametrize("query", ["id=7&location=52.1,4.3", "deviceid=7&lat=52.1&lon=4.3&valid=1"])
def test_osmand_has_two_ways_to_name_device_and_place(query):
    found = only(decoded("osmand", query=query))

    assert (found.device, found.fix.lat_deg, found.fix.lon_deg) == ("7", 52.1, 4.3)


@pytest.mark.parametrize("query", ["lat=52.1&lon=4.3&valid=false", "lat=0&lon=0", "batt=50"])
def test_osmand_without_a_valid_fix_is_still_an_observation(query):
    assert only(decoded("osmand", query=f"id=7&{query}")).fix is None


def test_osmand_parameters_become_readings_and_the_key_does_not():
    sent = "id=7&lat=1&lon=2&batt=87&charge=true&ignition=1&rpm=933&code=007&note=a%20b&f=1.5&key=s"

    assert only(decoded("osmand", query=sent)).readings == {
        "battery.level": 87.0,
        "battery.charging": True,
        "ignition": True,
        "custom.rpm": 933,
        "custom.code": "007",
        "custom.note": "a b",
        "custom.f": 1.5,
    }


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"location": sdk_location(coords={"latitude": 91, "longitude": 1}), "device_id": "7"},
         "/location/coords/latitude"),
        ({"location": [sdk_location(), sdk_location(coords={"latitude": "1", "longitude": 1})],
          "device_id": "7"}, "/location/1/coords/latitude"),
        ({"location": sdk_location(timestamp="noon"), "device_id": "7"}, "/location/timestamp"),
        ({"location": sdk_location()}, "/device_id"),
    ],
)  # fmt: skip
def test_an_app_s_fault_has_its_pointer(body, pointer):
    assert [found for found, _ in faults(decoded("osmand", body))] == [pointer]


@pytest.mark.parametrize(
    "body",
    [
        {"location": sdk_location(), "device_id": "7"},
        {"location": [sdk_location()], "device_id": "7"},
        {"data": sdk_location(), "deviceId": 7},
        {"records": [sdk_location()], "device_id": "7"},
        [sdk_location(device_id="7")],
        sdk_location(device_id="7"),
        [
            {"location": sdk_location(), "device_id": "7"},
        ],
        {"location": sdk_location(extras={"device_id": "7"})},
    ],
)
def test_the_sdk_s_location_is_found_under_every_root(body):
    found = decoded("osmand", body, query="id=7")

    assert only(found).device == "7"
    assert only(found).event_id == "0e9a2473-a9a7-4c00-997b-fb97d2154e75"


def test_the_sdk_counts_in_metres_a_second_and_fractions():
    sent = sdk_location(
        coords={"latitude": 52.1, "longitude": 4.3, "speed": 18.67, "heading": 360},
        battery={"level": 0.29, "is_charging": True},
        is_moving=True,
        odometer=1234.5,
    )

    found = only(decoded("osmand", {"location": sent, "device_id": "7"}))

    assert (found.fix.speed_mps, found.fix.course_deg) == (18.67, 0.0)
    assert found.readings == {
        "battery.level": 29.0,
        "battery.charging": True,
        "motion.detected": True,
        "odometer": 1234.5,
    }


def test_the_sdk_s_minus_one_is_unknown():
    sent = sdk_location(
        coords={"latitude": 52.1, "longitude": 4.3, "speed": -1, "heading": -1, "accuracy": -1},
        battery={"level": -1, "is_charging": False},
    )

    found = only(decoded("osmand", {"location": sent, "device_id": "7"}))

    assert (found.fix.speed_mps, found.fix.course_deg, found.fix.accuracy_m) == (None, None, None)
    assert "battery.level" not in found.readings


@pytest.mark.fault("F-021")
def test_a_thousand_and_one_locations_are_too_many():
    with pytest.raises(TooLarge) as error:
        decoded("osmand", {"location": [sdk_location()] * 1_001, "device_id": "7"})

    assert error.value.code == "too-many-fixes"


def test_traccar_forwards_knots():
    fix = only(decoded("traccar", traccar_position())).fix

    assert fix.speed_mps == pytest.approx(5.14444)


@pytest.mark.parametrize("members", [{"valid": False}, {"outdated": True}])
def test_an_invalid_position_of_traccar_is_a_sign_of_life_at_the_device_s_time(members):
    found = only(decoded("traccar", traccar_position(**members)))

    assert found.fix is None
    assert found.measured_at == NOON + timedelta(seconds=10)


@pytest.mark.parametrize(
    "text", ["2026-01-05T12:00:00.000+0000", "2026-01-05T12:00:00Z", 1767614400000]
)
def test_traccar_spells_its_times_in_several_ways(text):
    assert only(decoded("traccar", traccar_position(fixTime=text))).measured_at == NOON


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"batteryLevel": 80, "battery": 3.9}, {"battery.level": 80, "battery.voltage": 3.9}),
        ({"power": 12.4, "charge": True}, {"power.voltage": 12.4, "battery.charging": True}),
        ({"temp1": 4.5}, {"air.temperature": 4.5}),
        (
            {"temp1": 4.5, "temp2": -127, "temp3": 85.0},
            {"air.temperature.1": 4.5, "custom.temp2": -127, "custom.temp3": 85.0},
        ),
        ({"temp1": 4.5, "temp2": 5.5}, {"air.temperature.1": 4.5, "air.temperature.2": 5.5}),
        ({"fuel": 62.5}, {"custom.fuel": 62.5}),
        ({"sat": 9, "hdop": 0.8}, {"satellites": 9, "hdop": 0.8}),
        ({"alarm": "sos"}, {"custom.alarm": "sos", "sos": True}),
        ({"door": True}, {"contact": "open"}),
        ({"nested": {"a": 1}, "none": None}, {}),
    ],
)
def test_traccar_s_attributes_have_the_units_of_its_model(attributes, expected):
    found = only(decoded("traccar", traccar_position(attributes=attributes)))

    assert found.readings == expected


def test_traccar_may_forward_many_at_once():
    found = decoded("traccar", [traccar_position(), traccar_position(id=8)])

    assert found.indexes == (0, 1)
    assert [one.event_id for one in found.observations] == ["traccar:7", "traccar:8"]


@pytest.mark.parametrize(
    ("query", "device", "lat_deg"),
    [
        ("uniqueId=86500&fixTime=1767614400000&latitude=52.1&longitude=4.3&name=x", "86500", 52.1),
        ("id=9&deviceTime=1767614400000&lat=52.1&lon=4.3", "9", 52.1),
        (
            "name=Van&gprmc=$GPRMC,120000.000,A,5206.0000,S,00418.0000,E,0,0,050126,,*05",
            "van",
            -52.1,
        ),
    ],
)
def test_a_url_template_names_device_place_and_time(query, device, lat_deg):
    found = only(decoded("traccar", query=query))

    assert (found.device, found.measured_at) == (device, NOON)
    assert found.fix.lat_deg == pytest.approx(lat_deg)


def test_a_void_sentence_is_no_fix():
    query = "id=9&gprmc=$GPRMC,120000.000,V,5206.0000,N,00418.0000,E,0,0,050126,,*05"

    assert only(decoded("traccar", query=query)).fix is None


def test_a_url_template_may_carry_attributes_as_json():
    query = "id=9&lat=1&lon=2&attributes=" + json.dumps({"ignition": True})

    assert only(decoded("traccar", query=query)).readings == {"ignition": True}


def test_a_position_of_no_device_is_set_aside():
    sent = traccar_position()
    sent["device"] = {}

    assert reason(decoded("traccar", sent)) == "no-device"
