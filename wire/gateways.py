"""The gateways that heard an uplink: the best of them, its signal and its location."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from core.errors import UnreadableUplink
from wire.fixes import is_null_island, is_on_earth
from wire.quantities import lenient_number, mapping

# A gateway hears devices that are kilometres away, so its location is an estimate this rough.
ESTIMATE_ACCURACY_M = 5_000.0
# More gateways than ever heard one uplink.
MAX_RECEPTIONS = 256


class Reception(Struct, frozen=True, kw_only=True):
    """The reception of an uplink by a gateway."""

    gateway: str | None
    rssi_dbm: float | None
    snr_db: float | None
    lat_deg: float | None = None
    lon_deg: float | None = None
    altitude_m: float | None = None


def place_of(location: Any) -> tuple[float, float] | None:
    """Return latitude and longitude of protobuf JSON, where an absent one of the two is 0."""
    members = mapping(location)
    lat_deg, lon_deg = (
        lenient_number(members.get("latitude")),
        lenient_number(members.get("longitude")),
    )
    if lat_deg is None and lon_deg is None:
        return None
    place = (lat_deg or 0.0, lon_deg or 0.0)
    return place if is_on_earth(*place) and not is_null_island(*place) else None


def require_on_earth(location: Any) -> None:
    """Raise UnreadableUplink for coordinates of no place on earth; to have none is fine."""
    members = mapping(location)
    lat_deg, lon_deg = (
        lenient_number(members.get("latitude")),
        lenient_number(members.get("longitude")),
    )
    if not is_on_earth(lat_deg or 0.0, lon_deg or 0.0):
        raise UnreadableUplink("the location is not on earth.", code="no-position")


def location_note(location: Any) -> dict[str, Any] | None:
    """Return a location as it is written in the notes, or None where there is none."""
    members, place = mapping(location), place_of(location)
    if place is None:
        return None
    note = {
        "lat": place[0],
        "lon": place[1],
        "altitude_m": members.get("altitude"),
        "accuracy_m": members.get("accuracy"),
        "source": members.get("source"),
    }
    return {name: value for name, value in note.items() if value is not None}


def radio_readings(receptions: Sequence[Reception]) -> list[tuple[str, Any]]:
    """Return the readings of the strongest reception and the number of gateways."""
    best = _strongest(receptions)
    if best is None:
        return []
    names = {one.gateway for one in receptions if one.gateway is not None}
    return [
        ("link.rssi", best.rssi_dbm),
        ("link.snr", best.snr_db),
        ("link.gateways", len(names) or len(receptions)),
    ]


def gateway_notes(receptions: Sequence[Reception], *, has_fix: bool) -> dict[str, Any]:
    """Return the best gateway, and as an estimate of the place the best that has a location.

    An estimate is never a fix: its radius is kilometres.
    """
    best = _strongest(receptions)
    placed = _strongest(one for one in receptions if one.lat_deg is not None)
    notes: dict[str, Any] = {}
    if best is not None:
        notes["best_gateway"] = _gateway_note(best)
    if placed is not None and not has_fix:
        notes["network_estimate"] = {
            "lat": placed.lat_deg,
            "lon": placed.lon_deg,
            "accuracy_m": ESTIMATE_ACCURACY_M,
            "method": "gateway",
            "source": "best gateway (strongest rssi)",
        }
    return notes


def _strongest(receptions: Iterable[Reception]) -> Reception | None:
    return max(
        receptions, key=lambda one: -1e9 if one.rssi_dbm is None else one.rssi_dbm, default=None
    )


def _gateway_note(reception: Reception) -> dict[str, Any]:
    note = {
        "id": reception.gateway,
        "rssi_dbm": reception.rssi_dbm,
        "snr_db": reception.snr_db,
        "lat": reception.lat_deg,
        "lon": reception.lon_deg,
        "altitude_m": reception.altitude_m,
    }
    return {name: value for name, value in note.items() if value is not None}
