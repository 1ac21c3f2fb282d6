"""Paths behind the token, and bodies that are of no known format."""

from __future__ import annotations

import pytest

from tests.ingest.world import know, make_sender
from tests.wire.uplinks import observation, ttn_uplink

FLESPI = [{"ident": "352625333222111", "timestamp": 1767614400, "position.latitude": 52.1}]


@pytest.fixture
def network(ingest):
    sender = make_sender("ttn")
    know(ingest, sender)
    return sender


def sent_by(sender):
    body = ttn_uplink({"temperature": 4}, received_at="2026-01-05T12:00:00Z")
    body["end_device_ids"]["dev_eui"] = sender.device.identifier
    return body


@pytest.mark.field("S-43")
@pytest.mark.parametrize("event", ["/uplink", "/uplink-message", "/v3/up/", "/"])
def test_the_things_stack_may_append_a_path_for_each_event(ingest, network, event):
    answer = ingest.post(f"{network.path}{event}", sent_by(network))

    assert (answer.status, len(network.positions())) == (200, 1)


@pytest.mark.field("S-43")
def test_a_path_that_the_format_does_not_know_is_named(ingest, sender):
    answer = ingest.post(f"{sender.path}/uplink", sender.says())

    assert (answer.status, answer.code) == (404, "not-found")
    assert "/uplink" in answer.json()["detail"]
    assert sender.token not in answer.body.decode()


@pytest.mark.field("S-44")
@pytest.mark.parametrize("wire_format", ["owntracks", "traccar", "osmand", "json", "auto"])
@pytest.mark.parametrize("body", [FLESPI, {"hello": "world"}, {"device": "7"}])
def test_a_body_of_no_known_format_is_set_aside_whatever_the_token(ingest, wire_format, body):
    stranger = make_sender(wire_format)
    know(ingest, stranger)

    answer = ingest.post(f"/ingest/auto/{stranger.token}", body)

    assert (answer.status, answer.json()["disposition"]) == (202, "set-aside")
    (kept,) = stranger.set_aside()
    assert kept.reason == "unrecognised"
    assert bytes(kept.body)
    assert stranger.books() == {"received": 1, "set_aside": 1}


@pytest.mark.field("S-44")
def test_a_body_is_recognised_whatever_the_token(ingest):
    phone = make_sender("owntracks")
    know(ingest, phone)

    answer = ingest.post(f"/ingest/auto/{phone.token}", observation(device=phone.device.identifier))

    assert (answer.status, answer.json()["disposition"]) == (200, "stored")


@pytest.mark.field("S-46")
def test_a_head_at_the_door_of_osmand_says_which_methods_there_are(ingest):
    tracker = make_sender("osmand")
    know(ingest, tracker)

    answer = ingest.ask("HEAD", f"{tracker.path}?id=7&lat=52.1&lon=4.3")

    assert answer.status == 405
    assert answer.headers["allow"] == "GET or POST or PUT".replace(" or ", ", ")
