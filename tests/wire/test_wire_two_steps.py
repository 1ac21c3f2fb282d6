"""Decoding in two steps: the envelope first, its payload when the device's model is known."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UnreadableUplink
from tests.wire.uplinks import NOON, chirpstack_event, only, ttn_uplink, uplink
from wire.device_model import DeviceModel
from wire.envelope import Envelope, decode_payload
from wire.registry import FORMATS
from wire.uplink import Decoded, Uplink

CAYENNE = DeviceModel("Cayenne LPP")
# 27.2 °C on channel 3, and a place on channel 1.
MEASURED = bytes.fromhex("0367 0110 0188 06765f f2960a 0003e8".replace(" ", ""))
IN_BASE64 = base64.b64encode(MEASURED).decode()


def undecoded(format_name: str) -> Uplink:
    """An uplink of a device for which the network server has no codec."""
    if format_name == "ttn":
        return uplink(ttn_uplink(frm_payload=IN_BASE64, f_cnt=7))
    return uplink(chirpstack_event(data=IN_BASE64, fPort=1), query="event=up")


def opened(sent: Uplink, format_name: str) -> Envelope:
    found = FORMATS[format_name].open(sent)
    assert isinstance(found, Envelope), found
    return found


@pytest.mark.parametrize("format_name", ["ttn", "chirpstack"])
def test_the_envelope_says_who_when_and_what_before_anything_of_it_is_read(format_name):
    envelope = opened(undecoded(format_name), format_name)

    assert envelope.device in ("0004a30b001c0530", "0101010101010101")
    assert (envelope.heard_at, envelope.time_source) == (NOON, "network")
    assert (envelope.payload.data, envelope.payload.f_port) == (MEASURED, 1)
    assert envelope.payload.decoded in (None, {})


@pytest.mark.parametrize("format_name", ["ttn", "chirpstack"])
def test_the_model_of_the_device_decides_how_its_payload_is_read(format_name):
    envelope = opened(undecoded(format_name), format_name)

    unknown, known = (decode_payload(envelope, model) for model in (None, CAYENNE))

    assert unknown.observations[0].fix is None
    assert "air.temperature" not in unknown.observations[0].readings
    observation = only(known)
    assert observation.readings["air.temperature"] == pytest.approx(27.2)
    assert (observation.fix.lat_deg, observation.fix.lon_deg) == pytest.approx((42.3519, -87.9094))
    assert observation.event_id == unknown.observations[0].event_id


def test_the_model_is_looked_up_by_the_device_that_the_envelope_names():
    asked: list[str] = []

    FORMATS["ttn"].decode(undecoded("ttn"), model_of=asked.append)

    assert asked == ["0004a30b001c0530"]


def test_what_the_network_server_decoded_is_read_and_not_the_bytes_again():
    sent = uplink(ttn_uplink({"temperature": 5}, frm_payload=IN_BASE64))

    found = FORMATS["ttn"].decode(sent, model_of=lambda _: CAYENNE)

    assert found.observations[0].readings["air.temperature"] == 5


def test_the_network_server_s_word_for_the_model_counts_where_nobody_else_has_one():
    version = {"brand_id": "mydevices", "model_id": "cayenne-lpp"}
    sent = uplink(ttn_uplink(frm_payload=IN_BASE64, version_ids=version))

    found = FORMATS["ttn"].decode(sent)

    assert found.observations[0].readings["air.temperature"] == pytest.approx(27.2)


def test_bytes_that_the_model_s_codec_cannot_read_are_a_failed_decoding():
    sent = uplink(chirpstack_event(data=base64.b64encode(b"\1\2").decode()), query="event=up")

    with pytest.raises(UnreadableUplink) as error:
        FORMATS["chirpstack"].decode(sent, model_of=lambda _: CAYENNE)

    assert error.value.code == "decode-failed"


@pytest.mark.fault("F-026")
@given(st.binary(max_size=60))
def test_whatever_the_bytes_are_they_have_a_meaning_or_none(data):
    sent = uplink(chirpstack_event(data=base64.b64encode(data).decode()), query="event=up")

    try:
        found = FORMATS["chirpstack"].decode(sent, model_of=lambda _: CAYENNE)
    except UnreadableUplink:
        found = Decoded(message="unreadable")

    assert len(found.observations) == len(found.indexes)


@pytest.mark.parametrize("query", ["id=7&lat=52.1&lon=4.3", "id=7&batt=80"])
def test_a_message_that_explains_itself_needs_no_second_step(query):
    assert isinstance(FORMATS["osmand"].open(uplink(query=query)), Decoded)
