"""The Things Stack v3 webhooks, JSON: one URL, many events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from msgspec import structs

from core.errors import UnreadableUplink
from core.observation import Method, Observation, normal_identifier
from wire import strict_json
from wire.envelope import Envelope
from wire.fixes import FixQuantities, beyond_bounds, lenient_fix
from wire.formats.ttn_uplink import UplinkMessage, envelope_of
from wire.gateways import location_note, place_of, require_on_earth
from wire.instants import instant_by_magnitude, instant_or_none
from wire.payloads.member_names import normal_name
from wire.quantities import entries, mapping, number, text_of
from wire.uplink import Decoded, Uplink, bounded_event_id, content_digest
from wire.wire_format import Certainty, ParsedUplink, WireFormat

EVENTS = {
    "uplink_message": "uplink",
    "uplink_normalized": "uplink_normalized",
    "join_accept": "join",
    "location_solved": "location",
    "service_data": "service_data",
    "downlink_ack": "downlink_ack",
    "downlink_nack": "downlink_nack",
    "downlink_sent": "downlink_sent",
    "downlink_failed": "downlink_failed",
    "downlink_queued": "downlink_queued",
    "downlink_queue_invalidated": "downlink_queue_invalidated",
}
_METHODS: dict[str, Method] = {
    "SOURCE_GPS": "gnss",
    "SOURCE_WIFI_RSSI_GEOLOCATION": "wifi",
    "SOURCE_BT_RSSI_GEOLOCATION": "ble",
    "SOURCE_LORA_RSSI_GEOLOCATION": "lora_rssi",
    "SOURCE_LORA_TDOA_GEOLOCATION": "lora_tdoa",
}
_SOLVERS: dict[str, Method] = {"gnss": "gnss", "gnssng": "gnss", "wifi": "wifi"}
_QUERY_NAMES = ("deveui", "devid", "deviceid", "device")


def open_webhook(uplink: Uplink) -> Decoded | Envelope:
    """Return the observation of a webhook call, or the envelope of an uplink.

    Raises UnreadableUplink for any other body.
    """
    root = strict_json.read_lenient(uplink.body)
    if not isinstance(root, dict):
        raise UnreadableUplink("not a message of The Things Stack.")
    event = next((name for name in EVENTS if isinstance(root.get(name), dict)), None)
    notes = _envelope_notes(root)
    if event is None:
        is_outgoing = "downlinks" in root
        return Decoded(
            message="outgoing downlink" if is_outgoing else "unknown",
            set_aside=None if is_outgoing else "unknown-event: no known event is in the message",
            notes=notes,
        )
    device = _device(root, uplink)
    if event not in _READERS:
        solved = None
        if event == "service_data" and device is not None:
            solved = _solved_service_data(root, device, uplink)
        return Decoded(
            message=EVENTS[event],
            device=device,
            observations=() if solved is None else (solved,),
            indexes=() if solved is None else (0,),
            notes=notes | _other_notes(event, root, uplink.received_at),
        )
    if device is None:
        return Decoded(
            message=EVENTS[event],
            set_aside="no-device: neither the message nor its URL names the device",
            notes=notes,
        )
    return _READERS[event](root, device, uplink)


def _uplink(root: Mapping[str, Any], device: str, uplink: Uplink) -> Envelope:
    return envelope_of(_message("uplink_message", root, device, uplink))


def _normalized(root: Mapping[str, Any], device: str, uplink: Uplink) -> Envelope:
    message = _message("uplink_normalized", root, device, uplink)
    measured = entries(message.members.get("normalized_payload"))
    event_id = message.event_id
    return envelope_of(
        structs.replace(
            message,
            members=dict(message.members) | {"normalized_payload": measured},
            # One event for each measurement, all of them under the id of their uplink.
            event_id=event_id and f"{event_id}:normalized:{content_digest(measured)}",
        )
    )


def _message(event: str, root: Mapping[str, Any], device: str, uplink: Uplink) -> UplinkMessage:
    return UplinkMessage(
        message=EVENTS[event],
        members=root[event],
        device=device,
        dev_addr=text_of(mapping(root.get("end_device_ids")).get("dev_addr")),
        event_id=_event_id(root),
        received_at=instant_or_none(root.get("received_at")),
        server_time=uplink.received_at,
        is_simulated=root.get("simulated") is True,
        notes=_envelope_notes(root),
    )


def _location(root: Mapping[str, Any], device: str, uplink: Uplink) -> Decoded:
    solved = root["location_solved"]
    location, service = mapping(solved.get("location")), text_of(solved.get("service")) or ""
    source = location.get("source")
    notes = _envelope_notes(root) | {"service": service, "location_source": source}
    place = place_of(location)
    if place is None:
        require_on_earth(location)
        return Decoded(message="location", device=device, notes=notes)
    if source == "SOURCE_REGISTRY" or service == "user":
        # Set by hand in the console: configuration, not a track point.
        notes["registered_location"] = location_note(location)
        return Decoded(message="location", device=device, notes=notes)
    # For frm-payload The Things Stack may have put an HDOP into the accuracy.
    accuracy_m = None if service == "frm-payload" else number(location.get("accuracy"))
    quantities = FixQuantities(altitude_m=number(location.get("altitude")), accuracy_m=accuracy_m)
    fix = lenient_fix(*place, **quantities, method=_method(source, service))
    if beyond := beyond_bounds(quantities):
        notes["beyond_bounds"] = beyond
    network_time = instant_or_none(root.get("received_at"))
    event_id = _event_id(root)
    observation = Observation(
        device=device,
        measured_at=network_time or uplink.received_at,
        time_source="network" if network_time else "server",
        reported_at=network_time,
        fix=fix,
        readings={"custom.simulated": True} if root.get("simulated") is True else {},
        event_id=event_id and bounded_event_id(f"{event_id}:location:{service}"),
    )
    return Decoded(message="location", observations=(observation,), indexes=(0,), notes=notes)


def _solved_service_data(
    root: Mapping[str, Any], device: str, uplink: Uplink
) -> Observation | None:
    """Return the position that a geolocation service solved, where it tells one in its data."""
    solution = _solution_in(mapping(root["service_data"]).get("data"), depth=4)
    place = solution.get("llh")
    numbers = [number(one) for one in place] if isinstance(place, list) else []
    if len(numbers) < 2:
        return None
    fix = lenient_fix(
        *numbers[:2],
        altitude_m=numbers[2] if len(numbers) > 2 else None,
        accuracy_m=number(solution.get("accuracy")),
        method=_SOLVERS.get(str(solution.get("algorithm_type")).lower(), "network"),
    )
    if fix is None:
        return None
    network_time = instant_or_none(root.get("received_at"))
    solved_at = _captured_at(solution)
    event_id = _event_id(root)
    return Observation(
        device=device,
        measured_at=solved_at or network_time or uplink.received_at,
        time_source="device" if solved_at else "network" if network_time else "server",
        reported_at=network_time,
        fix=fix,
        event_id=event_id and bounded_event_id(f"{event_id}:service_data"),
    )


def _solution_in(data: Any, *, depth: int) -> Mapping[str, Any]:
    """Return the `position_solution` in the answer of a service, which may wrap it."""
    members = mapping(data)
    found = mapping(members.get("position_solution"))
    if found or not depth:
        return found
    inner = (_solution_in(value, depth=depth - 1) for value in members.values())
    return next(filter(None, inner), {})


def _captured_at(solution: Mapping[str, Any]) -> datetime | None:
    """Return when the device took the scan, in seconds since 1970, if the service says so."""
    count = number(solution.get("capture_time_utc"))
    try:
        return None if count is None else instant_by_magnitude(count)
    except ValueError:
        return None


_READERS: dict[str, Callable[[Mapping[str, Any], str, Uplink], Decoded | Envelope]] = {
    "uplink_message": _uplink,
    "uplink_normalized": _normalized,
    "location_solved": _location,
}


def _method(source: Any, service: str) -> Method:
    found = _METHODS.get(str(source))
    if found is not None:
        return found
    if source is not None and source != "SOURCE_UNKNOWN":
        return "network"
    if service == "frm-payload" or service.endswith("gnss"):
        return "gnss"
    return "wifi" if service.endswith("wifi") else "network"


def _device(root: Mapping[str, Any], uplink: Uplink) -> str | None:
    """Return the device; a field mask may remove the ids, then variables in the URL name it."""
    ids = mapping(root.get("end_device_ids"))
    query = {normal_name(name): value for name, value in parse_qsl(uplink.query)}
    for found in (ids.get("dev_eui"), ids.get("device_id"), *map(query.get, _QUERY_NAMES)):
        text = text_of(found)
        if text is not None:
            return normal_identifier(text)
    return None


def _envelope_notes(root: Mapping[str, Any]) -> dict[str, Any]:
    ids = mapping(root.get("end_device_ids"))
    notes = {
        "device_id": ids.get("device_id"),
        "application_id": mapping(ids.get("application_ids")).get("application_id"),
        "dev_eui": ids.get("dev_eui"),
        "join_eui": ids.get("join_eui"),
        "dev_addr": ids.get("dev_addr"),
        "received_at": root.get("received_at"),
        "simulated": root.get("simulated"),
    }
    return {name: value for name, value in notes.items() if value is not None}


def _other_notes(event: str, root: Mapping[str, Any], server_time: datetime) -> dict[str, Any]:
    body = mapping(root[event])
    downlink = mapping(body.get("downlink")) or body
    sent = downlink.get("correlation_ids")
    correlations = [c for c in sent if isinstance(c, str)] if isinstance(sent, list) else []
    notes: dict[str, Any] = {
        "time": (instant_or_none(root.get("received_at")) or server_time).isoformat()
    }
    if correlations:
        notes["correlation_id"] = correlations[0]
        notes["correlation_ids"] = correlations
    for name in ("session_key_id", "service", "data", "error", "f_port", "f_cnt"):
        if name in body:
            notes[name] = body[name]
    return notes


def _event_id(root: Mapping[str, Any]) -> str | None:
    """Return the Application Server's own name for the event, the same in each retry.

    The event of a service also carries the name of its uplink; its own is the youngest, and
    these names sort by time.
    """
    correlations = root.get("correlation_ids")
    found = correlations if isinstance(correlations, list) else []
    names = [c for c in found if isinstance(c, str) and c.startswith("as:up:") and len(c) <= 64]
    return max(names, default=None)


def _certainty(parsed: ParsedUplink) -> Certainty:
    has_mark = "end_device_ids" in parsed.members or not EVENTS.keys().isdisjoint(parsed.members)
    return Certainty.MEMBERS if has_mark else Certainty.NONE


FORMAT = WireFormat(
    name="ttn",
    title="The Things Stack v3 webhook",
    certainty=_certainty,
    open=open_webhook,
    is_lenient=True,
    token_in_path=True,
    has_event_paths=True,
)
