"""A payload and the model of its device into fixes, times and readings.

For all payloads: decoded or normalised by the network server, or decoded by a codec of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, structs

from core.errors import TooLarge, UnreadableUplink
from core.observation import Fix, Scans
from wire.device_model import DeviceModel
from wire.instants import instant_or_none
from wire.payloads.codecs import codec_of
from wire.payloads.field_rules import rules_of_device
from wire.payloads.members import Member, refuse_too_many_members
from wire.payloads.moment_times import is_plausible
from wire.payloads.normalized_payload import normalized_fix, normalized_readings
from wire.payloads.payload_reader import PayloadReading, ReadMoment, read_payload
from wire.reading_names import bounded_readings
from wire.strict_json import MAX_ATTRIBUTES

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


class PayloadContent(Struct, frozen=True, kw_only=True):
    """The content of a payload: its main moment, and others where it holds several.

    `time_member` is the member with the time of the main moment; `stale_fix` is a fix that the
    payload itself declares invalid, for a reason; `clock_doubt` is the reason for which a time of
    its own was not used. `members` are those of the decoded object, with what became of them.
    """

    main: ReadMoment
    others: tuple[ReadMoment, ...] = ()
    time_member: str | None = None
    stale_fix: Fix | None = None
    stale_reason: str = ""
    clock_doubt: str = ""
    scans: Scans | None = None
    members: tuple[Member, ...] = ()


def payload_content(
    payload: Payload,
    model: DeviceModel | None,
    *,
    heard_at: datetime,
    room: int = MAX_ATTRIBUTES,
) -> PayloadContent:
    """Return the content of a payload; a time of its own is checked against `heard_at`.

    Normalised measurements with their own time are moments of their own; the others are merged
    with the decoded object, and win, because their units are known. At most `room` readings are
    kept of a moment. Raises UnreadableUplink for bytes that the codec cannot decode and for objects
    larger than a codec makes; TooLarge for too many measurements.
    """
    refuse_too_many_members(payload.decoded)
    if len(payload.normalized) > MAX_MEASUREMENTS:
        raise TooLarge(f"more than {MAX_MEASUREMENTS} measurements.", code="too-many-fixes")
    for measurement in payload.normalized:
        refuse_too_many_members(measurement)
    decoded = payload.decoded or _decoded(payload, model)
    read = read_payload(decoded, rules_of_device(model), now=heard_at, room=room)
    content = _content(read)
    return (
        _with_normalized(content, payload.normalized, heard_at) if payload.normalized else content
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


def _content(read: PayloadReading) -> PayloadContent:
    return PayloadContent(
        main=read.main,
        others=read.others,
        time_member=read.time_member and f"decoded_payload.{read.time_member}",
        stale_fix=read.stale_fix,
        stale_reason=read.stale_reason,
        clock_doubt=read.clock_doubt,
        scans=read.scans,
        members=read.members,
    )


def _with_normalized(
    content: PayloadContent, measurements: Iterable[Measurement], heard_at: datetime
) -> PayloadContent:
    """Return the content with the measurements that the network server made of it."""
    timed, untimed = _by_their_time(measurements, now=heard_at)
    main, time_member = content.main, content.time_member
    at = main.at
    if at is None and len(timed) == 1:
        at, time_member = next(iter(timed)), "normalized_payload.time"
    if (at or heard_at) in timed:
        # A measurement at the main moment is part of it.
        untimed.append(timed.pop(at or heard_at))
    normalized = [pair for one in untimed for pair in normalized_readings(one)]
    readings, _ = bounded_readings([*normalized, *main.readings.items()])
    return structs.replace(
        content,
        main=ReadMoment(at=at, fix=main.fix or _first_fix(untimed), readings=readings),
        others=(*content.others, *(_moment(one, at) for at, one in timed.items())),
        time_member=time_member,
    )


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


def _moment(measurement: Measurement, at: datetime) -> ReadMoment:
    readings, _ = bounded_readings(normalized_readings(measurement))
    return ReadMoment(at=at, fix=normalized_fix(measurement), readings=readings)


def _first_fix(measurements: Iterable[Measurement]) -> Fix | None:
    return next((fix for one in measurements if (fix := normalized_fix(one)) is not None), None)
