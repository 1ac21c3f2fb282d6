"""The `up` event of ChirpStack: the codec's object, and the gateways that heard it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from core.errors import UnreadableUplink
from wire import strict_json
from wire.envelope import Envelope, ReadingPairs
from wire.fixes import is_null_island, is_on_earth
from wire.gateways import MAX_RECEPTIONS, Reception, place_of
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
from wire.uplink import Uplink, bounded_event_id, content_digest


def envelope_of(root: Mapping[str, Any], device: str, uplink: Uplink) -> Envelope:
    """Return the envelope of an `up` event."""
    rx_info = entries(root.get("rxInfo"))[:MAX_RECEPTIONS]
    network_time = instant_or_none(root.get("time")) or _gateway_time(rx_info)
    decoded, warning = _codec_object(root)
    data = bytes_of_base64(root.get("data"))
    notes = {"raw_payload_hex": None if data is None else data.hex(), "warnings": warning}
    return Envelope(
        message="uplink",
        device=device,
        event_id=text_of(root.get("deduplicationId")) or _content_id(root, device),
        heard_at=network_time or uplink.received_at,
        time_source="network" if network_time else "server",
        receptions=tuple(reception(one) for one in rx_info),
        link_readings=_link_readings(root),
        payload=Payload(
            data=data or b"", f_port=int(number(root.get("fPort")) or 0), decoded=decoded
        ),
        notes={name: value for name, value in notes.items() if value is not None},
    )


def reception(one: Mapping[str, Any]) -> Reception:
    """Read one `rxInfo`; on Helium the gateway's coordinates are texts in `metadata`."""
    metadata = mapping(one.get("metadata"))
    place = place_of(one.get("location")) or _helium_place(metadata)
    rssi_dbm = lenient_number(one.get("rssi"))
    # Zero is left out: no snr beside an rssi is 0 dB. Version 3 says loRaSNR.
    no_snr = 0.0 if rssi_dbm is not None else None
    return Reception(
        gateway=text_of(one.get("gatewayId")) or text_of(one.get("gatewayID") or one.get("mac")),
        rssi_dbm=rssi_dbm,
        snr_db=lenient_number(one.get("snr", one.get("loRaSNR", no_snr))),
        lat_deg=place[0] if place else None,
        lon_deg=place[1] if place else None,
        altitude_m=number(mapping(one.get("location")).get("altitude")) if place else None,
    )


def _gateway_time(rx_info: Sequence[Mapping[str, Any]]) -> datetime | None:
    """Return when the uplink was heard: by the network server's clock, else by a gateway's.

    Before 4.6 the gateway's was called `time`.
    """
    texts = (one.get(name) for name in ("nsTime", "gwTime", "time") for one in rx_info)
    return next((at for text in texts if (at := instant_or_none(text)) is not None), None)


def _helium_place(metadata: Mapping[str, Any]) -> tuple[float, float] | None:
    lat_deg = lenient_number(metadata.get("gateway_lat"))
    lon_deg = lenient_number(metadata.get("gateway_long"))
    if lat_deg is None or lon_deg is None or not is_on_earth(lat_deg, lon_deg):
        return None
    return None if is_null_island(lat_deg, lon_deg) else (lat_deg, lon_deg)


def _codec_object(root: Mapping[str, Any]) -> tuple[Mapping[str, Any], str | None]:
    """Return the object of the codec; version 3 sends it as a text of JSON."""
    text = root.get("objectJSON")
    if not isinstance(text, str) or not text:
        return mapping(root.get("object")), None
    try:
        return mapping(strict_json.read_lenient(text.encode())), None
    except UnreadableUplink as error:
        return {}, f"objectJSON: {error.detail}"


def _link_readings(root: Mapping[str, Any]) -> ReadingPairs:
    info = mapping(root.get("txInfo"))
    lora = mapping(mapping(info.get("modulation")).get("lora"))
    old_lora = mapping(info.get("loRaModulationInfo"))
    return (
        ("link.fcnt", number(root.get("fCnt", 0))),
        ("link.fport", number(root.get("fPort", 0))),
        ("link.sf", number(lora.get("spreadingFactor", old_lora.get("spreadingFactor")))),
        ("link.frequency", number(info.get("frequency"))),
    )


def _content_id(root: Mapping[str, Any], device: str) -> str | None:
    if "fCnt" not in root and "data" not in root:
        return None
    digest = content_digest(root.get("data") or "")
    session = text_of(root.get("devAddr")) or "-"
    return bounded_event_id(
        f"{device}/{session}/{root.get('fPort', 0)}/{root.get('fCnt', 0)}/{digest}"
    )
