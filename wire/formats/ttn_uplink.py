"""The `uplink_message` of The Things Stack: its payload, gateways, and the best of its times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from core.observation import Fix, TimeSource
from wire.device_model import DeviceModel
from wire.envelope import Envelope, ReadingPairs
from wire.fixes import lenient_fix
from wire.gateways import MAX_RECEPTIONS, Reception, location_note, place_of
from wire.instants import instant_or_none
from wire.payloads.payload_content import Payload
from wire.quantities import (
    bytes_of_base64,
    entries,
    lenient_number,
    mapping,
    number,
    text_of,
)
from wire.uplink import bounded_event_id, content_digest

# A gateway without a clock may be years off.
_GATEWAY_CLOCK_TOLERANCE = timedelta(minutes=1)
# A receiver that has lost count of its 1,024 weeks is 19 years off; one that held an
# uplink back is not even one.
_ROLLOVER = timedelta(days=365)


class UplinkMessage(Struct, frozen=True, kw_only=True):
    """The inner object with the values of the outer one."""

    message: str
    members: Mapping[str, Any]
    device: str
    dev_addr: str | None
    event_id: str | None
    received_at: datetime | None
    server_time: datetime
    is_simulated: bool = False
    notes: dict[str, Any] = {}


class _NetworkTime(Struct, frozen=True):
    at: datetime
    source: TimeSource
    member: str | None = None


def envelope_of(message: UplinkMessage) -> Envelope:
    """Return the envelope of one uplink; `message.notes` go with it."""
    network_time = _network_time(message)
    return Envelope(
        message=message.message,
        device=message.device,
        event_id=message.event_id or _content_id(message),
        heard_at=network_time.at,
        time_source=network_time.source,
        time_member=network_time.member,
        receptions=tuple(_reception(one) for one in _rx_metadata(message)),
        link_readings=_link_readings(message),
        fallback_readings=(
            ("battery.level", _last_battery_percent(message.members)),
            ("custom.simulated", message.is_simulated or None),
        ),
        fallback_fix=_fallback_fix(message),
        model=_model(message.members),
        payload=_payload(message.members),
        notes=message.notes | _notes(message.members),
    )


def _payload(members: Mapping[str, Any]) -> Payload:
    return Payload(
        data=bytes_of_base64(members.get("frm_payload")) or b"",
        f_port=int(number(members.get("f_port")) or 0),
        decoded=members.get("decoded_payload"),
        normalized=tuple(entries(members.get("normalized_payload"))),
    )


def _model(members: Mapping[str, Any]) -> DeviceModel | None:
    ids = mapping(members.get("version_ids"))
    name = text_of(ids.get("model_id"))
    return None if name is None else DeviceModel(name, text_of(ids.get("brand_id")))


def _rx_metadata(message: UplinkMessage) -> list[Mapping[str, Any]]:
    return entries(message.members.get("rx_metadata"))[:MAX_RECEPTIONS]


def _network_time(message: UplinkMessage) -> _NetworkTime:
    received_at = instant_or_none(message.members.get("received_at"))
    reference = received_at or message.received_at or message.server_time
    receptions = list(enumerate(_rx_metadata(message)))
    for index, one in receptions:
        at = instant_or_none(one.get("gps_time"))
        if at is not None and -_GATEWAY_CLOCK_TOLERANCE < reference - at < _ROLLOVER:
            return _NetworkTime(at, "network", f"rx_metadata[{index}].gps_time")
    for index, one in receptions:
        at = instant_or_none(one.get("time"))
        if at is not None and abs(at - reference) <= _GATEWAY_CLOCK_TOLERANCE:
            return _NetworkTime(at, "network", f"rx_metadata[{index}].time")
    if received_at is not None:
        return _NetworkTime(received_at, "network", "uplink_message.received_at")
    if message.received_at is not None:
        return _NetworkTime(message.received_at, "network", "received_at")
    return _NetworkTime(message.server_time, "server")


def _fallback_fix(message: UplinkMessage) -> Fix | None:
    """Return the position that The Things Stack found, where the payload was filtered away.

    Beside a payload it may be that of an earlier uplink; its accuracy may be an HDOP.
    """
    if message.members.get("decoded_payload") is not None:
        return None
    location = mapping(mapping(message.members.get("locations")).get("frm-payload"))
    found = place_of(location)
    altitude_m = number(location.get("altitude"))
    return None if found is None else lenient_fix(*found, altitude_m=altitude_m)


def _reception(one: Mapping[str, Any]) -> Reception:
    ids = mapping(one.get("gateway_ids"))
    # By way of the Packet Broker all gateways have one name, and their own beside it.
    broker = mapping(one.get("packet_broker"))
    names = (broker.get("forwarder_gateway_id"), broker.get("forwarder_gateway_eui"),
             ids.get("gateway_id"), ids.get("eui"))  # fmt: skip
    place = place_of(one.get("location"))
    rssi_dbm = lenient_number(one.get("rssi", one.get("channel_rssi")))
    # Zero is left out: no snr beside an rssi is 0 dB.
    snr_db = lenient_number(one.get("snr", 0.0 if rssi_dbm is not None else None))
    return Reception(
        gateway=next(filter(None, map(text_of, names)), None),
        rssi_dbm=rssi_dbm,
        snr_db=snr_db,
        lat_deg=place[0] if place else None,
        lon_deg=place[1] if place else None,
        altitude_m=number(mapping(one.get("location")).get("altitude")) if place else None,
    )


def _link_readings(message: UplinkMessage) -> ReadingPairs:
    settings = mapping(message.members.get("settings"))
    lora = mapping(mapping(settings.get("data_rate")).get("lora"))
    frequency_hz = lenient_number(settings.get("frequency"))
    return (
        ("link.fcnt", number(message.members.get("f_cnt", 0))),
        ("link.fport", number(message.members.get("f_port", 0))),
        ("link.sf", number(lora.get("spreading_factor"))),
        ("link.frequency", None if frequency_hz is None else int(frequency_hz)),
    )


def _last_battery_percent(members: Mapping[str, Any]) -> float | None:
    last = members.get("last_battery_percentage")
    if not isinstance(last, dict):
        return None
    percent = number(last.get("value", 0.0))
    return percent if percent is not None and 0 <= percent <= 100 else None


def _content_id(message: UplinkMessage) -> str | None:
    """Return a key for this frame: counters restart at a join, so the session is in it."""
    members = message.members
    payload = members.get("frm_payload")
    if "f_cnt" not in members and not isinstance(payload, str):
        return None
    session = text_of(members.get("session_key_id")) or message.dev_addr or "-"
    digest = content_digest(payload or "")
    f_port, f_cnt = members.get("f_port", 0), members.get("f_cnt", 0)
    return bounded_event_id(f"{message.device}/{session}/{f_port}/{f_cnt}/{digest}")


def _notes(members: Mapping[str, Any]) -> dict[str, Any]:
    locations = mapping(members.get("locations"))
    others = {k: v for k, v in locations.items() if k not in ("user", "frm-payload")}
    notes = {
        "registered_location": location_note(locations.get("user")),
        # The network server's last known places, which are not this uplink's.
        "last_locations": others or None,
        "frm_payload": members.get("frm_payload"),
        "decoded_payload_warnings": members.get("decoded_payload_warnings"),
        "normalized_payload_warnings": members.get("normalized_payload_warnings"),
        "version_ids": members.get("version_ids"),
    }
    return {name: value for name, value in notes.items() if value is not None}
