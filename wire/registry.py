"""Every wire format by name, and how to tell them apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import Refused
from wire.formats import (
    background_geolocation,
    chirpstack,
    osmand,
    own_json,
    owntracks,
    traccar,
    ttn,
)
from wire.parameters import all_parameters
from wire.quantities import mapping
from wire.strict_json import read_lenient
from wire.uplink import Uplink, WireFormat

_JSON = "application/json"

FORMATS: dict[str, WireFormat] = {
    one.name: one
    for one in (
        WireFormat(
            name="json",
            title="Our own JSON",
            decode=own_json.decode,
            is_lenient=False,
            media_types=(_JSON,),
        ),
        WireFormat(
            name="ttn",
            title="The Things Stack v3 webhook",
            decode=ttn.decode,
            is_lenient=True,
            token_in_path=True,
        ),
        WireFormat(
            name="chirpstack",
            title="ChirpStack HTTP integration",
            decode=chirpstack.decode,
            is_lenient=True,
            token_in_path=True,
        ),
        WireFormat(
            name="owntracks",
            title="OwnTracks HTTP",
            decode=owntracks.decode,
            is_lenient=True,
            success_body=b"[]",
            token_in_path=True,
        ),
        WireFormat(
            name="osmand",
            title="OsmAnd, Traccar Client, background-geolocation",
            decode=osmand.decode,
            is_lenient=False,
            methods=("GET", "POST", "PUT"),
            token_in_path=True,
        ),
        WireFormat(
            name="traccar",
            title="Traccar position forwarding",
            decode=traccar.decode,
            is_lenient=True,
            methods=("GET", "POST", "PUT"),
            token_in_path=True,
        ),
    )
}


def detect(uplink: Uplink) -> str | None:
    """Return the name of the format that an uplink is in, or None where nothing tells."""
    try:
        if uplink.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
            return _of_json(read_lenient(uplink.body), uplink)
        return _of_parameters(uplink)
    except Refused:
        return None


def _of_parameters(uplink: Uplink) -> str | None:
    if chirpstack.event_of_query(uplink.query) and uplink.body:
        return "chirpstack"
    names = all_parameters(uplink).keys()
    if not names.isdisjoint({"gprmc", "fixTime", "uniqueId"}):
        return "traccar"
    is_named = not names.isdisjoint(osmand.IDENTIFIERS)
    is_placed = not names.isdisjoint({"lat", "location", *osmand.REPEATABLE})
    return "osmand" if is_named and is_placed else None


def _of_json(root: Any, uplink: Uplink) -> str | None:
    first = root[0] if isinstance(root, list) and root else root
    members = mapping(first)
    for name, is_it in _TELLTALES:
        if is_it(members):
            return name
    if chirpstack.event_of_query(uplink.query):
        return "chirpstack"
    return "osmand" if _is_background_geolocation(root) else None


def _is_ttn(members: Mapping[str, Any]) -> bool:
    return "end_device_ids" in members or not ttn.EVENTS.keys().isdisjoint(members)


def _is_chirpstack(members: Mapping[str, Any]) -> bool:
    return "deviceInfo" in members or ("devEUI" in members and "rxInfo" in members)


def _is_own(members: Mapping[str, Any]) -> bool:
    return ("device" in members and "measured_at" in members) or isinstance(
        members.get("positions"), list
    )


def _is_traccar(members: Mapping[str, Any]) -> bool:
    """An event may come without a position."""
    is_event = "event" in members and isinstance(members.get("device"), dict)
    return is_event or ("position" in members and "device" in members)


def _is_background_geolocation(root: Any) -> bool:
    found = background_geolocation.locations_in(root) or []
    return any(not {"coords", "timestamp"}.isdisjoint(mapping(one.sent)) for one in found)


_TELLTALES = (
    ("ttn", _is_ttn),
    ("owntracks", lambda members: "_type" in members),
    ("chirpstack", _is_chirpstack),
    ("traccar", _is_traccar),
    ("json", _is_own),
)
