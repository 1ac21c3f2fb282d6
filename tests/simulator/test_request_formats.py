import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from simulator.__main__ import tokens_of
from simulator.fleet import DeviceReport, Transmission
from simulator.request_formats import requests_of


def report(**changes):
    values = {
        "identifier": "sim-0001",
        "number": 7,
        "measured_at": 1_795_348_800.25,
        "lon_deg": 13.748,
        "lat_deg": 45.544,
        "altitude_m": 12.5,
        "accuracy_m": 6.0,
        "speed_mps": 10.0,
        "course_deg": 90.0,
        "battery_percent": 80.0,
        "readings": {"air.temperature": 4.2, "air.humidity": 61.0, "contact": "closed"},
    }
    members: Any = values | changes
    return DeviceReport(**members)


def sent(wire_format, *reports):
    transmission = Transmission(due_at=0, wire_format=wire_format, reports=reports or (report(),))
    return requests_of(transmission, "to/ken")


def body_of(wire_format, **changes):
    return json.loads(sent(wire_format, report(**changes))[0].body)


def test_our_own_json_holds_canonical_units_and_names():
    body = body_of("json")

    assert body["measured_at"] == "2026-11-22T12:00:00.250Z"
    assert (body["lat"], body["lon"], body["speed_mps"]) == (45.544, 13.748, 10.0)
    assert body["readings"]["air.temperature"] == 4.2


def test_several_observations_go_out_as_one_batch_of_our_own_json():
    (request,) = sent("json", report(), report(number=8))

    assert len(json.loads(request.body)["positions"]) == 2


def test_other_formats_send_one_request_for_each_report():
    assert len(sent("traccar", report(), report(number=8))) == 2


def test_a_token_is_quoted_in_the_path():
    assert sent("ttn")[0].target == "/ingest/ttn/to%2Fken"


def test_the_old_osmand_client_sends_a_query_with_knots():
    (request,) = sent("osmand", report(identifier="sim-0001"))
    query = parse_qs(urlsplit(request.target).query)

    assert request.body == b""
    assert query["id"] == ["sim-0001"]
    assert float(query["speed"][0]) == pytest.approx(19.438, abs=0.001)
    assert query["timestamp"] == ["1795348800250"]


def test_the_new_osmand_client_sends_json_with_metres_a_second():
    body = body_of("osmand", identifier="sim-0002")

    assert body["device_id"] == "sim-0002"
    assert body["location"]["coords"]["speed"] == 10.0
    assert body["location"]["battery"]["level"] == 0.8


def test_the_new_osmand_client_says_minus_one_for_what_it_does_not_know():
    coords = body_of("osmand", identifier="sim-0002", speed_mps=0.0)["location"]["coords"]

    assert (coords["speed"], coords["heading"]) == (-1, -1)


def test_owntracks_uses_basic_and_whole_numbers_and_leaves_out_zeros():
    (request,) = sent("owntracks", report(speed_mps=0.0))
    body = json.loads(request.body)

    assert base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")) == (
        b"sim:to/ken"
    )
    assert request.target == "/ingest/owntracks"
    assert "vel" not in body
    assert body["tst"] == 1_795_348_800


def test_owntracks_names_user_and_device_in_its_topic():
    body = body_of("owntracks", identifier="courier/phone-0004")

    assert body["topic"] == "owntracks/courier/phone-0004"


def test_owntracks_speed_is_in_kilometres_an_hour():
    assert body_of("owntracks")["vel"] == 36


def test_traccar_forwards_knots_and_an_offset():
    body = body_of("traccar")

    assert body["position"]["speed"] == pytest.approx(19.438, abs=0.001)
    assert body["position"]["fixTime"] == "2026-11-22T12:00:00.250+00:00"
    assert body["device"]["uniqueId"] == "sim-0001"


def test_traccar_never_uses_a_number_again():
    first, after_a_restart = (
        body_of("traccar", number=0, measured_at=at) for at in (1_795_348_800.25, 1_795_348_860.5)
    )

    assert first["position"]["id"] < after_a_restart["position"]["id"]


def test_ttn_writes_the_dev_eui_in_capitals_and_nine_digits_of_time():
    body = body_of("ttn", identifier="a840410000000002")

    assert body["end_device_ids"]["dev_eui"] == "A840410000000002"
    assert body["received_at"] == "2026-11-22T12:00:01.050000000Z"


def test_ttn_carries_cold_chain_readings_in_the_normalised_vocabulary():
    (measurement,) = body_of("ttn")["uplink_message"]["normalized_payload"]

    assert measurement["air"] == {"temperature": 4.2, "relativeHumidity": 61.0}
    assert measurement["action"] == {"contactState": "closed"}
    assert measurement["position"] == {"latitude": 45.544, "longitude": 13.748}


@pytest.mark.parametrize("wire_format", ["ttn", "chirpstack"])
def test_protobuf_json_leaves_out_a_frame_counter_of_zero(wire_format):
    first = body_of(wire_format, number=0)
    counter = first.get("fCnt", first.get("uplink_message", {}).get("f_cnt"))

    assert counter is None


def test_chirpstack_names_its_event_in_the_query():
    (request,) = sent("chirpstack")

    assert request.target.endswith("?event=up")
    assert json.loads(request.body)["object"]["temperature"] == 4.2


@pytest.mark.parametrize(
    "wire_format", ["json", "osmand", "owntracks", "traccar", "ttn", "chirpstack"]
)
def test_a_repeat_is_the_same_bytes(wire_format):
    assert sent(wire_format) == sent(wire_format)


def test_tokens_are_read_from_what_bootstrap_prints_and_from_a_plain_object():
    assert tokens_of({"sources": {"ttn": {"token": "a", "url": "u"}}}) == {"ttn": "a"}
    assert tokens_of({"json": "b"}) == {"json": "b"}
