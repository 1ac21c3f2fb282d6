"""A payload and the model of its device into fixes, times and readings.

For all payloads: decoded or normalised by the network server, or decoded by a codec of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from core.errors import TooLarge, UnreadableUplink
from core.observation import Fix, Scans, Value
from wire.device_model import DeviceModel
from wire.instants import instant_or_none
from wire.payloads.codecs import codec_of
from wire.payloads.decoded_payload import refuse_too_many_members, scans_in, unwrapped_payload
from wire.payloads.decoded_position import DecodedPosition, decoded_position, is_plausible
from wire.payloads.decoded_readings import decoded_readings
from wire.payloads.normalized_payload import normalized_fix, normalized_readings
from wire.reading_names import bounded_readings

MAX_MEASUREMENTS = 1_000

Measurement = Mapping[str, Any]


class Payload(Struct, frozen=True, kw_only=True):
    """The bytes that a device sent over LoRaWAN, and their decoded forms by its network server.

    `decoded` is the object of the server's codec and may have any shape; `normalized` are
    measurements in the vocabulary of The Things Stack. A form that was not sent is None or empty.
    """

    data: bytes = b""
    f_port: int = 0
    decoded: Any = None
    normalized: tuple[Measurement, ...] = ()


class PayloadMoment(Struct, frozen=True, kw_only=True):
    """The fix and readings of a moment; without `at` it is that of the message."""

    at: datetime | None = None
    fix: Fix | None = None
    readings: Mapping[str, Value] = {}


class PayloadContent(Struct, frozen=True, kw_only=True):
    """The content of a payload: its main moment, and others where it holds several.

    `time_member` is the member with the time of the main moment; `stale_fix` is a fix that the
    payload itself declares invalid; `dropped_readings` are names of readings that cannot be kept.
    """

    main: PayloadMoment
    others: tuple[PayloadMoment, ...] = ()
    time_member: str | None = None
    stale_fix: Fix | None = None
    scans: Scans | None = None
    dropped_readings: tuple[str, ...] = ()


def payload_content(
    payload: Payload, model: DeviceModel | None, *, heard_at: datetime
) -> PayloadContent:
    """Return the content of a payload; a time of its own is checked against `heard_at`.

    Normalised measurements with their own time are moments of their own; the others are merged
    with the decoded object, and win, because their units are known. Raises UnreadableUplink for
    bytes that the codec cannot decode and for objects larger than a codec makes; TooLarge for too
    many measurements.
    """
    refuse_too_many_members(payload.decoded)
    if len(payload.normalized) > MAX_MEASUREMENTS:
        raise TooLarge(f"more than {MAX_MEASUREMENTS} measurements.", code="too-many-fixes")
    for measurement in payload.normalized:
        refuse_too_many_members(measurement)
    decoded = payload.decoded or _decoded(payload, model)
    unwrapped = unwrapped_payload(decoded)
    position = decoded_position(unwrapped, now=heard_at)
    timed, untimed = _by_their_time(payload.normalized, now=heard_at)
    at, time_member = _own_time(position, timed)
    if (at or heard_at) in timed:
        # A measurement at the main moment is part of it.
        untimed.append(timed.pop(at or heard_at))
    from_decoded, dropped = decoded_readings(unwrapped, position)
    normalized = [pair for one in untimed for pair in normalized_readings(one)]
    readings, more_dropped = bounded_readings([*normalized, *from_decoded.items()])
    return PayloadContent(
        main=PayloadMoment(at=at, fix=position.fix or _first_fix(untimed), readings=readings),
        others=tuple(_moment(one, at) for at, one in timed.items()),
        time_member=time_member,
        stale_fix=position.stale_fix,
        scans=scans_in(decoded),
        dropped_readings=(*dropped, *more_dropped),
    )


def _decoded(payload: Payload, model: DeviceModel | None) -> Mapping[str, Any] | None:
    """Return the bytes as decoded by the built-in codec for the model; None without one."""
    codec = codec_of(model)
    if codec is None or not payload.data:
        return None
    try:
        return codec(payload.data, payload.f_port)
    except UnreadableUplink as error:
        raise UnreadableUplink(error.detail, code="decode-failed") from error


def _own_time(
    position: DecodedPosition, timed: Mapping[datetime, Measurement]
) -> tuple[datetime | None, str | None]:
    if position.measured_at is not None:
        return position.measured_at, "decoded_payload.time"
    if len(timed) == 1:
        return next(iter(timed)), "normalized_payload.time"
    return None, None


def _by_their_time(
    measurements: Iterable[Measurement], *, now: datetime
) -> tuple[dict[datetime, Measurement], list[Measurement]]:
    """Return measurements by their own time, and those without a credible one."""
    timed: dict[datetime, Measurement] = {}
    untimed: list[Measurement] = []
    for one in measurements:
        at = instant_or_none(one.get("time"))
        if at is None or not is_plausible(at, now):
            untimed.append(one)
        else:
            timed[at] = {**timed.get(at, {}), **one}
    return timed, untimed


def _moment(measurement: Measurement, at: datetime) -> PayloadMoment:
    readings, _ = bounded_readings(normalized_readings(measurement))
    return PayloadMoment(at=at, fix=normalized_fix(measurement), readings=readings)


def _first_fix(measurements: Iterable[Measurement]) -> Fix | None:
    return next((fix for one in measurements if (fix := normalized_fix(one)) is not None), None)
