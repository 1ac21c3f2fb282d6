"""The HTTP integration of ChirpStack v4 (JSON and protobuf), and the JSON of v3."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from msgspec import structs

from core.errors import UnreadableUplink
from core.observation import Method, Observation, normal_identifier
from wire import strict_json
from wire.envelope import Envelope
from wire.fixes import FixQuantities, beyond_bounds, lenient_fix
from wire.formats.chirpstack_protobuf import json_of_event
from wire.formats.chirpstack_uplink import envelope_of
from wire.gateways import location_note, place_of, require_on_earth
from wire.instants import instant_or_none
from wire.quantities import mapping, number, text_of
from wire.uplink import Decoded, Uplink
from wire.wire_format import Certainty, ParsedUplink, WireFormat

MESSAGES = {
    "up": "uplink",
    "status": "status",
    "join": "join",
    "ack": "ack",
    "txack": "txack",
    "log": "log",
    "error": "log",
    "location": "location",
    "integration": "integration",
}
# In the order in which they are tried: a member that only this event has.
_EVENT_OF_MEMBER = (
    ("location", "location"), ("level", "log"), ("error", "log"),
    ("integrationName", "integration"),
    ("downlinkId", "txack"), ("acknowledged", "ack"), ("queueItemId", "ack"),
    ("rxInfo", "up"), ("data", "up"), ("object", "up"), ("objectJSON", "up"), ("fCnt", "up"),
    ("batteryLevel", "status"), ("margin", "status"), ("batteryLevelUnavailable", "status"),
    ("externalPowerSource", "status"), ("devAddr", "join"),
)  # fmt: skip
_METHODS: dict[str, Method] = {
    "GPS": "gnss", "GEO_RESOLVER_GNSS": "gnss", "GEO_RESOLVER_WIFI": "wifi",
    "GEO_RESOLVER_TDOA": "lora_tdoa", "GEO_RESOLVER_RSSI": "lora_rssi",
}  # fmt: skip
# protobuf JSON leaves out the first word of an enumeration, and false.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "log": {"level": "INFO", "code": "UNKNOWN"},
    "ack": {"acknowledged": False},
}
_CONFIGURED = "CONFIG"
_EVENT = re.compile(r"(?:^|[&?])event=([a-z]{2,20})(?=$|[&?])")
_EUI = re.compile(r"[0-9a-fA-F]{16}")


def open_event(uplink: Uplink) -> Decoded | Envelope:
    """Return the observation of an event, or the envelope of an `up` event.

    Raises UnreadableUplink for any other body.
    """
    event = event_of_query(uplink.query)
    root = _root(uplink, event)
    event = event or _event_of_members(root)
    notes = _notes(root, event)
    if event not in MESSAGES:
        return Decoded(message="unknown", set_aside="unknown-event: not a known event", notes=notes)
    device = _device(root)
    if event not in ("up", "status", "location"):
        return Decoded(message=MESSAGES[event], device=device, notes=notes)
    if device is None:
        return Decoded(
            message=MESSAGES[event],
            set_aside="no-device: the event has no devEui",
            notes=notes,
        )
    if event == "up":
        envelope = envelope_of(root, device, uplink)
        return structs.replace(envelope, notes=notes | envelope.notes)
    reader = {"status": _status, "location": _location}[event]
    observation, more = reader(root, device, uplink)
    return Decoded(
        message=MESSAGES[event],
        device=device,
        observations=() if observation is None else (observation,),
        indexes=() if observation is None else (0,),
        notes=notes | more,
    )


def _event_of_members(root: Mapping[str, Any]) -> str | None:
    """Return the event that the members tell; null and empty texts are written of any event."""
    named = {member for member, value in root.items() if value not in (None, "")}
    return next((event for member, event in _EVENT_OF_MEMBER if member in named), None)


def event_of_query(query: str) -> str | None:
    """Return the event that ChirpStack appends to the URL, after a query of its own."""
    found = _EVENT.findall(query)
    return found[-1] if found else None


def _root(uplink: Uplink, event: str | None) -> Mapping[str, Any]:
    media_type = (uplink.content_type or "").partition(";")[0].strip().lower()
    is_binary = media_type in ("application/octet-stream", "application/x-protobuf")
    is_protobuf = is_binary and uplink.body.lstrip()[:1] != b"{"
    body = json_of_event(uplink.body, event or "up") if is_protobuf else uplink.body
    root = strict_json.read_lenient(body)
    if not isinstance(root, dict):
        raise UnreadableUplink("not an event of ChirpStack.")
    return root


def _device(root: Mapping[str, Any]) -> str | None:
    text = text_of(mapping(root.get("deviceInfo")).get("devEui")) or text_of(root.get("devEUI"))
    return None if text is None else normal_identifier(_hex_eui(text))


def _hex_eui(text: str) -> str:
    """Return a DevEUI in hex; version 3 writes it in base64 where it is set to."""
    if _EUI.fullmatch(text) or len(text) != 12:
        return text
    try:
        return base64.b64decode(text, validate=True).hex()
    except (binascii.Error, ValueError):
        return text


def _status(
    root: Mapping[str, Any], device: str, uplink: Uplink
) -> tuple[Observation | None, dict[str, Any]]:
    readings: dict[str, float | bool | str] = {}
    level, is_external = _battery(root)
    if level is not None:
        readings["battery.level"] = level
    if is_external:
        readings["custom.external_power"] = True
    margin_db = number(root.get("margin", 0))
    if margin_db is not None:
        readings["link.margin"] = margin_db
    at = instant_or_none(root.get("time")) or instant_or_none(root.get("publishedAt"))
    observation = Observation(
        device=device,
        measured_at=at or uplink.received_at,
        time_source="network" if at else "server",
        reported_at=at,
        readings=readings,
        event_id=_event_id(root, "status"),
    )
    return observation, {}


def _battery(root: Mapping[str, Any]) -> tuple[float | None, bool]:
    """Return the level in per cent where it is known, and whether power comes from outside."""
    old = number(root.get("battery"))
    if "batteryLevel" not in root and old is not None:
        # Before version 3 the byte of the LoRaWAN answer itself; 0 is outside power.
        return (old / 254 * 100 if 1 <= old <= 254 else None), old == 0
    is_external = root.get("externalPowerSource") is True
    level = number(root.get("batteryLevel", 0.0))
    is_known = not is_external and root.get("batteryLevelUnavailable") is not True
    return (level if is_known and level is not None and 0 <= level <= 100 else None), is_external


def _location(
    root: Mapping[str, Any], device: str, uplink: Uplink
) -> tuple[Observation | None, dict[str, Any]]:
    location = mapping(root.get("location"))
    source = location.get("source")
    place = place_of(location)
    if place is None:
        require_on_earth(location)
        return None, {}
    if source == _CONFIGURED:
        return None, {"registered_location": location_note(location)}
    quantities = FixQuantities(
        altitude_m=number(location.get("altitude")), accuracy_m=number(location.get("accuracy"))
    )
    fix = lenient_fix(
        *place,
        **quantities,
        method=_METHODS.get(source, "network") if isinstance(source, str) else "network",
    )
    at = instant_or_none(root.get("time")) or instant_or_none(root.get("publishedAt"))
    observation = Observation(
        device=device,
        measured_at=at or uplink.received_at,
        time_source="network" if at else "server",
        reported_at=at,
        fix=fix,
        event_id=_event_id(root, "location"),
    )
    beyond = beyond_bounds(quantities)
    return observation, {"location_source": source} | ({"beyond_bounds": beyond} if beyond else {})


def _event_id(root: Mapping[str, Any], event: str) -> str | None:
    """Return a key for the event: the id is that of an uplink, which may have several events."""
    uplink = text_of(root.get("deduplicationId"), max_chars=100)
    return uplink and f"{uplink}:{event}"


def _notes(root: Mapping[str, Any], event: str | None) -> dict[str, Any]:
    root = _DEFAULTS.get(event or "", {}) | dict(root)
    info = mapping(root.get("deviceInfo"))
    notes = {
        "name": info.get("deviceName", root.get("deviceName")),
        "dev_eui": _device(root),
        "application_id": info.get("applicationId", root.get("applicationID")),
        "tags": info.get("tags", root.get("tags")) or None,
        "dev_addr": root.get("devAddr"),
        "time": root.get("time"),
        "received_at": root.get("time"),
        "dedup": root.get("deduplicationId"),
        "level": root.get("level"),
        "code": root.get("code", root.get("type") if "error" in root else None),
        "description": root.get("description", root.get("error")),
        "context": root.get("context"),
        "integration_name": root.get("integrationName"),
        "acknowledged": root.get("acknowledged"),
        "queue_item_id": root.get("queueItemId"),
        "relay": root.get("relayRxInfo"),
    }
    return {name: value for name, value in notes.items() if value is not None}


def _certainty(parsed: ParsedUplink) -> Certainty:
    members, uplink = parsed.members, parsed.uplink
    if "deviceInfo" in members or ("devEUI" in members and "rxInfo" in members):
        return Certainty.MEMBERS
    return Certainty.URL if uplink.body and event_of_query(uplink.query) else Certainty.NONE


FORMAT = WireFormat(
    name="chirpstack",
    title="ChirpStack HTTP integration",
    certainty=_certainty,
    open=open_event,
    is_lenient=True,
    token_in_path=True,
)
