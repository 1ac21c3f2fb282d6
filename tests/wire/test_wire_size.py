"""What is too much is found out before it costs anything."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest

from core.errors import Refused, TooLarge, UnreadableUplink
from tests.wire.uplinks import (
    chirpstack_event,
    decoded,
    only,
    owntracks_location,
    sdk_location,
    traccar_position,
    ttn_uplink,
)

MANY = {f"k{i}": i for i in range(50_000)}
DEEP = {"gps": {"position": {"gps": MANY}}}
HEARD = [{"gatewayId": "g", "gateway_ids": {"gateway_id": "g"}, "rssi": -60}] * 10_000
# Three times what the catalogue allows a whole answer, on a machine that does other things.
WITHIN_S = 3.0


def _cost_s(format_name: str, body: Any, query: str = "") -> float:
    before = time.process_time()
    with suppress(Refused):
        decoded(format_name, body, query=query)
    return time.process_time() - before


@pytest.mark.fault("F-026", "F-167")
@pytest.mark.parametrize(
    ("format_name", "body", "query"),
    [
        ("ttn", ttn_uplink(MANY), ""),
        ("ttn", ttn_uplink(DEEP), ""),
        ("ttn", ttn_uplink(None, normalized_payload=[{"air": MANY}]), ""),
        ("ttn", ttn_uplink(None, rx_metadata=HEARD), ""),
        ("chirpstack", chirpstack_event(object=MANY), "event=up"),
        ("chirpstack", chirpstack_event(rxInfo=HEARD), "event=up"),
        ("owntracks", owntracks_location(**MANY), ""),
        ("traccar", traccar_position(attributes=MANY), ""),
        ("osmand", {"location": sdk_location(extras=MANY), "device_id": "7"}, ""),
        ("osmand", {"location": [sdk_location()] * 1_000, "device_id": "7", **MANY}, ""),
    ],
)
def test_tens_of_thousands_of_members_cost_less_than_an_answer_may_take(format_name, body, query):
    assert _cost_s(format_name, body, query) < WITHIN_S


@pytest.mark.fault("F-167")
@pytest.mark.parametrize(
    "payload", [MANY, DEEP, {"list": [[1] * 600, [2] * 600]}, {"a": {"b": [{}] * 1_001}}]
)
def test_a_decoder_s_thousand_members_are_set_aside_as_decode_failed(payload):
    bodies = {"ttn": ttn_uplink(payload), "chirpstack": chirpstack_event(object=payload)}

    for format_name, body in bodies.items():
        with pytest.raises(UnreadableUplink) as error:
            decoded(format_name, body, query="event=up")
        assert error.value.code == "decode-failed"


def test_a_payload_of_some_hundred_members_is_read():
    found = only(decoded("ttn", ttn_uplink({f"k{i}": i for i in range(500)} | {"temperature": 5})))

    assert len(found.readings) == 64


@pytest.mark.fault("F-021")
def test_a_thousand_and_one_measurements_in_one_uplink_are_too_many():
    measured = [{"air": {"temperature": 5}}] * 1_001

    with pytest.raises(TooLarge) as error:
        decoded("ttn", ttn_uplink(None, normalized_payload=measured))

    assert error.value.code == "too-many-fixes"


def test_the_app_s_params_are_on_each_location_of_a_batch():
    sent = {"location": [sdk_location(), sdk_location()], "device_id": "7", "user_id": 1234}

    found = decoded("osmand", sent).observations

    assert [one.readings["custom.user_id"] for one in found] == [1234, 1234]
