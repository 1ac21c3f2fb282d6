"""The envelope of a LoRaWAN uplink: its device, time and gateways, around a payload.

How a payload is decoded depends on the device, so an envelope is opened first, its device looked
up, and only then the payload decoded.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct

from core.observation import Fix, Observation, TimeSource, Value
from wire.device_model import DeviceModel
from wire.gateways import Reception, gateway_notes, radio_readings
from wire.payloads.members import Member
from wire.payloads.payload_content import Payload, PayloadContent, payload_content
from wire.payloads.payload_reader import ReadMoment
from wire.reading_names import bounded_readings
from wire.strict_json import MAX_ATTRIBUTES, MAX_NAME_CHARS
from wire.uplink import Decoded, bounded_event_id

# Enough for people to see the kind of them; a hostile body has thousands.
_MAX_DROPPED_NAMES = 15

ReadingPairs = tuple[tuple[str, Any], ...]


class Envelope(Struct, frozen=True, kw_only=True):
    """The metadata of an uplink from its network server, and the payload still to be decoded.

    `heard_at` is by the clock that `time_source` names; `time_member` is the member it was in.
    `link_readings` are of the transmission. `fallback_readings` and `fallback_fix` are used where
    the payload has none of its own. `model` is the device model as the network server names it.
    """

    message: str
    device: str
    event_id: str | None
    heard_at: datetime
    time_source: TimeSource
    time_member: str | None = None
    receptions: tuple[Reception, ...] = ()
    link_readings: ReadingPairs = ()
    fallback_readings: ReadingPairs = ()
    fallback_fix: Fix | None = None
    model: DeviceModel | None = None
    payload: Payload
    notes: dict[str, Any] = {}

    @property
    def reported_at(self) -> datetime | None:
        """The time at which the device made the message: it sends at once, so when it was heard."""
        return self.heard_at if self.time_source == "network" else None


def decode_payload(envelope: Envelope, model: DeviceModel | None) -> Decoded:
    """Return the observations of an uplink; `model` is that of its device, where it is known.

    Raises UnreadableUplink and TooLarge as `payload_content` does.
    """
    outer = _readings_around(envelope)
    content = payload_content(
        envelope.payload,
        model or envelope.model,
        heard_at=envelope.heard_at,
        room=MAX_ATTRIBUTES - len(outer),
    )
    main = _main_observation(envelope, content, outer)
    others = tuple(_other_observation(envelope, moment) for moment in content.others)
    notes = _notes(envelope, content)
    return Decoded(
        message=envelope.message,
        observations=(main, *others),
        indexes=tuple(range(1 + len(others))),
        notes=notes | gateway_notes(envelope.receptions, has_fix=main.fix is not None),
    )


def payload_members(envelope: Envelope, model: DeviceModel | None) -> tuple[Member, ...]:
    """Return the members of the payload of an uplink, with what became of them."""
    return payload_content(
        envelope.payload,
        model or envelope.model,
        heard_at=envelope.heard_at,
        room=MAX_ATTRIBUTES - len(_readings_around(envelope)),
    ).members


def _readings_around(envelope: Envelope) -> dict[str, Value]:
    """Return the readings of the transmission, and those for a payload without its own."""
    return bounded_readings(
        [
            *radio_readings(envelope.receptions),
            *envelope.link_readings,
            *envelope.fallback_readings,
        ]
    )[0]


def _main_observation(
    envelope: Envelope, content: PayloadContent, outer: dict[str, Value]
) -> Observation:
    link = {name: value for name, value in outer.items() if name.startswith("link.")}
    fallback_fix = None if content.stale_fix else envelope.fallback_fix
    return Observation(
        device=envelope.device,
        measured_at=content.main.at or envelope.heard_at,
        time_source="device" if content.main.at else envelope.time_source,
        reported_at=envelope.reported_at,
        fix=content.main.fix or fallback_fix,
        readings={**outer, **content.main.readings, **link},
        event_id=envelope.event_id,
        scans=content.scans,
    )


def _other_observation(envelope: Envelope, moment: ReadMoment) -> Observation:
    assert moment.at is not None, "without a time of its own it would be the main moment"
    event_id = envelope.event_id
    return Observation(
        device=envelope.device,
        measured_at=moment.at,
        reported_at=envelope.reported_at,
        fix=moment.fix,
        readings=dict(moment.readings),
        event_id=event_id and bounded_event_id(f"{event_id}:{moment.at.isoformat()}"),
    )


def _notes(envelope: Envelope, content: PayloadContent) -> dict[str, Any]:
    is_own = content.main.at is not None
    source = "device" if is_own else envelope.time_source
    member = content.time_member if is_own else envelope.time_member
    stale_fix = content.stale_fix
    notes = {
        "time_source": f"{source} ({member})" if member else source,
        "stale_position": stale_fix
        and {
            "lat": stale_fix.lat_deg,
            "lon": stale_fix.lon_deg,
            "reason": content.stale_reason,
        },
        "clock_doubt": content.clock_doubt or None,
        "guessed": {
            one.reading or one.path_text: one.reason
            for one in content.members
            if one.fate == "guessed" or (one.fate == "time" and one.reason)
        }
        or None,
        "dropped_readings": _dropped(content.members) or None,
    }
    return envelope.notes | {name: value for name, value in notes.items() if value is not None}


def _dropped(members: Iterable[Member]) -> list[str]:
    """Return the first paths of members that could not be kept, and the number of all others."""
    paths = [one.path_text[:MAX_NAME_CHARS] for one in members if one.fate == "dropped"]
    rest = len(paths) - _MAX_DROPPED_NAMES
    return paths if rest <= 0 else [*paths[:_MAX_DROPPED_NAMES], f"and {rest} more"]
