"""Our own JSON: one observation, a list of them, or `{"positions": [...]}`.

Most uplinks are in this format, so valid ones are decoded quickly by msgspec. A body that it
refuses, or that may repeat a member, goes to `own_json_diagnosis`, which is slow and
finds each fault. Both accept the same bodies.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import orjson
from msgspec import Meta, Struct

from core.observation import FIX_BOUNDS, Fix, Method, Observation, normal_identifier
from wire.formats import own_json_diagnosis
from wire.reading_names import reading_name
from wire.strict_json import MAX_ATTRIBUTES, MAX_INTEGER, MAX_NAME_CHARS, MAX_TEXT_CHARS
from wire.uplink import Decoded, Uplink
from wire.wire_format import Certainty, ParsedUplink, WireFormat

_Text = Annotated[str, Meta(max_length=MAX_TEXT_CHARS)]
_Integer = Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
_Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARS)]
_LOWEST_M, _HIGHEST_M = FIX_BOUNDS["altitude_m"]
_Identifier = Annotated[str, Meta(min_length=1, max_length=own_json_diagnosis.MAX_IDENTIFIER_CHARS)]


class _SentObservation(Struct, forbid_unknown_fields=True, gc=False):
    device: _Identifier | _Integer
    measured_at: Annotated[datetime, Meta(tz=True)]
    reported_at: Annotated[datetime, Meta(tz=True)] | None = None
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, Meta(ge=-180, le=180)] | None = None
    altitude_m: Annotated[float, Meta(ge=_LOWEST_M, le=_HIGHEST_M)] | None = None
    accuracy_m: Annotated[float, Meta(ge=0, le=FIX_BOUNDS["accuracy_m"][1])] | None = None
    speed_mps: Annotated[float, Meta(ge=0, le=FIX_BOUNDS["speed_mps"][1])] | None = None
    course_deg: Annotated[float, Meta(ge=0, le=360)] | None = None
    method: Method | None = None
    event_id: _Identifier | None = None
    readings: Annotated[
        dict[_Name, _Integer | float | bool | _Text], Meta(max_length=MAX_ATTRIBUTES)
    ] = {}


class _Positions(Struct, forbid_unknown_fields=True):
    positions: list[_SentObservation]


_one_decoder = msgspec.json.Decoder(_SentObservation)
_list_decoder = msgspec.json.Decoder(list[_SentObservation])
_positions_decoder = msgspec.json.Decoder(_Positions)
# A body with white space behind a name is not decoded quickly: its names cannot be counted.
_BLANK_BEFORE_COLON = (b" :", b"\t:", b"\n:", b"\r:")


def decode(uplink: Uplink) -> Decoded:
    """Return the observations of a body in our own JSON.

    Raises UnreadableUplink for what is not JSON and TooLarge beyond 1,000 observations;
    an observation that is wrong is a refusal and leaves its neighbours alone.
    """
    return _decode_quickly(uplink.body) or own_json_diagnosis.decode(uplink.body)


def _decode_quickly(body: bytes) -> Decoded | None:
    if b"\\" in body or any(blank in body for blank in _BLANK_BEFORE_COLON):
        return None
    try:
        sent = _sent_observations(body)
        if len(sent) > own_json_diagnosis.MAX_OBSERVATIONS or _may_repeat_a_member(body):
            return None
        observations = tuple([_observation(one) for one in sent])
    except (msgspec.DecodeError, ValueError, OverflowError):
        return None
    return Decoded(
        message="observations",
        observations=observations,
        indexes=tuple(range(len(observations))),
    )


def _sent_observations(body: bytes) -> list[_SentObservation]:
    if body[:1] == b"[":
        return _list_decoder.decode(body)
    if body[:13] == b'{"positions":':
        return _positions_decoder.decode(body).positions
    return [_one_decoder.decode(body)]


def _may_repeat_a_member(body: bytes) -> bool:
    """Return True where the body may hold more names than members.

    msgspec silently keeps the last of two. Without backslashes and blanks each name ends
    in `":`; a text that begins with a colon is counted as a name, which is only slower.
    """
    return body.count(b'":') != _member_count(orjson.loads(body))


def _member_count(value: Any) -> int:
    if isinstance(value, list):
        # The only objects below an observation are its readings.
        return sum(map(len, value)) + sum(
            [len(one["readings"]) for one in value if "readings" in one]
        )
    if "positions" in value:
        return 1 + _member_count(value["positions"])
    return len(value) + len(value.get("readings", ()))


def _observation(sent: _SentObservation) -> Observation:
    """Raises ValueError for observations that the diagnosis has to decide."""
    lat_deg, lon_deg = sent.lat, sent.lon
    if (lat_deg is None) != (lon_deg is None) or (lat_deg == 0 and lon_deg == 0):
        raise ValueError("half a position, or 0, 0")
    readings = {reading_name(name): value for name, value in sent.readings.items()}
    if len(readings) != len(sent.readings):
        raise ValueError("two names for one reading")
    return Observation(
        device=normal_identifier(str(sent.device)),
        measured_at=_in_utc(sent.measured_at),
        reported_at=None if sent.reported_at is None else _in_utc(sent.reported_at),
        fix=None if lat_deg is None or lon_deg is None else _fix(sent, lat_deg, lon_deg),
        readings=readings,
        event_id=sent.event_id,
    )


def _in_utc(at: datetime) -> datetime:
    return at if at.tzinfo is UTC else at.astimezone(UTC)


def _fix(sent: _SentObservation, lat_deg: float, lon_deg: float) -> Fix:
    course_deg = sent.course_deg
    return Fix(
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        altitude_m=sent.altitude_m,
        accuracy_m=sent.accuracy_m,
        speed_mps=sent.speed_mps,
        course_deg=0.0 if course_deg == 360 else course_deg,
        method=sent.method or "gnss",
    )


def _certainty(parsed: ParsedUplink) -> Certainty:
    members = parsed.members
    is_one = "device" in members and "measured_at" in members
    return (
        Certainty.MEMBERS
        if is_one or isinstance(members.get("positions"), list)
        else Certainty.NONE
    )


FORMAT = WireFormat(
    name="json",
    title="Our own JSON",
    certainty=_certainty,
    open=decode,
    is_lenient=False,
    media_types=("application/json",),
)
