"""The one place where a payload and the model of its device become places, times and readings.

Whoever decoded it: the network server's codec, its normalised vocabulary, or a codec of ours.
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
from wire.payloads.decoded_payload import plain_payload, require_modest, scans_in
from wire.payloads.decoded_position import Located, is_plausible, located
from wire.payloads.decoded_readings import decoded_readings
from wire.payloads.normalized_payload import normalized_fix, normalized_readings
from wire.reading_names import bounded

MAX_MEASUREMENTS = 1_000

Measurement = Mapping[str, Any]


class Payload(Struct, frozen=True, kw_only=True):
    """What a device sent over LoRaWAN, and what its network server made of that.

    `decoded` is the object of the server's codec and may have any shape; `normalized` are
    measurements in the vocabulary of The Things Stack. What was not sent is None or empty.
    """

    data: bytes = b""
    f_port: int = 0
    decoded: Any = None
    normalized: tuple[Measurement, ...] = ()


class Measured(Struct, frozen=True, kw_only=True):
    """What a payload says about one moment; without `at` it is that of the message."""

    at: datetime | None = None
    fix: Fix | None = None
    readings: Mapping[str, Value] = {}


class PayloadMeaning(Struct, frozen=True, kw_only=True):
    """What a payload says: the moment that it is about, and others that it tells of besides.

    `said_by` is the member that named the time of the first; `stale` is a place that the payload
    itself disowns; `lost` names readings that cannot be kept.
    """

    main: Measured
    others: tuple[Measured, ...] = ()
    said_by: str | None = None
    stale: Fix | None = None
    scans: Scans | None = None
    lost: tuple[str, ...] = ()


def meaning_of(
    payload: Payload, model: DeviceModel | None, *, heard_at: datetime
) -> PayloadMeaning:
    """Return what a payload says; `heard_at` bounds what is believed as a time of its own.

    Normalised measurements with their own time are moments of their own; the others join what
    was decoded, and win, because their units are certain. Raises UnreadableUplink for what its
    codec cannot read, and for more than any codec makes in earnest; TooLarge for too many
    measurements.
    """
    require_modest(payload.decoded)
    if len(payload.normalized) > MAX_MEASUREMENTS:
        raise TooLarge(f"more than {MAX_MEASUREMENTS} measurements.", code="too-many-fixes")
    for one in payload.normalized:
        require_modest(one)
    decoded = payload.decoded or _decoded(payload, model)
    plain = plain_payload(decoded)
    place = located(plain, now=heard_at)
    timed, untimed = _by_their_time(payload.normalized, now=heard_at)
    at, said_by = _own_time(place, timed)
    if (at or heard_at) in timed:
        # The moment of the payload itself, said twice.
        untimed.append(timed.pop(at or heard_at))
    from_decoded, lost = decoded_readings(plain, place)
    certain = [pair for one in untimed for pair in normalized_readings(one)]
    readings, more_lost = bounded([*certain, *from_decoded.items()])
    return PayloadMeaning(
        main=Measured(at=at, fix=place.fix or _first_fix(untimed), readings=readings),
        others=tuple(_measured(one, at) for at, one in timed.items()),
        said_by=said_by,
        stale=place.stale,
        scans=scans_in(decoded),
        lost=(*lost, *more_lost),
    )


def _decoded(payload: Payload, model: DeviceModel | None) -> Mapping[str, Any] | None:
    """Return what a codec of ours makes of the bytes, where we have one for the model."""
    codec = codec_of(model)
    if codec is None or not payload.data:
        return None
    try:
        return codec(payload.data, payload.f_port)
    except UnreadableUplink as error:
        raise UnreadableUplink(error.detail, code="decode-failed") from error


def _own_time(
    place: Located, timed: Mapping[datetime, Measurement]
) -> tuple[datetime | None, str | None]:
    if place.measured_at is not None:
        return place.measured_at, "decoded_payload.time"
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


def _measured(measurement: Measurement, at: datetime) -> Measured:
    readings, _ = bounded(normalized_readings(measurement))
    return Measured(at=at, fix=normalized_fix(measurement), readings=readings)


def _first_fix(measurements: Iterable[Measurement]) -> Fix | None:
    return next((fix for one in measurements if (fix := normalized_fix(one)) is not None), None)
