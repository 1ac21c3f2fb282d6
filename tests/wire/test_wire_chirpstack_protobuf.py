"""ChirpStack sends an event as JSON or as protobuf: both mean the same, to the last digit."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest
from chirpstack_api.integration import integration_pb2 as integration
from google.protobuf import json_format
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UnreadableUplink
from tests.wire.uplinks import decoded, only
from wire.uplink import Decoded

SAMPLES = Path(__file__).parents[2] / "fixtures" / "samples" / "chirpstack"
PROTOBUF = "application/octet-stream"


def from_protobuf(message: Message, event: str) -> Decoded:
    body = message.SerializeToString()
    return decoded("chirpstack", body, query=f"event={event}", content_type=PROTOBUF)


def head() -> dict[str, object]:
    return {"deduplication_id": "3ac7e3c4", "device_info": {"dev_eui": "0101010101010101"}}


@pytest.mark.field("S-45")
@pytest.mark.parametrize(
    ("file", "event", "kind"),
    [
        ("up.json", "up", integration.UplinkEvent),
        ("up-helium-two-gateways.json", "up", integration.UplinkEvent),
        ("status.json", "status", integration.StatusEvent),
        ("location.json", "location", integration.LocationEvent),
    ],
)
def test_both_encodings_of_an_event_are_the_same_observation(file, event, kind):
    text = (SAMPLES / file).read_bytes()

    as_json = decoded("chirpstack", text, query=f"event={event}")
    as_protobuf = from_protobuf(json_format.Parse(text, kind(), ignore_unknown_fields=True), event)

    assert as_protobuf.observations == as_json.observations
    assert len(as_json.observations) == 1


@pytest.mark.field("S-45")
@given(st.integers(0, 100_000))
def test_a_decimal_of_some_digits_survives_its_32_bits(thousandths):
    level = thousandths / 1000

    found = from_protobuf(integration.StatusEvent(**head(), battery_level=level), "status")

    assert only(found).readings["battery.level"] == level


def test_what_a_codec_could_not_work_out_is_left_out_and_its_neighbours_kept():
    message = integration.UplinkEvent(**head())
    nested = {"pitch": math.nan, "roll": 4.0}
    message.object.update({"temperature": 4.5, "humidity": math.nan, "list": [math.inf]})
    message.object.update({"tilt": nested})

    readings = only(from_protobuf(message, "up")).readings

    assert (readings["air.temperature"], readings["tilt.roll"]) == (4.5, 4.0)
    assert {"air.humidity", "tilt.pitch"}.isdisjoint(readings)


def test_words_and_times_are_those_of_the_json():
    message = integration.LogEvent(level="ERROR", code="OTAA", description="DevNonce used before")
    message.time.FromDatetime(datetime(2026, 1, 5, 12, tzinfo=UTC))

    notes = from_protobuf(message, "log").notes

    assert (notes["level"], notes["code"]) == ("ERROR", "OTAA")
    assert notes["time"] == "2026-01-05T12:00:00Z"


def test_an_event_of_another_version_is_known_by_its_device():
    message = integration.JoinEvent(**head(), dev_addr="01020304")

    found = from_protobuf(message, "integration")

    assert (found.message, found.observations) == ("integration", ())
    assert found.notes["dev_eui"] == "0101010101010101"


@pytest.mark.parametrize(
    "message",
    [
        integration.UplinkEvent(time={"seconds": 1 << 60}),
        integration.UplinkEvent(device_info={"device_name": "van\0"}),
    ],
)
def test_what_no_json_could_say_is_unreadable(message):
    with pytest.raises(UnreadableUplink):
        from_protobuf(message, "up")


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_unreadable(body):
    try:
        found = decoded("chirpstack", body, query="event=up", content_type=PROTOBUF)
    except UnreadableUplink:
        return
    assert found.message == "uplink"
