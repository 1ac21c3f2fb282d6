"""An event that a network server sends in two encodings is one event."""

from __future__ import annotations

from pathlib import Path

import pytest
from chirpstack_api.integration import integration_pb2 as integration
from google.protobuf import json_format

from tests.builders import make_source, make_van
from tests.ingest.senders import arrive, books, stored

STATUS = Path(__file__).parents[2] / "fixtures" / "samples" / "chirpstack" / "status.json"


@pytest.mark.field("S-45")
def test_the_same_event_as_json_and_as_protobuf_is_a_duplicate(north):
    make_van(north, "van", "0101010101010101")
    gateway, _ = make_source(north, "chirpstack")
    text = STATUS.read_bytes()
    binary = json_format.Parse(text, integration.StatusEvent()).SerializeToString()

    arrive(gateway, text, query="event=status")
    arrive(gateway, binary, query="event=status", content_type="application/octet-stream")

    (position,) = stored(north)
    assert position.readings["battery.level"] == 88.3
    assert books(gateway) == {"received": 2, "stored": 1, "duplicate": 1}
