"""Positions that another Traccar server forwards: JSON, or a URL template."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.errors import Fault, TooLarge, UnreadableUplink
from core.observation import Fix, Observation, Scans, TimeSource, normal_identifier
from core.time_texts import instant_of_text
from wire import strict_json
from wire.fixes import FixQuantities, beyond_bounds, is_on_earth, lenient_fix
from wire.formats.traccar_gprmc import members_of_sentence
from wire.instants import instant_of_count
from wire.parameters import SECRETS, first_value, parameters_of, value_of_text
from wire.quantities import (
    MPS_PER_KNOT,
    entries,
    lenient_number,
    mapping,
    scaled,
    text_of,
    truth,
)
from wire.reading_names import bounded_readings
from wire.scans import beacon, cell, scans_of
from wire.traccar_attributes import attribute_readings
from wire.uplink import Decoded, Refusal, Uplink
from wire.wire_format import Certainty, ParsedUplink, WireFormat

MAX_POSITIONS = 1_000
_TIMES = ("fixTime", "deviceTime", "serverTime")
_IDENTIFIERS = ("uniqueId", "id", "deviceId", "deviceid", "dev", "name")
# Members of a position, with other names for them in a URL template.
_PARAMETERS: dict[str, tuple[str, ...]] = {
    "latitude": ("lat",), "longitude": ("lon",), "altitude": ("alt",), "speed": (),
    "course": ("bearing", "heading"), "accuracy": (), "fixTime": ("timestamp",),
    "deviceTime": (), "serverTime": (),
}  # fmt: skip
_CELL_MEMBERS = (
    "mobileCountryCode", "mobileNetworkCode", "locationAreaCode", "cellId", "signalStrength",
)  # fmt: skip
_NO_ATTRIBUTES = frozenset({
    *_IDENTIFIERS, *_PARAMETERS, *(other for others in _PARAMETERS.values() for other in others),
    *SECRETS, "valid", "attributes", "gprmc", "protocol", "status",
})  # fmt: skip


def decode(uplink: Uplink) -> Decoded:
    """Return the observations of forwarded positions. Raises UnreadableUplink and TooLarge."""
    if not uplink.body.strip() or uplink.body.strip()[:1] not in (b"{", b"["):
        if not uplink.query and not uplink.body.strip():
            raise UnreadableUplink("neither parameters nor a body.", code="empty-body")
        return _decoded([("", _message_of_parameters(parameters_of(uplink)))], uplink)
    root = strict_json.read_lenient(uplink.body)
    forwarded = root if isinstance(root, list) else [root]
    if len(forwarded) > MAX_POSITIONS:
        raise TooLarge(
            f"{len(forwarded)} positions; the limit is {MAX_POSITIONS}.", code="too-many-fixes"
        )
    # A `device` that is no object is a member of other senders' JSON.
    if forwarded and not any(
        "position" in one or isinstance(one.get("device"), dict) for one in entries(root)
    ):
        raise UnreadableUplink("neither a position nor a device of Traccar.")
    prefix = "/{}/position" if isinstance(root, list) else "/position"
    return _decoded([(prefix.format(i), one) for i, one in enumerate(forwarded)], uplink)


def _decoded(forwarded: list[tuple[str, Any]], uplink: Uplink) -> Decoded:
    """Return the observations; `forwarded` has each message with the pointer to its position."""
    messages = [mapping(one) for _, one in forwarded]
    observations: list[Observation] = []
    indexes: list[int] = []
    dropped: list[str] = []
    beyond: list[dict[str, float]] = []
    refusals = [
        Refusal(index=index, faults=(fault,))
        for index, (pointer, one) in enumerate(forwarded)
        if (fault := _fault(pointer, one)) is not None
    ]
    refused = {refusal.index for refusal in refusals}
    # An event may come without a position; then nothing was observed.
    placed = [
        (index, one)
        for index, one in enumerate(messages)
        if isinstance(one.get("position"), dict) and index not in refused
    ]
    for index, one in placed:
        observation, more_dropped = _observation(one, uplink)
        dropped += more_dropped
        if observation is not None:
            observations.append(observation)
            indexes.append(index)
            if observation.fix and (found := beyond_bounds(_quantities(one["position"]))):
                beyond.append({"index": index, **found})
    is_whole = len(observations) == len(placed)
    is_event = bool(messages) and all("event" in one for one in messages)
    more = {"dropped_readings": dropped, "beyond_bounds": beyond}
    return Decoded(
        message="event" if is_event else "position",
        device=_device(mapping(messages[0].get("device"))) if len(messages) == 1 else None,
        observations=tuple(observations),
        indexes=tuple(indexes),
        refusals=tuple(refusals),
        set_aside=None if is_whole else "no-device: a position names no device",
        notes=_notes(messages) | {name: value for name, value in more.items() if value},
    )


def _fault(pointer: str, forwarded: Any) -> Fault | None:
    """Return the fault of a message that is no object, or has coordinates off the earth."""
    if not isinstance(forwarded, dict):
        at = pointer.removesuffix("/position")
        return Fault(pointer=at, code="not-an-object", detail="A message is a JSON object.")
    position = mapping(forwarded.get("position"))
    lat_deg, lon_deg = (lenient_number(position.get(name)) for name in ("latitude", "longitude"))
    if lat_deg is None or lon_deg is None or is_on_earth(lat_deg, lon_deg) or _is_repeat(position):
        return None
    name = "longitude" if -90 <= lat_deg <= 90 else "latitude"
    detail = f"{lat_deg}, {lon_deg} is not on earth."
    return Fault(pointer=f"{pointer}/{name}", code="out-of-range", detail=detail)


def _message_of_parameters(sent: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters of a URL template as the JSON that Traccar would send."""
    position: dict[str, Any] = dict(members_of_sentence(sent.get("gprmc", "")))
    for name, others in _PARAMETERS.items():
        found = first_value(sent, name, *(other for other in others if name not in position))
        if found is not None:
            position[name] = found
    if sent.get("valid"):
        position["valid"] = truth(sent["valid"])
    position["attributes"] = _attributes_of_text(sent.get("attributes", "")) | {
        name: value_of_text(text)
        for name, text in sent.items()
        if name not in _NO_ATTRIBUTES and text and not _is_unfilled(text)
    }
    identifier = first_value(sent, *_IDENTIFIERS)
    return {"position": position, "device": {"uniqueId": identifier, "name": sent.get("name")}}


def _attributes_of_text(text: str) -> dict[str, Any]:
    try:
        return dict(mapping(strict_json.read_lenient(text.encode())))
    except UnreadableUplink:
        return {}


def _is_unfilled(text: str) -> bool:
    """Return True where Traccar had no value to fill in: `null`, or the placeholder itself."""
    return text == "null" or (text.startswith("{") and text.endswith("}"))


def _observation(
    forwarded: Mapping[str, Any], uplink: Uplink
) -> tuple[Observation | None, list[str]]:
    position, device = mapping(forwarded.get("position")), mapping(forwarded.get("device"))
    # `position.deviceId` is a key of the other server's database and unknown here.
    identifier = _device(device)
    if identifier is None:
        return None, []
    fix = _fix(position)
    measured_at, time_source = _measured_at(position, uplink, is_fresh=fix is not None)
    readings, dropped = bounded_readings(attribute_readings(mapping(position.get("attributes"))))
    position_id = text_of(position.get("id"))
    observation = Observation(
        device=identifier,
        measured_at=measured_at,
        time_source=time_source,
        reported_at=_reported_at(position),
        fix=fix,
        readings=readings,
        # Zero is a position that the other server did not store.
        event_id=f"traccar:{position_id}" if position_id not in (None, "0") else None,
        scans=_scans(mapping(position.get("network"))),
    )
    return observation, dropped


def _fix(position: Mapping[str, Any]) -> Fix | None:
    if _is_repeat(position):
        return None
    lat_deg, lon_deg = (lenient_number(position.get(name)) for name in ("latitude", "longitude"))
    return lenient_fix(lat_deg, lon_deg, **_quantities(position))


def _quantities(position: Mapping[str, Any]) -> FixQuantities:
    return FixQuantities(
        altitude_m=lenient_number(position.get("altitude")),
        accuracy_m=lenient_number(position.get("accuracy")),
        speed_mps=scaled(lenient_number(position.get("speed")), MPS_PER_KNOT),
        course_deg=lenient_number(position.get("course")),
    )


def _is_repeat(position: Mapping[str, Any]) -> bool:
    """Return True for a position that only repeats the last one: invalid, or outdated."""
    return truth(position.get("valid", True)) is False or truth(position.get("outdated")) is True


def _measured_at(
    position: Mapping[str, Any], uplink: Uplink, *, is_fresh: bool
) -> tuple[datetime, TimeSource]:
    # Without a fix, fixTime is that of the old one.
    names = _TIMES if is_fresh else ("deviceTime", "serverTime", "fixTime")
    for name in names:
        found = _time(position.get(name))
        if found is not None:
            return found, "network" if name == "serverTime" else "device"
    return uplink.received_at, "server"


def _device(device: Mapping[str, Any]) -> str | None:
    identifier = text_of(device.get("uniqueId"))
    return None if identifier is None else normal_identifier(identifier)


def _scans(network: Mapping[str, Any]) -> Scans | None:
    return scans_of(
        wifi=(
            beacon(one.get("macAddress"), one.get("signalStrength"))
            for one in entries(network.get("wifiAccessPoints"))
        ),
        cells=(
            cell(*(one.get(name) for name in _CELL_MEMBERS))
            for one in entries(network.get("cellTowers"))
        ),
    )


def _reported_at(position: Mapping[str, Any]) -> datetime | None:
    """Return when the device made its message, else when the other server took it."""
    return _time(position.get("deviceTime")) or _time(position.get("serverTime"))


def _time(value: Any) -> datetime | None:
    """Read ISO 8601, from older servers with `+0000`, or the milliseconds of a URL template."""
    count = lenient_number(value)
    try:
        if count is not None:
            return instant_of_count(count, "ms")
        return instant_of_text(value, is_zone_optional=True) if isinstance(value, str) else None
    except ValueError:
        return None


def _notes(forwarded: list[Mapping[str, Any]]) -> dict[str, Any]:
    if len(forwarded) != 1:
        return {}
    device, position = mapping(forwarded[0].get("device")), mapping(forwarded[0].get("position"))
    notes = {
        "name": device.get("name"),
        "protocol": position.get("protocol"),
        "event": mapping(forwarded[0].get("event")).get("type"),
    }
    return {name: value for name, value in notes.items() if value is not None}


def _certainty(parsed: ParsedUplink) -> Certainty:
    if not parsed.parameters.isdisjoint({"gprmc", "fixTime", "uniqueId"}):
        return Certainty.PARAMETERS
    members = parsed.members
    # An event may come without a position.
    is_event = "event" in members and isinstance(members.get("device"), dict)
    is_forwarded = is_event or ("position" in members and "device" in members)
    return Certainty.MEMBERS if is_forwarded else Certainty.NONE


FORMAT = WireFormat(
    name="traccar",
    title="Traccar position forwarding",
    certainty=_certainty,
    open=decode,
    is_lenient=True,
    methods=("GET", "POST", "PUT"),
    token_in_path=True,
)
