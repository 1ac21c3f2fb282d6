"""What is too much is found out before it costs anything."""

from __future__ import annotations

from contextlib import suppress

import pytest

from core.errors import Refused, TooLarge, UnreadableUplink
from tests.wire.heavy import DEEP, HEAVY, MANY
from tests.wire.uplinks import chirpstack_event, decoded, only, sdk_location, ttn_uplink


@pytest.mark.fault("F-026", "F-167")
@pytest.mark.parametrize(("format_name", "body", "query"), HEAVY)
def test_tens_of_thousands_of_members_are_read_or_refused(format_name, body, query):
    """What they cost, `benchmarks/refusals.py` measures."""
    with suppress(Refused):
        assert decoded(format_name, body, query=query).observations


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
