"""The `uplink_message` of The Things Stack: payload, radio, and which of its times to believe."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from core.errors import TooLarge
from core.observation import Fix, Observation, TimeSource
from wire.fixes import lenient_fix
from wire.gateways import (
    MAX_RECEPTIONS,
    Reception,
    described_place,
    gateway_notes,
    place_of,
    radio_readings,
)
from wire.instants import instant_or_none
from wire.payloads.decoded_payload import access_points, plain_payload, require_modest
from wire.payloads.decoded_position import Located, is_plausible, located
from wire.payloads.decoded_readings import decoded_readings
from wire.payloads.normalized_payload import normalized_fix, normalized_readings
from wire.quantities import entries, loose_number, mapping, number, text_of
from wire.reading_names import bounded
from wire.uplink import content_digest, event_name

# A gateway without a clock may be years off.
_GATEWAY_CLOCK_TOLERANCE = timedelta(minutes=1)
# A receiver that has lost count of its 1,024 weeks is 19 years off; one that held an
# uplink back is not even one.
_ROLLOVER = timedelta(days=365)


MAX_MEASUREMENTS = 1_000


class UplinkMessage(Struct, frozen=True, kw_only=True):
    """The inner object with what its envelope says."""

    members: Mapping[str, Any]
    device: str
    dev_addr: str | None
    event_id: str | None
    received_at: datetime | None
    server_time: datetime
    is_simulated: bool = False


class _Time(Struct, frozen=True):
    at: datetime
    source: TimeSource
    note: str


def uplink_message(message: UplinkMessage) -> tuple[tuple[Observation, ...], dict[str, Any]]:
    """Return the observations of one uplink and the notes about it.

    Normalised measurements with their own time are observations of their own; the others
    join what the formatter decoded, and win, because their units are certain.
    """
    require_modest(message.members.get("decoded_payload"))
    measured_apart = entries(message.members.get("normalized_payload"))
    if len(measured_apart) > MAX_MEASUREMENTS:
        raise TooLarge(f"more than {MAX_MEASUREMENTS} measurements.", code="too-many-fixes")
    for one in measured_apart:
        require_modest(one)
    network = _network_time(message)
    payload = plain_payload(message.members.get("decoded_payload"))
    place = located(payload, now=network.at)
    timed, untimed = _measurements(message, now=network.at)
    measured = _payload_time(place, timed) or network
    if measured.at in timed:
        # The moment of the payload itself, said twice.
        untimed.append(timed.pop(measured.at))
    fix = place.fix or _first_fix(untimed) or _fallback_fix(message, place)
    receptions = [_reception(one) for one in _heard(message)]
    from_payload, lost = decoded_readings(payload, place)
    certain = [pair for one in untimed for pair in normalized_readings(one)]
    link = [*radio_readings(receptions), *_link_readings(message)]
    others = [
        ("battery.level", _last_battery_percent(message.members)),
        ("custom.simulated", message.is_simulated or None),
    ]
    readings, more_lost = bounded([*certain, *link, *from_payload.items(), *others])
    event_id = message.event_id or _content_id(message)
    main = Observation(
        device=message.device,
        measured_at=measured.at,
        time_source=measured.source,
        fix=fix,
        readings=readings,
        event_id=event_id,
    )
    apart = [_measured(message.device, at, found, event_id) for at, found in timed.items()]
    notes = _notes(message, place, measured, [*lost, *more_lost])
    return (main, *apart), notes | gateway_notes(receptions, has_fix=fix is not None)


def _heard(message: UplinkMessage) -> list[Mapping[str, Any]]:
    return entries(message.members.get("rx_metadata"))[:MAX_RECEPTIONS]


def _network_time(message: UplinkMessage) -> _Time:
    received_at = instant_or_none(message.members.get("received_at"))
    reference = received_at or message.received_at or message.server_time
    heard = list(enumerate(_heard(message)))
    for index, one in heard:
        at = instant_or_none(one.get("gps_time"))
        if at is not None and -_GATEWAY_CLOCK_TOLERANCE < reference - at < _ROLLOVER:
            return _Time(at, "network", f"network (rx_metadata[{index}].gps_time)")
    for index, one in heard:
        at = instant_or_none(one.get("time"))
        if at is not None and abs(at - reference) <= _GATEWAY_CLOCK_TOLERANCE:
            return _Time(at, "network", f"network (rx_metadata[{index}].time)")
    if received_at is not None:
        return _Time(received_at, "network", "network (uplink_message.received_at)")
    if message.received_at is not None:
        return _Time(message.received_at, "network", "network (received_at)")
    return _Time(message.server_time, "server", "server")


def _payload_time(place: Located, timed: Mapping[datetime, Any]) -> _Time | None:
    if place.measured_at is not None:
        return _Time(place.measured_at, "device", "device (decoded_payload.time)")
    if len(timed) == 1:
        return _Time(next(iter(timed)), "device", "device (normalized_payload.time)")
    return None


def _measurements(
    message: UplinkMessage, *, now: datetime
) -> tuple[dict[datetime, Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return the normalised measurements by their own time, and those without a credible one."""
    timed: dict[datetime, Mapping[str, Any]] = {}
    untimed: list[Mapping[str, Any]] = []
    for one in entries(message.members.get("normalized_payload")):
        at = instant_or_none(one.get("time"))
        if at is None or not is_plausible(at, now):
            untimed.append(one)
        else:
            timed[at] = {**timed.get(at, {}), **one}
    return timed, untimed


def _measured(
    device: str, at: datetime, measurement: Mapping[str, Any], event_id: str | None
) -> Observation:
    return Observation(
        device=device,
        measured_at=at,
        fix=normalized_fix(measurement),
        readings=bounded(normalized_readings(measurement))[0],
        event_id=event_id and event_name(f"{event_id}:{at.isoformat()}"),
    )


def _first_fix(measurements: list[Mapping[str, Any]]) -> Fix | None:
    return next((fix for one in measurements if (fix := normalized_fix(one)) is not None), None)


def _fallback_fix(message: UplinkMessage, place: Located) -> Fix | None:
    """Return what The Things Stack itself found, where the payload was filtered away.

    Beside a payload it may be an earlier uplink's; its accuracy may be an HDOP.
    """
    if message.members.get("decoded_payload") is not None or place.stale is not None:
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
    rssi_dbm = loose_number(one.get("rssi", one.get("channel_rssi")))
    # Zero is left out: no snr beside an rssi is 0 dB.
    snr_db = loose_number(one.get("snr", 0.0 if rssi_dbm is not None else None))
    return Reception(
        gateway=next(filter(None, map(text_of, names)), None),
        rssi_dbm=rssi_dbm,
        snr_db=snr_db,
        lat_deg=place[0] if place else None,
        lon_deg=place[1] if place else None,
        altitude_m=number(mapping(one.get("location")).get("altitude")) if place else None,
    )


def _link_readings(message: UplinkMessage) -> list[tuple[str, Any]]:
    settings = mapping(message.members.get("settings"))
    lora = mapping(mapping(settings.get("data_rate")).get("lora"))
    frequency_hz = loose_number(settings.get("frequency"))
    return [
        ("link.fcnt", number(message.members.get("f_cnt", 0))),
        ("link.fport", number(message.members.get("f_port", 0))),
        ("link.sf", number(lora.get("spreading_factor"))),
        ("link.frequency", None if frequency_hz is None else int(frequency_hz)),
    ]


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
    return event_name(f"{message.device}/{session}/{f_port}/{f_cnt}/{digest}")


def _notes(
    message: UplinkMessage, place: Located, measured: _Time, lost: list[str]
) -> dict[str, Any]:
    members = message.members
    locations = mapping(members.get("locations"))
    others = {k: v for k, v in locations.items() if k not in ("user", "frm-payload")}
    notes = {
        "time_source": measured.note,
        "registered_location": described_place(locations.get("user")),
        # The network server's last known places, which are not this uplink's.
        "last_locations": others or None,
        "stale_position": None
        if place.stale is None
        else {"lat": place.stale.lat_deg, "lon": place.stale.lon_deg},
        "frm_payload": members.get("frm_payload"),
        "decoded_payload_warnings": members.get("decoded_payload_warnings"),
        "normalized_payload_warnings": members.get("normalized_payload_warnings"),
        "version_ids": members.get("version_ids"),
        "wifi": access_points(members.get("decoded_payload")),
        "dropped_readings": lost or None,
    }
    return {name: value for name, value in notes.items() if value is not None}
