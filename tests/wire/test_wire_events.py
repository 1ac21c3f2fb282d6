"""Events of network servers: whose they are, when they were, and which of them are the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.errors import TooLarge, UnreadableUplink
from tests.wire.uplinks import (
    NOON,
    RECEIVED_AT,
    chirpstack_event,
    decoded,
    only,
    reason,
    ttn_uplink,
)

UPLINK, OWN = "as:up:01F34ZMPWD7FEKA9XEZBVX92NY", "as:up:01F34ZMR8NAP2CVX1FWDC5MPG5"


def ttn_event(name: str, body: dict[str, Any], *correlations: str) -> dict[str, Any]:
    sent = ttn_uplink(None) | {"correlation_ids": ["ns:uplink:01F3", *correlations], name: body}
    del sent["uplink_message"]
    return sent


def solved(service: str, **location: Any) -> dict[str, Any]:
    return {"service": service, "location": {"latitude": 52.1, "longitude": 4.3} | location}


def event_id(format_name: str, sent: dict[str, Any], query: str = "") -> Any:
    return only(decoded(format_name, sent, query=query)).event_id


@pytest.mark.fault("F-163")
def test_the_youngest_of_its_names_is_the_event_s_own():
    of_uplink = event_id("ttn", ttn_uplink({}) | {"correlation_ids": [UPLINK]})
    of_copy = event_id("ttn", ttn_uplink({}) | {"correlation_ids": [UPLINK, OWN]})

    assert (of_uplink, of_copy) == (UPLINK, OWN)


@pytest.mark.fault("F-004", "F-163")
def test_two_solutions_of_one_uplink_are_two_events():
    ids = [
        event_id("ttn", ttn_event("location_solved", solved(service), UPLINK))
        for service in ("frm-payload", "lora-cloud-wifi", "lora-cloud-wifi")
    ]

    assert ids[0] != ids[1] == ids[2]


@pytest.mark.fault("F-004", "F-163")
def test_two_measurements_of_one_uplink_are_two_events():
    ids = [
        event_id("ttn", ttn_event("uplink_normalized", {"normalized_payload": measured}, UPLINK))
        for measured in ({"air": {"temperature": 5}}, {"air": {"temperature": 6}})
    ]

    assert len(set(ids)) == 2


@pytest.mark.fault("F-004", "F-163")
def test_a_status_and_the_uplink_that_carried_it_are_two_events():
    uplink = event_id("chirpstack", chirpstack_event(data="qg=="), "event=up")
    status = event_id("chirpstack", chirpstack_event(margin=5), "event=status")
    place = {"latitude": 52.1, "longitude": 4.3}
    location = event_id("chirpstack", chirpstack_event(location=place), "event=location")

    assert uplink == chirpstack_event()["deduplicationId"]
    assert len({uplink, status, location}) == 3


def test_a_location_that_a_person_set_is_configuration_whatever_its_source_says():
    found = decoded("ttn", ttn_event("location_solved", solved("user"), UPLINK))

    assert found.observations == ()
    assert found.notes["registered_location"]["lat"] == 52.1


@pytest.mark.parametrize("name", ["devEUI", "deveui", "dev_eui", "DevID", "device_id", "device"])
def test_the_url_may_spell_the_device_s_name_in_many_ways(name):
    sent = ttn_uplink({})
    del sent["end_device_ids"]

    found = only(decoded("ttn", sent, query=f"{name}=0004A30B001C0530"))

    assert found.device == "0004a30b001c0530"


def test_gateways_behind_the_packet_broker_are_told_apart():
    heard = [
        {
            "gateway_ids": {"gateway_id": "packetbroker"},
            "packet_broker": {"forwarder_gateway_id": name},
            "rssi": rssi,
        }
        for name, rssi in (("eui-7276ff0000062e94", -111), ("eui-0015fcc23d0dd9be", -60))
    ]

    found = decoded("ttn", ttn_uplink({}, rx_metadata=heard))

    assert only(found).readings["link.gateways"] == 2
    assert found.notes["best_gateway"]["id"] == "eui-0015fcc23d0dd9be"


@pytest.mark.parametrize(
    ("gps_time", "at"),
    [
        ("2026-01-05T11:59:58Z", NOON - timedelta(seconds=2)),
        ("2026-01-05T09:00:00Z", NOON - timedelta(hours=3)),
        ("2006-05-22T11:59:58Z", NOON),
        ("2026-01-05T12:10:00Z", NOON),
    ],
)
def test_a_receiver_that_has_lost_count_of_the_weeks_is_not_believed(gps_time, at):
    sent = ttn_uplink({}, rx_metadata=[{"gps_time": gps_time}])

    assert only(decoded("ttn", sent)).measured_at == at


@pytest.mark.parametrize(
    ("heard", "at"),
    [
        ({"gwTime": "2026-01-05T11:59:58+00:00"}, NOON - timedelta(seconds=2)),
        ({"gwTime": "1970-01-01T00:00:07Z", "nsTime": "2026-01-05T12:00:00+00:00"}, NOON),
        ({"time": "2026-01-05T12:00:00Z"}, NOON),
    ],
)
def test_an_uplink_that_says_no_time_has_that_of_who_heard_it(heard, at):
    sent = chirpstack_event(data="AQ==", rxInfo=[{"rssi": -1}, {"rssi": -2} | heard])
    del sent["time"]

    found = only(decoded("chirpstack", sent, query="event=up"))

    assert (found.measured_at, found.time_source) == (at, "network")


@pytest.mark.fault("F-045")
def test_a_measurement_of_1970_has_the_network_s_time():
    measured = [{"time": "1970-01-01T00:00:00Z", "air": {"temperature": 5}}]

    found = only(decoded("ttn", ttn_uplink(None, normalized_payload=measured)))

    assert (found.measured_at, found.readings["air.temperature"]) == (NOON, 5)


@pytest.mark.parametrize(
    "sent",
    [
        ttn_uplink({"temperature": 5}),
        ttn_event("uplink_normalized", {"normalized_payload": {"air": {"temperature": 5}}}),
        ttn_event("location_solved", solved("frm-payload")),
    ],
)
def test_what_the_console_simulated_says_so(sent):
    found = only(decoded("ttn", sent | {"simulated": True}))

    assert found.readings["custom.simulated"] is True


@pytest.mark.parametrize(
    ("query", "members", "notes"),
    [
        ("event=log", {"description": "x"}, {"level": "INFO", "code": "UNKNOWN"}),
        ("event=log", {"level": "ERROR", "code": "OTAA"}, {"level": "ERROR", "code": "OTAA"}),
        ("event=ack", {"queueItemId": "q"}, {"acknowledged": False, "queue_item_id": "q"}),
    ],
)
def test_what_protobuf_leaves_out_of_an_event_is_its_zero(query, members, notes):
    found = decoded("chirpstack", chirpstack_event(**members), query=query).notes

    assert {name: found[name] for name in notes} == notes


@pytest.mark.parametrize(
    ("byte", "expected"),
    [
        (254, {"battery.level": 100.0}),
        (127, {"battery.level": pytest.approx(50.0)}),
        (0, {"custom.external_power": True}),
        (255, {}),
    ],
)
def test_the_battery_byte_of_early_versions_is_no_percentage(byte, expected):
    found = only(decoded("chirpstack", chirpstack_event(battery=byte), query="event=status"))

    assert found.readings == {"link.margin": 0} | expected


@pytest.mark.fault("F-044")
@pytest.mark.parametrize("received_at", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_network_at_the_end_of_the_calendar_is_read_like_any_other(received_at):
    payload = {"gpsLatitude": 52.1, "gpsLongitude": 4.3, "age": 60, "time": "2026-01-05T12:00:00Z"}
    measured = [{"time": "2026-01-05T11:00:00Z", "air": {"temperature": 5}}]
    sent = ttn_uplink(payload, received_at=received_at, normalized_payload=measured)

    fix = decoded("ttn", sent | {"received_at": received_at}).observations[0].fix

    assert fix is not None
    assert fix.lat_deg == 52.1


@pytest.mark.fault("F-163")
def test_a_made_event_id_always_fits_and_tells_two_apart():
    measured = [
        {"time": f"2026-01-05T11:0{minute}:00Z", "air": {"temperature": 5}} for minute in (1, 2)
    ]
    sent = ttn_uplink({}, session_key_id="k" * 128, f_cnt=7, normalized_payload=measured)

    ids = [one.event_id or "" for one in decoded("ttn", sent).observations]

    assert len(set(ids)) == 3
    assert max(map(len, ids)) <= 128


@pytest.mark.fault("F-055")
@pytest.mark.parametrize("format_name", ["ttn", "chirpstack", "owntracks"])
@pytest.mark.parametrize("body", [[], [{"data": "qg=="}], "up", 5])
def test_json_that_is_no_object_is_no_message_of_a_server_or_app(format_name, body):
    with pytest.raises(UnreadableUplink):
        decoded(format_name, body, query="event=up")


@pytest.mark.parametrize("name", ["cold-room-12", "Kühlraum/112"])
def test_a_device_name_of_twelve_characters_is_not_taken_for_base64(name):
    sent = chirpstack_event(data="qg==", deviceInfo={"devEui": name})

    assert only(decoded("chirpstack", sent, query="event=up")).device == name.lower()


def test_an_uplink_with_neither_an_id_nor_a_frame_has_no_key():
    sent = chirpstack_event(deduplicationId=None, object={"temperature": 5})

    assert event_id("chirpstack", sent, "event=up") is None


@pytest.mark.parametrize(("margin", "expected"), [(5, {"link.margin": 5}), ("n/a", {})])
def test_a_margin_is_a_number_or_left_out_of_a_status(margin, expected):
    sent = chirpstack_event(margin=margin, batteryLevel=80)

    found = only(decoded("chirpstack", sent, query="event=status"))

    assert found.readings == {"battery.level": 80} | expected


@pytest.mark.parametrize(
    "location", [{}, {"source": "SOURCE_GPS"}, {"latitude": 0, "longitude": 0}, None]
)
def test_a_solved_location_without_a_place_is_no_observation(location):
    sent = ttn_event("location_solved", {"service": "lora-cloud-wifi", "location": location})

    found = decoded("ttn", sent)

    assert (found.message, found.device, found.observations) == (
        "location",
        "0004a30b001c0530",
        (),
    )


def test_a_payload_that_is_no_base64_leaves_what_the_server_decoded():
    found = only(decoded("ttn", ttn_uplink({"temperature": 5}, frm_payload="qg=")))

    assert found.readings["air.temperature"] == 5


def test_an_event_that_chirpstack_does_not_have_yet_is_set_aside_with_its_device():
    found = decoded("chirpstack", chirpstack_event(), query="event=roaming")

    assert (found.message, reason(found)) == ("unknown", "unknown-event")
    assert found.notes["dev_eui"] == "0101010101010101"


@pytest.mark.parametrize("text", ["noon", "2026-02-30T12:00:00Z", "2026-01-05T12:00:00"])
def test_an_unreadable_time_of_the_network_gives_way_to_that_of_the_server(text):
    found = only(decoded("chirpstack", chirpstack_event(time=text), query="event=status"))

    assert (found.measured_at, found.time_source) == (RECEIVED_AT, "server")


@pytest.mark.fault("F-021")
def test_more_measurements_than_an_uplink_can_carry_are_too_many():
    sent = ttn_uplink({}, normalized_payload=[{"air": {"temperature": 5}}] * 1_001)

    with pytest.raises(TooLarge) as error:
        decoded("ttn", sent)

    assert error.value.code == "too-many-fixes"


ELEVEN = NOON - timedelta(hours=1)


@pytest.mark.parametrize("payload", [{}, {"time": "2026-01-05T11:00:00Z", "door": "open"}])
def test_a_measurement_at_the_time_of_its_payload_is_the_same_observation(payload):
    measured = [{"time": "2026-01-05T11:00:00Z", "air": {"temperature": 5}}]

    found = only(decoded("ttn", ttn_uplink(payload, normalized_payload=measured)))

    assert (found.measured_at, found.time_source) == (ELEVEN, "device")
    assert found.readings["air.temperature"] == 5
    assert found.readings.get("contact") == payload.get("door")
