"""The envelope of a LoRaWAN uplink: who, when and how it was heard, around a payload.

What is inside depends on the device, so an envelope is opened first, its device looked up, and
only then its payload read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from core.observation import Fix, Observation, TimeSource
from wire.device_model import DeviceModel
from wire.gateways import Reception, gateway_notes, radio_readings
from wire.payloads.reading import Measured, Payload, PayloadMeaning, meaning_of
from wire.reading_names import bounded
from wire.uplink import Decoded, event_name

Pairs = tuple[tuple[str, Any], ...]


class Envelope(Struct, frozen=True, kw_only=True):
    """What a network server says of an uplink, and the payload that is still to be read.

    `heard_at` is by the clock that `heard_by` names; `heard_where` is the member that said so.
    `link` are readings of the transmission; `others` and `fallback_fix` what the network server
    knows of the device, for where the payload says nothing of it. `model` is its opinion.
    """

    message: str
    device: str
    event_id: str | None
    heard_at: datetime
    heard_by: TimeSource
    heard_where: str | None = None
    receptions: tuple[Reception, ...] = ()
    link: Pairs = ()
    others: Pairs = ()
    fallback_fix: Fix | None = None
    model: DeviceModel | None = None
    payload: Payload
    notes: dict[str, Any] = {}

    @property
    def reported_at(self) -> datetime | None:
        """When the message was made: it is sent as it is made, so when the network heard it."""
        return self.heard_at if self.heard_by == "network" else None


def decode_payload(envelope: Envelope, model: DeviceModel | None) -> Decoded:
    """Return what the whole uplink means; `model` is that of its device, where it is known.

    Raises UnreadableUplink and TooLarge as the payload's reading does.
    """
    said = meaning_of(envelope.payload, model or envelope.model, heard_at=envelope.heard_at)
    main, lost = _main_observation(envelope, said)
    others = tuple(_other_observation(envelope, one) for one in said.others)
    notes = _notes(envelope, said, [*said.lost, *lost])
    return Decoded(
        message=envelope.message,
        observations=(main, *others),
        indexes=tuple(range(1 + len(others))),
        notes=notes | gateway_notes(envelope.receptions, has_fix=main.fix is not None),
    )


def _main_observation(envelope: Envelope, said: PayloadMeaning) -> tuple[Observation, list[str]]:
    readings, lost = bounded(
        [
            *radio_readings(envelope.receptions),
            *envelope.link,
            *said.main.readings.items(),
            *envelope.others,
        ]
    )
    fallback_fix = None if said.stale else envelope.fallback_fix
    observation = Observation(
        device=envelope.device,
        measured_at=said.main.at or envelope.heard_at,
        time_source="device" if said.main.at else envelope.heard_by,
        reported_at=envelope.reported_at,
        fix=said.main.fix or fallback_fix,
        readings=readings,
        event_id=envelope.event_id,
        scans=said.scans,
    )
    return observation, lost


def _other_observation(envelope: Envelope, one: Measured) -> Observation:
    assert one.at is not None, "without a time of its own it would be the main one"
    event_id = envelope.event_id
    return Observation(
        device=envelope.device,
        measured_at=one.at,
        reported_at=envelope.reported_at,
        fix=one.fix,
        readings=dict(one.readings),
        event_id=event_id and event_name(f"{event_id}:{one.at.isoformat()}"),
    )


def _notes(envelope: Envelope, said: PayloadMeaning, lost: list[str]) -> dict[str, Any]:
    is_own = said.main.at is not None
    source = "device" if is_own else envelope.heard_by
    where = said.said_by if is_own else envelope.heard_where
    stale = said.stale
    notes = {
        "time_source": f"{source} ({where})" if where else source,
        "stale_position": stale and {"lat": stale.lat_deg, "lon": stale.lon_deg},
        "dropped_readings": lost or None,
    }
    return envelope.notes | {name: value for name, value in notes.items() if value is not None}
