"""Uplinks with far too much in them."""

from __future__ import annotations

from typing import Any

from tests.wire.uplinks import (
    chirpstack_event,
    owntracks_location,
    sdk_location,
    traccar_position,
    ttn_uplink,
)

MANY: dict[str, Any] = {f"k{i}": i for i in range(50_000)}
DEEP: dict[str, Any] = {"gps": {"position": {"gps": MANY}}}
HEARD: list[dict[str, Any]] = [
    {"gatewayId": "g", "gateway_ids": {"gateway_id": "g"}, "rssi": -60}
] * 10_000
# Format, body and query.
HEAVY: list[tuple[str, Any, str]] = [
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
]
