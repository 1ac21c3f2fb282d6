"""OwnTracks over HTTP: a JSON object in each request, repeated until it is answered 2xx."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.errors import UnreadableUplink
from core.observation import Observation, Scans
from wire import strict_json
from wire.fixes import FixQuantities, beyond_bounds, is_on_earth, lenient_fix
from wire.formats.owntracks_device import device_of
from wire.formats.owntracks_readings import owntracks_readings
from wire.instants import instant_by_magnitude
from wire.quantities import MPS_PER_KMH, entries, lenient_number, number, scaled, text_of
from wire.scans import cell, scans_of
from wire.uplink import Decoded, Uplink
from wire.wire_format import Certainty, ParsedUplink, WireFormat

_MESSAGES = {"location": "position", "transition": "geofence event"}
_WITHOUT_POSITION = frozenset(
    {"waypoint", "waypoints", "lwt", "status", "beacon", "steps", "card", "cmd", "request",
     "dump", "configuration"}
)  # fmt: skip


def decode(uplink: Uplink) -> Decoded:
    """Return the observation of a message of the app.

    Only `location` and `transition` are positions. Raises UnreadableUplink for a body that is
    no JSON object; the door answers `[]` all the same.
    """
    if not uplink.body.strip():
        # The app sends this when a friend is deleted. There is nothing to store.
        return Decoded(message="empty")
    root = strict_json.read_lenient(uplink.body)
    if not isinstance(root, dict):
        raise UnreadableUplink("not an OwnTracks message.")
    # Some trackers that speak this protocol leave the type out.
    is_bare = "_type" not in root and {"lat", "lon", "tst"} <= root.keys()
    kind = "location" if is_bare else text_of(root.get("_type")) or ""
    if kind in _MESSAGES:
        return _position(root, _MESSAGES[kind], uplink)
    if kind == "encrypted":
        return Decoded(message="encrypted", set_aside="encrypted: no key is set for this sender")
    if kind in _WITHOUT_POSITION:
        return Decoded(message=kind, device=device_of(root, uplink)[0], notes=_region_notes(root))
    if root and "_type" not in root:
        return Decoded(message="unknown", set_aside="unknown-event: the message has no _type")
    return Decoded(message="ignored")


def _position(root: Mapping[str, Any], message: str, uplink: Uplink) -> Decoded:
    device, user_notes = device_of(root, uplink)
    notes = user_notes | _notes(root)
    if device is None:
        return Decoded(
            message=message,
            set_aside="no-device: no topic, X-Limit header, user or tid names the device",
            notes=notes,
        )
    lat_deg, lon_deg = lenient_number(root.get("lat")), lenient_number(root.get("lon"))
    # A beacon's transition need not say where it was.
    may_lack_place = "event" in root and "lat" not in root and "lon" not in root
    is_placed = lat_deg is not None and lon_deg is not None and is_on_earth(lat_deg, lon_deg)
    if not (is_placed or may_lack_place):
        return Decoded(
            message=message,
            set_aside="no-position: lat and lon are missing or not on earth",
            notes=notes,
        )
    measured_at = _time(root.get("tst"))
    readings, dropped = owntracks_readings(root)
    quantities = _quantities(root)
    observation = Observation(
        device=device,
        measured_at=measured_at or uplink.received_at,
        time_source="device" if measured_at else "server",
        reported_at=_time(root.get("created_at")),
        fix=lenient_fix(lat_deg, lon_deg, **quantities),
        readings=readings,
        event_id=text_of(root.get("_id")),
        scans=_scans(root),
    )
    if dropped:
        notes["dropped_readings"] = dropped
    if beyond := beyond_bounds(quantities):
        notes["beyond_bounds"] = beyond
    return Decoded(message=message, observations=(observation,), indexes=(0,), notes=notes)


def _quantities(root: Mapping[str, Any]) -> FixQuantities:
    """Return the quantities; old versions of the app, and trackers like them, write texts."""
    return FixQuantities(
        altitude_m=lenient_number(root.get("alt")),
        accuracy_m=lenient_number(root.get("acc")),
        speed_mps=scaled(lenient_number(root.get("vel")), MPS_PER_KMH),
        course_deg=lenient_number(root.get("cog")),
    )


def _time(value: Any) -> datetime | None:
    """Return the time of a count of seconds, or of the milliseconds that some trackers send."""
    count = lenient_number(value)
    try:
        return None if count is None else instant_by_magnitude(count)
    except ValueError:
        return None


def _notes(root: Mapping[str, Any]) -> dict[str, Any]:
    created_at = _time(root.get("created_at"))
    notes = {
        "tid": root.get("tid"),
        "created_at": created_at.isoformat() if created_at else None,
        "regions": root.get("inregions"),
        "event": root.get("event"),
        "region": root.get("desc"),
    }
    return {name: value for name, value in notes.items() if value is not None}


def _scans(root: Mapping[str, Any]) -> Scans | None:
    """Return the cell that a Queclink tracker was in; it writes two of its numbers as hex texts."""
    if "cid" not in root:
        return None
    area, number = (_int_of_hex(root.get(name)) for name in ("lac", "cid"))
    return scans_of(cells=[cell(root.get("mcc"), root.get("mnc"), area, number)])


def _int_of_hex(value: Any) -> Any:
    try:
        return int(value, 16) if isinstance(value, str) else value
    except ValueError:
        return None


def _region_notes(root: Mapping[str, Any]) -> dict[str, Any]:
    """Return the regions of `waypoint` and `waypoints`, which are no track points."""
    kind = root.get("_type")
    waypoints = entries(root.get("waypoints")) if kind == "waypoints" else [root]
    if kind not in ("waypoint", "waypoints"):
        return {}
    return {
        "regions": [
            {
                "name": one.get("desc"),
                "lat": number(one.get("lat")),
                "lon": number(one.get("lon")),
                "radius_m": number(one.get("rad")),
            }
            for one in waypoints
        ]
    }


def _certainty(parsed: ParsedUplink) -> Certainty:
    return Certainty.MEMBERS if "_type" in parsed.members else Certainty.NONE


FORMAT = WireFormat(
    name="owntracks",
    title="OwnTracks HTTP",
    certainty=_certainty,
    open=decode,
    is_lenient=True,
    success_body=b"[]",
    token_in_path=True,
)
