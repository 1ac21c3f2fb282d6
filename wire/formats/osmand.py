"""The OsmAnd protocol: parameters of a query or form, or the JSON of the newer apps."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from core.errors import Fault, UnreadableUplink, UnsupportedMediaType
from core.observation import Fix, Observation, Scans, Value, normal_identifier
from core.time_texts import instant_of_text
from wire.fixes import FixQuantities, beyond_bounds, lenient_fix
from wire.formats import background_geolocation
from wire.instants import instant_of_count
from wire.parameters import (
    SECRETS,
    all_parameters,
    first_value,
    single_values,
    value_of_text,
)
from wire.quantities import MAX_MAGNITUDE, MPS_PER_KNOT, number_of_text, scaled, truth
from wire.reading_names import bounded_readings
from wire.scans import beacon, cell, scans_of
from wire.traccar_attributes import alarm_readings
from wire.uplink import Decoded, Refusal, Uplink
from wire.wire_format import Certainty, ParsedUplink, WireFormat

REPEATABLE = frozenset({"cell", "wifi"})
_NAMES = ("id", "deviceid")
# The others are spellings of apps, which may use them for something else beside an `id`.
IDENTIFIERS = (*_NAMES, "device_id", "deviceId")
_OWN = frozenset({
    *_NAMES, *REPEATABLE, *SECRETS, "lat", "lon", "location", "timestamp", "speed",
    "bearing", "heading", "altitude", "accuracy", "hacc", "valid",
})  # fmt: skip
_NUMBERS = {
    "hdop": "hdop", "batt": "battery.level", "odometer": "odometer", "sat": "satellites",
    "vacc": "vertical_accuracy",
}  # fmt: skip
_TRUTHS = {
    "charge": "battery.charging",
    "ignition": "ignition",
    "motion": "motion.detected",
    "sos": "sos",
}
# Larger counts are no seconds: those of the protocol have 31 bits.
_MILLIS_FROM = 2**31
_MICROS_FROM = 10**14
# A plus sign that the sender did not escape arrives as a blank.
_LOST_PLUS = re.compile(r" (\d\d:?\d\d)$", re.ASCII)


def decode(uplink: Uplink) -> Decoded:
    """Return the observations of a request. Raises Refused for any other request."""
    if uplink.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return background_geolocation.decode(uplink)
    if not uplink.query and not uplink.body.strip():
        raise UnreadableUplink("neither parameters nor a body.", code="empty-body")
    if "json" in (uplink.content_type or "").lower() and uplink.body.strip():
        return background_geolocation.decode(uplink)
    if "multipart/" in (uplink.content_type or "").lower():
        raise UnsupportedMediaType("send parameters in the URL, or as x-www-form-urlencoded")
    return _RequestDecoder(uplink).decoded()


class _RequestDecoder:
    """The decoder of a request in parameters: collects all of its faults before it is refused."""

    def __init__(self, uplink: Uplink) -> None:
        self._uplink = uplink
        self._values = all_parameters(uplink)
        self._parameters = single_values(self._values, repeatable=REPEATABLE)
        self._faults: list[Fault] = []
        self._identifier = first_value(self._parameters, *IDENTIFIERS)
        self._has_position = first_value(self._parameters, "lat", "lon", "location") is not None
        self._beyond_bounds: dict[str, float] = {}

    def decoded(self) -> Decoded:
        device, measured_at = self._device(), self._measured_at()
        fix, readings, scans = self._fix(), self._readings(), self._scans()
        is_empty = not (self._has_position or readings or scans)
        if is_empty:
            self._fault("lat", "missing", "there is neither a position nor a reading.")
        if self._faults or device is None:
            return Decoded(
                message="position",
                refusals=(Refusal(index=0, faults=tuple(self._faults)),),
            )
        kept, dropped = bounded_readings(readings)
        observation = Observation(
            device=device,
            measured_at=measured_at or self._uplink.received_at,
            time_source="device" if measured_at else "server",
            fix=fix,
            readings=kept,
            scans=scans,
        )
        is_scan = fix is None and scans is not None
        return Decoded(
            message="network scan" if is_scan else "position" if self._has_position else "status",
            observations=(observation,),
            indexes=(0,),
            notes=self._notes(dropped),
        )

    def _notes(self, dropped: list[str]) -> dict[str, Any]:
        notes = {"dropped_readings": dropped, "beyond_bounds": self._beyond_bounds}
        return {name: value for name, value in notes.items() if value}

    def _fault(self, name: str, code: str, detail: str) -> None:
        self._faults.append(Fault(pointer=f"/{name}", code=code, detail=detail))

    def _device(self) -> str | None:
        sent = self._identifier
        names = {self._parameters[name] for name in _NAMES if self._parameters.get(name)}
        if sent is None:
            self._fault("id", "missing", "id names the device.")
        elif len(names) > 1:
            self._fault("id", "duplicate-key", "id and deviceid name two devices.")
        elif len(sent) > 128:
            self._fault("id", "too-long", "id has at most 128 characters.")
        else:
            return normal_identifier(sent)
        return None

    def _measured_at(self) -> datetime | None:
        sent = first_value(self._parameters, "timestamp")
        if sent is None:
            return None
        try:
            return time_of_text(sent)
        except ValueError:
            self._fault("timestamp", "not-a-time", "timestamp is no time.")
            return None

    def _number(self, *names: str) -> float | None:
        for name in names:
            if text := self._parameters.get(name):
                found = number_of_text(text)
                if found is None:
                    self._fault(name, "not-a-number", f"{name} is no number.")
                elif abs(found) > MAX_MAGNITUDE:
                    self._fault(name, "out-of-range", f"{name} is larger than any device writes.")
                return found
        return None

    def _fix(self) -> Fix | None:
        quantities = FixQuantities(
            altitude_m=self._number("altitude"),
            accuracy_m=self._number("accuracy", "hacc"),
            speed_mps=scaled(self._number("speed"), MPS_PER_KNOT),
            course_deg=self._number("bearing", "heading"),
        )
        place = self._place() if self._has_position else None
        if place is None or not self._is_valid():
            return None
        self._beyond_bounds = beyond_bounds(quantities)
        return lenient_fix(*place, **quantities)

    def _is_valid(self) -> bool:
        sent = self._parameters.get("valid")
        return not sent or truth(sent) is True

    def _place(self) -> tuple[float, float] | None:
        location = first_value(self._parameters, "location")
        if location is not None:
            return self._place_of_pair(location)
        for name in ("lat", "lon"):
            if not self._parameters.get(name):
                self._fault(name, "missing", "lat and lon come together.")
        lat_deg, lon_deg = self._number("lat"), self._number("lon")
        if lat_deg is None or lon_deg is None:
            return None
        self._refuse_off_earth(("lat", lat_deg, 90), ("lon", lon_deg, 180))
        return lat_deg, lon_deg

    def _place_of_pair(self, location: str) -> tuple[float, float] | None:
        numbers = [number_of_text(part) for part in location.split(",")]
        if len(numbers) < 2 or numbers[0] is None or numbers[1] is None:
            self._fault("location", "not-a-number", "location is lat,lon.")
            return None
        self._refuse_off_earth(("location", numbers[0], 90), ("location", numbers[1], 180))
        return numbers[0], numbers[1]

    def _refuse_off_earth(self, *coordinates: tuple[str, float, int]) -> None:
        for name, degrees, limit in coordinates:
            if abs(degrees) > limit:
                detail = f"{name} must be from -{limit} to {limit}."
                self._fault(name, "out-of-range", detail)

    def _readings(self) -> list[tuple[str, Value | None]]:
        readings: list[tuple[str, Value | None]] = []
        for name, text in self._parameters.items():
            if name in _NUMBERS:
                readings.append(_known(name, self._number(name)))
            elif name in _TRUTHS:
                found = truth(text)
                is_truth = found is not None
                readings.append(
                    (_TRUTHS[name], found) if is_truth else (f"custom.{name}", value_of_text(text))
                )
            elif name == "driverUniqueId":
                readings.append((f"custom.{name}", text))
            elif name not in _OWN and not (name in IDENTIFIERS and text == self._identifier):
                readings.append((f"custom.{name}", value_of_text(text)))
        readings += alarm_readings(self._parameters.get("alarm"))
        return readings

    def _scans(self) -> Scans | None:
        """Read `cell=mcc,mnc,lac,cid[,dBm]` and `wifi=mac,dBm`, each of which may repeat."""
        if REPEATABLE.isdisjoint(self._values):
            return None
        return scans_of(
            wifi=(beacon(*text.split(",")[:2]) for text in self._values.get("wifi", ())),
            cells=(
                cell(*parts[:5])
                for text in self._values.get("cell", ())
                if len(parts := text.split(",")) >= 4
            ),
        )


def time_of_text(text: str) -> datetime:
    """Read seconds or milliseconds since 1970, ISO 8601, or `yyyy-MM-dd HH:mm:ss` in UTC.

    Raises ValueError for any other text.
    """
    count = number_of_text(text)
    if count is None:
        return instant_of_text(_LOST_PLUS.sub(r"+\1", text), is_zone_optional=True)
    if count < 0:
        raise ValueError("before 1970")
    unit = "s" if count < _MILLIS_FROM else "ms" if count < _MICROS_FROM else "us"
    return instant_of_count(count, unit)


def _known(name: str, value: float | None) -> tuple[str, float | None]:
    """Return a reading; its value is None where the sender declares it unknown."""
    if value is None or value < 0 or (name == "vacc" and value == 0):
        return _NUMBERS[name], None
    is_no_share = name == "batt" and value > 100
    return (f"custom.{name}" if is_no_share else _NUMBERS[name]), value


def _certainty(parsed: ParsedUplink) -> Certainty:
    is_named = not parsed.parameters.isdisjoint(IDENTIFIERS)
    is_placed = not parsed.parameters.isdisjoint({"lat", "location", *REPEATABLE})
    is_app = background_geolocation.has_sdk_location(parsed.root)
    return Certainty.SHAPE if (is_named and is_placed) or is_app else Certainty.NONE


FORMAT = WireFormat(
    name="osmand",
    title="OsmAnd, Traccar Client, background-geolocation",
    certainty=_certainty,
    open=decode,
    is_lenient=False,
    methods=("GET", "POST", "PUT"),
    token_in_path=True,
)
