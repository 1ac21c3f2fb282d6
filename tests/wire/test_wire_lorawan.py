"""Network servers: The Things Stack and ChirpStack, with the traps of each."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import UnreadableUplink
from tests.wire.uplinks import (
    NOON,
    RECEIVED_AT,
    chirpstack_event,
    decoded,
    only,
    reason,
    ttn_uplink,
)
from wire.payloads import cayenne
from wire.payloads.payload_reader import read_payload


def place_of(payload: dict[str, Any]) -> tuple[float, float] | None:
    fix = read_payload(payload, now=NOON).main.fix
    return None if fix is None else (fix.lat_deg, fix.lon_deg)


def readings_of(payload: dict[str, Any]) -> dict[str, Any]:
    return dict(read_payload(payload, now=NOON).main.readings)


@pytest.mark.parametrize(
    "payload",
    [
        {"lat": 52.1, "lon": 4.3},
        {"lat": 52.1, "lng": 4.3},
        {"lat": 52.1, "long": 4.3},
        {"latitude": 52.1, "longitude": 4.3},
        {"Latitude": 52.1, "Longitude": 4.3},
        {"latitudeDeg": 52.1, "longitudeDeg": 4.3},
        {"gps_lat": 52.1, "gps_lng": 4.3},
        {"gpsLatitude": 52.1, "gpsLongitude": 4.3},
        {"lat": "52.1", "lon": "4.3"},
        {"gps_7": {"latitude": 52.1, "longitude": 4.3}},
        {"gpsLocation": {"1": {"latitude": 52.1, "longitude": 4.3}}},
        {"position": {"gnssFix": {"latitude": 52.1, "longitude": 4.3}}},
        {"gnss": {"latitude": 52.1, "longitude": 4.3}},
        {"position": {"gnss": {"fix": {"lat": 52.1, "lon": 4.3}}}},
        {"position": {"source": "gnss", "gnss": {"lat": 52.1, "lon": 4.3}}},
        {"location": {"type": "Point", "coordinates": [4.3, 52.1]}},
        {"gps_location": {"latitude": 52.1, "longitude": 4.3}},
        {"gpsPosition": {"lat": 52.1, "lng": 4.3}},
        {"lat": 0, "lon": 0, "gps": {"lat": 52.1, "lon": 4.3}},
        {"position": {"gnss": {"fix": {"location": {"lat": 52.1, "lon": 4.3}}}}},
    ],
)
def test_a_position_is_found_under_its_usual_names(payload):
    assert place_of(payload) == (52.1, 4.3)


@pytest.mark.parametrize(
    "payload",
    [
        {"latitude": 0, "longitude": 0},
        {"latitude": 91, "longitude": 4},
        {"latitude": 52.1, "longitude": -1618.0},
        {"latitude": 52.1},
        {"Latitude": "0208A1C2", "Longitude": "00682E10"},
        {"latitude": "null", "longitude": "null"},
        {"latitude": True, "longitude": True},
        {"latitude": 52.1, "longitude": 4.3, "sats": 0},
        {"latitude": 52.1, "longitude": 4.3, "valid": False},
        {"latitude": 52.1, "longitude": 4.3, "fixFailed": True},
        {"fixFailed": True, "cached": {"latitudeDeg": 52.1, "longitudeDeg": 4.3}},
        {"gpsPrevious": {"latitude": 52.1, "longitude": 4.3}},
        {"coordinates": [4.3, 52.1]},
        {"gnss": {"state": "searching", "seconds": 90}},
    ],
)
def test_what_is_no_fix_does_not_become_one(payload):
    assert place_of(payload) is None


def test_an_accuracy_is_never_made_of_an_hdop():
    sent = {"latitude": 52.1, "longitude": 4.3, "hdop": 0.9, "satellites": 7}

    found = only(decoded("ttn", ttn_uplink(sent)))

    assert found.fix.accuracy_m is None
    assert (found.readings["hdop"], found.readings["satellites"]) == (0.9, 7)


@pytest.mark.parametrize(
    ("sent", "speed_mps"),
    [({"speedKmph": 36}, 10.0), ({"speed_mps": 10}, 10.0), ({"speed": 36}, None)],
)
def test_a_speed_counts_only_with_its_unit(sent, speed_mps):
    fix = read_payload({"lat": 52.1, "lon": 4.3} | sent, now=NOON).main.fix

    assert fix is not None
    assert fix.speed_mps == (None if speed_mps is None else pytest.approx(speed_mps))


def test_a_speed_without_unit_stays_as_sent():
    assert readings_of({"lat": 52.1, "lon": 4.3, "speed": 36}) == {"custom.speed": 36}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"battery": 3250}, {"battery.voltage": 3.25}),
        ({"battery": "3.4V"}, {"battery.voltage": 3.4}),
        ({"battery": "87%"}, {"battery.level": 87.0}),
        ({"BatV": 3.1}, {"battery.voltage": 3.1}),
        ({"batmV": 3100}, {"battery.voltage": pytest.approx(3.1)}),
        ({"batteryLevel": 87}, {"battery.level": 87}),
        ({"batteryLevel": 255}, {"custom.batteryLevel": 255}),
        ({"temperature": "30°C"}, {"air.temperature": 30.0}),
        ({"temperature": "86°F"}, {"air.temperature": pytest.approx(30.0)}),
        ({"tempF": 86}, {"air.temperature": pytest.approx(30.0)}),
        ({"relative_humidity_8": 41}, {"air.humidity": 41}),
        ({"barometric_pressure_10": 1013}, {"air.pressure": 1013}),
        ({"luminosity_2": 9}, {"light": 9}),
        ({"luminosity": 0.64}, {"custom.luminosity": 0.64}),
        ({"temperature_7": 20}, {"air.temperature": 20}),
        (
            {"temperature_1": 20, "temperature_2": 21},
            {"air.temperature.1": 20, "air.temperature.2": 21},
        ),
        (
            {"temperatureSensor": {"3": 20, "5": 21}},
            {"air.temperature.3": 20, "air.temperature.5": 21},
        ),
        (
            {"accelerometer_2": {"x": 0.1, "y": 0, "z": 1}},
            {"acceleration.x": 0.1, "acceleration.y": 0, "acceleration.z": 1},
        ),
        ({"co2": 415, "door": "open"}, {"air.co2": 415, "contact": "open"}),
        ({"door": "Closed", "magnet_status": "close"}, {"contact": "closed"}),
        ({"door": "ajar"}, {"custom.door": "ajar"}),
        ({"water_leak": "leak"}, {"leak": True}),
        ({"a": {"b": {"c": 1}}, "l": [1]}, {"custom.a.b.c": 1, "custom.l": "[1]"}),
        ({"note": "", "gone": None}, {}),
    ],
)
def test_a_reading_is_known_by_its_name_and_unit(sent, expected):
    assert readings_of(sent) == expected


def test_more_readings_than_fit_are_named_and_dropped():
    found = decoded("ttn", ttn_uplink({f"n{i}": i for i in range(100)} | {"x" * 70: 1}))

    assert len(only(found).readings) == 64
    assert 0 < len(found.notes["dropped_readings"]) < 20


@pytest.mark.parametrize(
    ("payload", "members", "at", "note"),
    [
        ({"time": "2026-01-05T11:59:00Z"}, {}, NOON - timedelta(minutes=1), "device"),
        ({"timestamp": 1767614340}, {}, NOON - timedelta(minutes=1), "device"),
        ({"time": "1980-01-06T00:00:00Z"}, {}, NOON, "network (uplink_message"),
        ({"time": 35}, {}, NOON, "network (uplink_message"),
        (
            {},
            {"rx_metadata": [{"time": "2026-01-05T11:59:59Z"}]},
            NOON - timedelta(seconds=1),
            "network (rx_metadata[0].time",
        ),
        (
            {},
            {"rx_metadata": [{"time": "1970-01-01T00:00:09Z"}]},
            NOON,
            "network (uplink_message.received_at",
        ),
        (
            {},
            {
                "rx_metadata": [
                    {"time": "2026-01-05T11:59:59Z"},
                    {"gps_time": "2026-01-05T11:59:58Z"},
                ]
            },
            NOON - timedelta(seconds=2),
            "network (rx_metadata[1].gps_time",
        ),
        ({}, {"received_at": None}, NOON + timedelta(seconds=1), "network (received_at"),
    ],
)
def test_the_best_time_of_a_things_stack_uplink_is_chosen(payload, members, at, note):
    found = decoded("ttn", ttn_uplink(payload, **members))

    assert only(found).measured_at == at
    assert found.notes["time_source"].startswith(note)


def test_a_message_without_any_time_has_the_servers():
    found = only(decoded("ttn", {"uplink_message": {"f_port": 1}}, query="devEUI=0004A30B001C0530"))

    assert (found.measured_at, found.time_source) == (RECEIVED_AT, "server")


@pytest.mark.parametrize("query", ["devEUI=0004A30B001C0530", "a=b&devID=0004a30b001c0530"])
def test_without_ids_the_url_names_the_device(query):
    sent = ttn_uplink({"temperature": 1})
    del sent["end_device_ids"]

    assert only(decoded("ttn", sent, query=query)).device == "0004a30b001c0530"


def test_without_ids_anywhere_the_message_is_set_aside():
    found = decoded("ttn", {"uplink_message": {"f_port": 1}})

    assert reason(found) == "no-device"
    assert found.observations == ()


def test_a_device_without_eui_goes_by_its_device_id():
    sent = ttn_uplink({"temperature": 1})
    del sent["end_device_ids"]["dev_eui"]

    assert only(decoded("ttn", sent)).device == "van-7"


def test_the_registry_location_is_configuration():
    user = {"latitude": 52.1, "longitude": 4.3, "altitude": 5, "source": "SOURCE_REGISTRY"}

    found = decoded("ttn", ttn_uplink({"temperature": 1}, locations={"user": user}))

    assert only(found).fix is None
    assert found.notes["registered_location"]["lat"] == 52.1


def test_a_service_s_last_known_location_is_no_fix():
    lora_cloud = {"latitude": 52.1, "longitude": 4.3, "source": "SOURCE_LORA_TDOA_GEOLOCATION"}

    found = decoded("ttn", ttn_uplink({"temperature": 1}, locations={"lora-cloud": lora_cloud}))

    assert only(found).fix is None
    assert "lora-cloud" in found.notes["last_locations"]


def test_where_the_payload_was_filtered_away_the_stack_s_own_finding_counts():
    inferred = {"latitude": 52.1, "longitude": 4.3, "accuracy": 1, "source": "SOURCE_GPS"}

    fix = only(decoded("ttn", ttn_uplink(None, locations={"frm-payload": inferred}))).fix

    assert (fix.lat_deg, fix.accuracy_m) == (52.1, None)


def test_beside_a_payload_without_position_the_stack_s_finding_is_stale():
    inferred = {"latitude": 52.1, "longitude": 4.3, "source": "SOURCE_GPS"}

    sent = ttn_uplink({"temperature": 1}, locations={"frm-payload": inferred})

    assert only(decoded("ttn", sent)).fix is None


def test_zero_values_are_left_out_and_read_as_zero():
    sent = ttn_uplink({}, f_port=None, rx_metadata=[{"rssi": -50}])

    readings = only(decoded("ttn", sent)).readings

    assert (readings["link.fport"], readings["link.fcnt"], readings["link.snr"]) == (0, 0, 0.0)


def test_the_strongest_gateway_speaks_for_the_radio():
    heard = [
        {"gateway_ids": {"gateway_id": "far"}, "rssi": -120, "snr": -9},
        {
            "gateway_ids": {"gateway_id": "near"},
            "rssi": -60,
            "snr": 7,
            "location": {"latitude": 52.1, "longitude": 4.3},
        },
        {"gateway_ids": {"gateway_id": "near"}, "rssi": -70, "snr": 6},
    ]

    found = decoded("ttn", ttn_uplink({}, rx_metadata=heard))

    readings = only(found).readings
    assert (readings["link.rssi"], readings["link.snr"], readings["link.gateways"]) == (-60, 7, 2)
    assert found.notes["best_gateway"]["id"] == "near"
    assert found.notes["network_estimate"]["accuracy_m"] >= 1_000
    assert only(found).fix is None


def test_last_battery_percentage_is_the_battery_level():
    sent = ttn_uplink({}, last_battery_percentage={"value": 81.5, "f_cnt": 3})

    assert only(decoded("ttn", sent)).readings["battery.level"] == 81.5


def test_normalised_values_win_over_decoded_ones():
    sent = ttn_uplink(
        {"battery": 3250, "temperature": 99},
        normalized_payload=[{"battery": 3.25, "air": {"temperature": -21.3}}],
    )

    readings = only(decoded("ttn", sent)).readings

    assert (readings["battery.voltage"], readings["air.temperature"]) == (3.25, -21.3)


def test_each_normalised_time_is_an_observation_of_its_own():
    sent = ttn_uplink(
        {"temperature": 1},
        normalized_payload=[
            {"time": "2026-01-05T11:00:00Z", "air": {"temperature": 5}},
            {"time": "2026-01-05T11:30:00Z", "air": {"temperature": 6}},
        ],
    )

    found = decoded("ttn", sent).observations

    assert [one.measured_at.hour * 60 + one.measured_at.minute for one in found] == [720, 660, 690]
    assert [one.readings["air.temperature"] for one in found] == [1, 5, 6]
    assert len({one.event_id for one in found}) in (1, 3)


def test_a_normalised_event_is_read_too():
    sent = ttn_uplink(None)
    sent["uplink_normalized"] = sent.pop("uplink_message") | {
        "normalized_payload": {
            "air": {"temperature": 5},
            "position": {"latitude": 1, "longitude": 2},
        }
    }

    found = decoded("ttn", sent)

    assert found.message == "uplink_normalized"
    assert only(found).readings["air.temperature"] == 5
    assert only(found).fix.lat_deg == 1.0


@pytest.mark.parametrize(
    ("solved", "method", "accuracy_m"),
    [
        ({"source": "SOURCE_GPS"}, "gnss", 15.0),
        ({"source": "SOURCE_LORA_TDOA_GEOLOCATION"}, "lora_tdoa", 15.0),
        ({"source": "SOURCE_BT_RSSI_GEOLOCATION"}, "ble", 15.0),
        ({"source": "SOURCE_COMBINED_GEOLOCATION"}, "network", 15.0),
        ({}, "network", 15.0),
        ({"service": "frm-payload", "source": "SOURCE_GPS"}, "gnss", None),
    ],
)
def test_a_solved_location_says_how_it_was_found(solved, method, accuracy_m):
    place = {"latitude": 52.1, "longitude": 4.3, "accuracy": 15, "source": solved.get("source")}
    sent = ttn_uplink(None)
    del sent["uplink_message"]
    sent["location_solved"] = {"service": solved.get("service", "x"), "location": place}

    fix = only(decoded("ttn", sent)).fix

    assert (fix.method, fix.accuracy_m) == (method, accuracy_m)


@pytest.mark.fault("F-055")
@pytest.mark.parametrize("place", [{"latitude": 91, "longitude": 4}, {"longitude": -180.5}])
def test_a_location_off_the_earth_is_set_aside(place):
    solved = ttn_uplink(None)
    del solved["uplink_message"]
    solved["location_solved"] = {"service": "lora-cloud-wifi", "location": place}

    for name, sent in (("ttn", solved), ("chirpstack", chirpstack_event(location=place))):
        with pytest.raises(UnreadableUplink) as refused:
            decoded(name, sent, query="event=location")
        assert refused.value.code == "no-position"


def test_a_location_of_nowhere_is_nothing_to_keep():
    found = decoded("chirpstack", chirpstack_event(location={}), query="event=location")

    assert (found.observations, found.set_aside) == ((), None)


def test_a_latitude_of_zero_is_left_out_of_a_solved_location():
    sent = ttn_uplink(None)
    del sent["uplink_message"]
    sent["location_solved"] = {"location": {"longitude": 4.3, "source": "SOURCE_GPS"}}

    assert only(decoded("ttn", sent)).fix.lat_deg == 0.0


@pytest.mark.parametrize(
    ("correlations", "start"), [(["gs:x", "as:up:01E0"], "as:up:01E0"), ([], "0004a30b001c0530/")]
)
def test_an_uplink_has_a_key_that_survives_a_retry(correlations, start):
    sent = ttn_uplink({}, f_cnt=7, session_key_id="AXA5") | {"correlation_ids": correlations}

    assert only(decoded("ttn", sent)).event_id.startswith(start)


def test_an_unknown_event_is_set_aside():
    assert reason(decoded("ttn", {"end_device_ids": {}})) == "unknown-event"


@pytest.mark.fault("F-011", "F-015", "F-016")
def test_hooks_survive_what_a_strict_format_refuses():
    body = b'{"end_device_ids":{"device_id":"a"},"uplink_message":{"decoded_payload":%s}}'

    found = decoded("ttn", body % (b'{"lat":1e999,"lon":1,"n":' + b"9" * 5_000 + b"}"))

    assert only(found).fix is None
    with pytest.raises(UnreadableUplink) as error:
        decoded("ttn", body % b'{"a":"\\u0000"}')
    assert error.value.code == "forbidden-character"


@pytest.mark.parametrize("query", ["event=up", "token=x&event=up", "token=x?event=up"])
def test_the_event_is_found_behind_another_query(query):
    sent = chirpstack_event(data="qg==", level="INFO")

    assert decoded("chirpstack", sent, query=query).message == "uplink"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"data": "qg=="}, "uplink"),
        ({"margin": 5}, "status"),
        ({"location": {}}, "location"),
        ({"level": "INFO", "code": "OTAA"}, "log"),
        ({"queueItemId": "x", "acknowledged": True}, "ack"),
        ({"downlinkId": 1}, "txack"),
        ({"integrationName": "x", "object": {}}, "integration"),
        ({"devAddr": "00189440"}, "join"),
    ],
)
def test_without_the_query_the_body_tells_the_event(members, message):
    assert decoded("chirpstack", chirpstack_event(**members)).message == message


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"margin": 10, "batteryLevel": 88.3}, {"battery.level": 88.3, "link.margin": 10}),
        ({"margin": 10}, {"battery.level": 0.0, "link.margin": 10}),
        ({"batteryLevelUnavailable": True}, {"link.margin": 0}),
        ({"externalPowerSource": True}, {"custom.external_power": True, "link.margin": 0}),
    ],
)
def test_a_battery_level_that_is_not_known_is_not_zero(members, expected):
    found = decoded("chirpstack", chirpstack_event(**members), query="event=status")

    assert only(found).readings == expected


@pytest.mark.parametrize(
    ("source", "method"),
    [
        ("GPS", "gnss"),
        ("GEO_RESOLVER_WIFI", "wifi"),
        ("GEO_RESOLVER_TDOA", "lora_tdoa"),
        (None, "network"),
    ],
)
def test_a_chirpstack_location_says_how_it_was_found(source, method):
    place = {"latitude": 52.1, "longitude": 4.3, "accuracy": 30, "source": source}

    fix = only(decoded("chirpstack", chirpstack_event(location=place), query="event=location")).fix

    assert (fix.method, fix.accuracy_m) == (method, 30.0)


def test_a_configured_location_is_no_track_point():
    place = {"latitude": 52.1, "longitude": 4.3, "source": "CONFIG"}

    found = decoded("chirpstack", chirpstack_event(location=place), query="event=location")

    assert found.observations == ()


@pytest.mark.parametrize(
    "eui", ["24E124136B325190", base64.b64encode(bytes.fromhex("24e124136b325190")).decode()]
)
def test_version_3_is_understood(eui):
    sent = {
        "applicationID": "1",
        "devEUI": eui,
        "rxInfo": [
            {"gatewayID": "gw", "rssi": -60, "loRaSNR": 5.5, "time": "2026-01-05T12:00:00Z"}
        ],
        "txInfo": {"frequency": 868100000, "loRaModulationInfo": {"spreadingFactor": 9}},
        "fCnt": 3,
        "fPort": 2,
        "data": "qg==",
        "objectJSON": json.dumps({"latitude": 52.1, "longitude": 4.3, "temperature": 5}),
    }

    found = only(decoded("chirpstack", sent, query="event=up"))

    assert (found.device, found.measured_at) == ("24e124136b325190", NOON)
    assert (found.readings["link.snr"], found.readings["link.sf"]) == (5.5, 9)
    assert (found.fix.lat_deg, found.readings["air.temperature"]) == (52.1, 5)


def test_a_broken_object_of_version_3_is_a_warning():
    found = decoded("chirpstack", chirpstack_event(objectJSON="{"), query="event=up")

    assert "objectJSON" in found.notes["warnings"]


def test_gateway_coordinates_are_an_estimate_and_never_a_fix():
    heard = [{"gatewayId": "g", "rssi": -60, "location": {"latitude": 52.1, "longitude": 4.3}}]

    found = decoded("chirpstack", chirpstack_event(rxInfo=heard), query="event=up")

    assert only(found).fix is None
    assert found.notes["network_estimate"]["lat"] == 52.1


def test_an_event_without_device_is_set_aside():
    assert reason(decoded("chirpstack", {"data": "qg=="}, query="event=up")) == "no-device"


@pytest.mark.parametrize("body", [b"\x0a", b"\x0a\xff\xff", b"\xff" * 30, b"\x12\x02\x08"])
def test_broken_protobuf_is_unreadable(body):
    with pytest.raises(UnreadableUplink):
        decoded("chirpstack", body, query="event=up", content_type="application/octet-stream")


@pytest.mark.parametrize("payload", ["01", "0199ff", "016700", "01880011"])
def test_a_cayenne_payload_that_cannot_be_read_to_its_end_is_refused(payload):
    with pytest.raises(UnreadableUplink):
        cayenne.entries(bytes.fromhex(payload))


def test_abeeway_counts_the_age_of_its_fix_from_now():
    found = read_payload({"gpsLatitude": 43.6, "gpsLongitude": 7.0, "age": 60}, now=NOON)

    assert found.main.at == datetime(2026, 1, 5, 11, 59, tzinfo=UTC)


def test_abeeway_counts_its_course_in_hundredths_of_a_degree_and_its_speed_in_centimetres():
    moving = {"gpsCourseOverGround": 9_050, "gpsSpeedOverGround": 1_250}

    fix = read_payload({"gpsLatitude": 43.6, "gpsLongitude": 7.0} | moving, now=NOON).main.fix

    assert fix is not None
    assert (fix.course_deg, fix.speed_mps) == (90.5, 12.5)
