"""Builders: an uplink with what matters to a test, and the rest filled in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from wire.registry import FORMATS
from wire.uplink import Decoded, Uplink

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
RECEIVED_AT = datetime(2026, 1, 5, 12, 0, 30, tzinfo=UTC)


def uplink(body: Any = b"", *, query: str = "", **more: Any) -> Uplink:
    """`body` is bytes, or a value that is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Uplink(body=raw, query=query, received_at=RECEIVED_AT, **more)


def decoded(format_name: str, body: Any = b"", *, query: str = "", **more: Any) -> Decoded:
    return FORMATS[format_name].decode(uplink(body, query=query, **more))


def only(found: Decoded) -> Any:
    """The one observation of an uplink."""
    assert len(found.observations) == 1, found
    return found.observations[0]


def faults(found: Decoded) -> list[tuple[str, str]]:
    """Pointer and code of every fault."""
    return [(f.pointer, f.code) for refusal in found.refusals for f in refusal.faults]


def reason(found: Decoded) -> str:
    """Why an uplink was set aside; empty where it was not."""
    return (found.set_aside or "").partition(":")[0]


def observation(**members: Any) -> dict[str, Any]:
    """A complete observation in our own JSON; None takes a member away."""
    sent = {
        "device": "0004a30b001c0530",
        "measured_at": "2026-01-05T12:00:00Z",
        "lat": 52.1,
        "lon": 4.3,
    } | members
    return {name: value for name, value in sent.items() if value is not None}


def ttn_uplink(payload: Any = None, **members: Any) -> dict[str, Any]:
    """A Things Stack uplink with a formatter's payload."""
    message = {"f_port": 1, "received_at": "2026-01-05T12:00:00Z", "decoded_payload": payload}
    message |= members
    return {
        "end_device_ids": {"device_id": "van-7", "dev_eui": "0004A30B001C0530"},
        "received_at": "2026-01-05T12:00:01Z",
        "uplink_message": {k: v for k, v in message.items() if v is not None},
    }


def chirpstack_event(**members: Any) -> dict[str, Any]:
    return {
        "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
        "time": "2026-01-05T12:00:00.000000000+00:00",
        "deviceInfo": {"deviceName": "van", "devEui": "0101010101010101"},
    } | members


def owntracks_location(**members: Any) -> dict[str, Any]:
    sent = {
        "_type": "location",
        "topic": "owntracks/ada/phone",
        "lat": 52.1,
        "lon": 4.3,
        "tst": 1767614400,
    } | members
    return {name: value for name, value in sent.items() if value is not None}


def sdk_location(**members: Any) -> dict[str, Any]:
    """A location as the background-geolocation SDK sends it."""
    return {
        "timestamp": "2026-01-05T12:00:00.000Z",
        "uuid": "0e9a2473-a9a7-4c00-997b-fb97d2154e75",
        "coords": {"latitude": 52.1, "longitude": 4.3, "accuracy": 5},
    } | members


def traccar_position(**members: Any) -> dict[str, Any]:
    position = {
        "id": 7,
        "fixTime": "2026-01-05T12:00:00.000+00:00",
        "deviceTime": "2026-01-05T12:00:10.000+00:00",
        "valid": True,
        "latitude": 52.1,
        "longitude": 4.3,
        "speed": 10.0,
        "course": 90.0,
        "attributes": {},
    } | members
    return {"position": position, "device": {"id": 1, "uniqueId": "865000000000001"}}
