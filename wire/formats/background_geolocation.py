"""The JSON of apps with the background-geolocation SDK, Traccar Client 9 among them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from msgspec import Struct

from core.errors import Fault, TooLarge, UnreadableUplink
from core.observation import Fix, Observation, normal_identifier
from core.time_texts import instant_of_text
from wire import strict_json
from wire.fixes import FixQuantities, beyond_bounds, is_on_earth, lenient_fix
from wire.instants import instant_by_magnitude
from wire.parameters import SECRETS
from wire.quantities import lenient_number, mapping, number, text_of, truth
from wire.reading_names import MAX_MEMBERS_READ, bounded_readings
from wire.strict_json import MAX_ATTRIBUTES, pointer_to
from wire.traccar_attributes import alarm_readings
from wire.uplink import Decoded, Refusal, Uplink

MAX_LOCATIONS = 1_000

_DEVICE_NAMES = ("device_id", "deviceId", "deviceid", "id", "uniqueId")
# In a template the app's author names the time; `recorded_at` is later than the fix.
_TIME_NAMES = (
    "timestamp", "time", "fixTime", "fix_time", "datetime", "date_time", "measured_at", "ts",
    "recorded_at",
)  # fmt: skip
_ALTITUDES = ("altitude", "ele", "elevation", "alt")
_ACCURACIES = ("accuracy", "acc", "hacc", "horizontal_accuracy")
_SPEEDS = ("speed",)
_COURSES = ("heading", "bearing", "course")
# Where a template or a GeoJSON feature puts the point.
_POINTS = ("location", "geometry", "point", "position")
_COORDINATES = (("latitude", "lat"), ("longitude", "lng", "lon"))
# Read by name, or of no use; every other member was added by the app.
_KNOWN = frozenset({
    *_DEVICE_NAMES, *SECRETS, *(name for names in _COORDINATES for name in names), "coords",
    *_ALTITUDES, *_ACCURACIES, *_SPEEDS, *_COURSES, *_TIME_NAMES, "uuid",
    "timestampMeta", "battery", "is_moving", "odometer", "activity", "event", "mock", "geofence",
    "extras", "age", "provider", "sample", "_",
})  # fmt: skip
# Members of a location without a place that senders of other JSON do not write.
_SDK_MARKS = frozenset({"uuid", "is_moving", "battery", "activity", "odometer"})
_NO_EXTRAS = frozenset({*_DEVICE_NAMES, *SECRETS})


def decode(uplink: Uplink) -> Decoded:
    """Return the observations of a body. Raises UnreadableUplink and TooLarge."""
    root = strict_json.read_lenient(uplink.body)
    locations = locations_in(root)
    if locations is None:
        raise UnreadableUplink("no location is in the body.")
    if len(locations) > MAX_LOCATIONS:
        raise TooLarge(
            f"{len(locations)} locations; the limit is {MAX_LOCATIONS}.", code="too-many-fixes"
        )
    # Params are the same for each location of a batch, and are read once.
    params = list(islice(_app_members(mapping(root), _KNOWN), MAX_ATTRIBUTES))
    decoders = [_LocationDecoder(found, root, uplink, params) for found in locations]
    found = [(index, one.observation()) for index, one in enumerate(decoders)]
    notes = {
        "dropped_readings": [name for one in decoders for name in one.dropped],
        "beyond_bounds": [
            {"index": index, **one.beyond_bounds}
            for index, one in enumerate(decoders)
            if one.beyond_bounds
        ],
    }
    return Decoded(
        message="position",
        observations=tuple(one for _, one in found if one is not None),
        indexes=tuple(index for index, one in found if one is not None),
        refusals=tuple(
            Refusal(index=index, faults=tuple(decoders[index].faults))
            for index, one in found
            if one is None
        ),
        notes={name: value for name, value in notes.items() if value},
    )


class FoundLocation(Struct, frozen=True):
    """A location and the pointer to it; `wrapper` is the object of a list that contains it."""

    pointer: str
    sent: Any
    wrapper: Mapping[str, Any] = {}


def locations_in(root: Any) -> list[FoundLocation] | None:
    """Return the locations: one or a list, under any root name, each wrapped or bare.

    `params` are merged into the body, so a location may also be the body itself; a
    template may write its coordinates without `coords`. None where there is no
    location.
    """
    if isinstance(root, list):
        return list(_batch_locations(root, ""))
    if not isinstance(root, dict):
        return None
    flat = _with_point(root)
    if _is_placed(flat):
        return [FoundLocation("", flat)]
    names = ["location", *(name for name in root if name != "location")]
    for name in names:
        value = root.get(name)
        if isinstance(value, dict) and (name == "location" or _is_placed(value)):
            return [FoundLocation(pointer_to(name), value)]
        is_batch = isinstance(value, list) and all(_is_location(one) for one in value)
        if is_batch and isinstance(value, list) and (value or name == "location"):
            return list(_batch_locations(value, pointer_to(name)))
    return None


def _batch_locations(batch: list[Any], pointer: str) -> Iterator[FoundLocation]:
    for index, one in enumerate(batch):
        at = f"{pointer}/{index}"
        flat = _with_point(mapping(one))
        if flat is not one and _is_placed(flat):
            yield FoundLocation(at, flat)
            continue
        inner = None if _is_placed(mapping(one)) else mapping(one).get("location")
        if isinstance(inner, list):
            for found in _batch_locations(inner, f"{at}/location"):
                yield FoundLocation(found.pointer, found.sent, found.wrapper or one)
        elif isinstance(inner, dict):
            yield FoundLocation(f"{at}/location", inner, one)
        else:
            yield FoundLocation(at, one)


def _is_location(value: Any) -> bool:
    return isinstance(value, dict) and (
        "timestamp" in value or "location" in value or _is_placed(_with_point(value))
    )


def _with_point(sent: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a location with the coordinates of its GeoJSON point, and a feature's properties."""
    for name in _POINTS:
        point = mapping(sent.get(name))
        pair = point.get("coordinates")
        if point.get("type") == "Point" and isinstance(pair, list) and len(pair) >= 2:
            place = dict(zip(("longitude", "latitude", "altitude"), pair, strict=False))
            others = {key: value for key, value in sent.items() if key not in (name, "properties")}
            # The `type` of a feature is a word of GeoJSON, and no reading.
            if others.get("type") == "Feature":
                del others["type"]
            return {**mapping(sent.get("properties")), **others, **place}
    return sent


def _is_placed(value: Mapping[str, Any]) -> bool:
    has_pair = all(any(name in value for name in names) for names in _COORDINATES)
    return value.get("coords") is not None or has_pair


def has_sdk_location(root: Any) -> bool:
    """Return True where the JSON of a body holds a location of an app with this SDK."""
    return any(_is_of_sdk(one) for one in locations_in(root) or [])


def _is_of_sdk(found: FoundLocation) -> bool:
    sent = mapping(found.sent)
    if sent.get("coords") is not None:
        return True
    is_timed = any(sent.get(name) is not None for name in _TIME_NAMES)
    is_location = found.pointer.endswith("/location") or not _SDK_MARKS.isdisjoint(sent)
    return is_timed and (_is_placed(sent) or is_location)


class _LocationDecoder:
    """The decoder of a location: collects all of its faults before it is refused."""

    def __init__(
        self, found: FoundLocation, root: Any, uplink: Uplink, params: list[tuple[str, Any]]
    ) -> None:
        self._pointer = found.pointer
        self._sent = mapping(found.sent)
        self._wrapper = found.wrapper
        self._root = mapping(root)
        self._uplink = uplink
        self._params = params if found.pointer else []
        self.faults: list[Fault] = []
        self.dropped: list[str] = []
        self.beyond_bounds: dict[str, float] = {}

    def observation(self) -> Observation | None:
        device, measured_at, fix = self._device(), self._measured_at(), self._fix()
        readings, dropped = bounded_readings(self._readings())
        if not (readings or _is_placed(self._sent)):
            self._fault("missing", "there is neither a position nor a reading.", "coords")
        if self.faults or device is None:
            return None
        self.dropped = dropped
        return Observation(
            device=device,
            measured_at=measured_at or self._uplink.received_at,
            time_source="device" if measured_at else "server",
            reported_at=_reported_at(self._sent, measured_at),
            fix=fix,
            readings=readings,
            event_id=text_of(self._sent.get("uuid")),
        )

    def _fault(self, code: str, detail: str, *members: str) -> None:
        pointer = self._pointer + pointer_to(*members)
        self.faults.append(Fault(pointer=pointer, code=code, detail=detail))

    def _device(self) -> str | None:
        """`params` land in the body, in each location, or in its extras."""
        query = dict(parse_qsl(self._uplink.query))
        extras = mapping(self._sent.get("extras"))
        places = (self._root, self._wrapper, self._sent, extras, query)
        for place in places:
            for name in _DEVICE_NAMES:
                found = text_of(place.get(name))
                if found is not None:
                    return normal_identifier(found)
        if self._uplink.user:
            return normal_identifier(self._uplink.user)
        self.faults.append(
            Fault(pointer="/device_id", code="missing", detail="device_id names the device.")
        )
        return None

    def _measured_at(self) -> datetime | None:
        name = next((name for name in _TIME_NAMES if self._sent.get(name) is not None), None)
        if name is None:
            return None
        try:
            return _instant(self._sent[name])
        except ValueError:
            self._fault("not-a-time", f"{name} is no time.", name)
            return None

    def _fix(self) -> Fix | None:
        if not _is_placed(self._sent):
            # A heartbeat of a phone without a fix.
            return None
        inside = ("coords",) if isinstance(self._sent.get("coords"), dict) else ()
        coords = mapping(self._sent.get("coords")) if inside else self._sent
        place = [self._coordinate(coords, inside, *names) for names in _COORDINATES]
        lat_deg, lon_deg = place
        if lat_deg is None or lon_deg is None:
            return None
        if not is_on_earth(lat_deg, lon_deg):
            name = "longitude" if -90 <= lat_deg <= 90 else "latitude"
            self._fault("out-of-range", f"{lat_deg}, {lon_deg} is not on earth.", *inside, name)
            return None
        quantities = FixQuantities(
            altitude_m=_first_number(coords, _ALTITUDES),
            accuracy_m=_first_number(coords, _ACCURACIES),
            speed_mps=_first_number(coords, _SPEEDS),
            course_deg=_first_number(coords, _COURSES),
        )
        self.beyond_bounds = beyond_bounds(quantities)
        return lenient_fix(lat_deg, lon_deg, **quantities)

    def _coordinate(
        self, coords: Mapping[str, Any], inside: tuple[str, ...], *names: str
    ) -> float | None:
        name = next((name for name in names if name in coords), names[0])
        found = number(coords.get(name))
        if found is None:
            is_missing = coords.get(name) is None
            code = "missing" if is_missing else "not-a-number"
            self._fault(code, f"{name} is a JSON number.", *inside, name)
        return found

    def _readings(self) -> list[tuple[str, Any]]:
        sent, battery = self._sent, mapping(self._sent.get("battery"))
        coords, activity = mapping(sent.get("coords")), sent.get("activity")
        geofence, extras = mapping(sent.get("geofence")), mapping(sent.get("extras"))
        level = number(battery.get("level"))
        vertical_m = number(coords.get("altitude_accuracy"))
        odometer_m = number(sent.get("odometer"))
        is_kind_inside = isinstance(activity, dict)
        return [
            (
                "battery.level",
                None if level is None or not 0 <= level <= 1 else round(level * 100, 6),
            ),
            ("battery.charging", truth(battery.get("is_charging"))),
            ("motion.detected", truth(sent.get("is_moving"))),
            ("odometer", odometer_m if odometer_m is not None and odometer_m >= 0 else None),
            (
                "vertical_accuracy",
                vertical_m if vertical_m is not None and vertical_m > 0 else None,
            ),
            ("custom.activity", mapping(activity).get("type") if is_kind_inside else activity),
            ("custom.event", sent.get("event")),
            ("custom.mock", sent.get("mock") or None),
            ("custom.floor", number(coords.get("floor"))),
            ("custom.geofence", geofence.get("identifier")),
            ("custom.geofence_action", geofence.get("action")),
            *alarm_readings(sent.get("alarm")),
            *alarm_readings(extras.get("alarm")),
            *(
                (f"custom.{name}", value)
                for name, value in islice(extras.items(), MAX_MEMBERS_READ)
                if name not in _NO_EXTRAS
            ),
            *_app_members(sent, _KNOWN),
            *_app_members(self._wrapper, _KNOWN),
            *self._params,
        ]


def _first_number(members: Mapping[str, Any], names: Iterable[str]) -> float | None:
    return next((found for name in names if (found := number(members.get(name))) is not None), None)


def _instant(sent: Any) -> datetime:
    count = lenient_number(sent)
    if count is not None:
        return instant_by_magnitude(count)
    return instant_of_text(str(sent), is_zone_optional=True)


def _reported_at(sent: Mapping[str, Any], measured_at: datetime | None) -> datetime | None:
    """Return when the phone recorded a location: its time and, in ms, how old it was by then."""
    age_ms = number(sent.get("age"))
    try:
        if "timestamp" in sent and sent.get("recorded_at") is not None:
            return _instant(sent["recorded_at"])
        if measured_at is None or age_ms is None or age_ms < 0:
            return None
        return measured_at + timedelta(milliseconds=age_ms)
    except (ValueError, OverflowError):
        return None


def _app_members(members: Mapping[str, Any], others: Container[str]) -> Iterator[tuple[str, Any]]:
    """Yield readings of members that the app added to those of the SDK, such as `params`."""
    for name, value in islice(members.items(), MAX_MEMBERS_READ):
        if name not in others and not isinstance(value, dict | list):
            yield f"custom.{name}", value
