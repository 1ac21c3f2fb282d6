"""Our own JSON read member by member, so that each fault has its pointer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast, get_args

from core.errors import Fault, TooLarge, UnreadableUplink
from core.observation import FIX_BOUNDS, Fix, Method, Observation, Value, normal_identifier
from core.time_texts import ZoneMissingError, instant_of_text
from wire import strict_json
from wire.fixes import is_null_island
from wire.reading_names import reading_name
from wire.strict_json import (
    MAX_ATTRIBUTES,
    MAX_FAULTS,
    MAX_INTEGER,
    MAX_NAME_CHARS,
    MAX_TEXT_CHARS,
    pointer_to,
)
from wire.uplink import Decoded, Refusal

MAX_OBSERVATIONS = 1_000
MAX_IDENTIFIER_CHARS = 128

_METHODS = get_args(Method)
_NO_ATTRIBUTE = frozenset({
    "device", "measured_at", "reported_at", "lat", "lon", "altitude_m", "accuracy_m", "speed_mps",
    "course_deg", "method", "event_id", "readings",
    # The server's own words: a sender cannot set them.
    "organisation", "asset", "received_at", "id", "is_late", "price",
})  # fmt: skip
_RANGES = {
    "lat": (-90.0, 90.0),
    "lon": (-180.0, 180.0),
    **FIX_BOUNDS,
}


def decode(body: bytes) -> Decoded:
    """Return observations and refusals. Raises UnreadableUplink and TooLarge."""
    items = _items(strict_json.read(body))
    if len(items) > MAX_OBSERVATIONS:
        raise TooLarge(
            f"{len(items)} observations; the limit is {MAX_OBSERVATIONS}.", code="too-many-fixes"
        )
    diagnoses = [_Diagnosis(item, pointer) for pointer, item in items]
    found = [(index, one.observation()) for index, one in enumerate(diagnoses)]
    return Decoded(
        message="observations",
        observations=tuple(one for _, one in found if one is not None),
        indexes=tuple(index for index, one in found if one is not None),
        refusals=tuple(diagnoses[index].refusal(index) for index, one in found if one is None),
        notes=_notes([index for index, one in enumerate(diagnoses) if one.is_null_island]),
    )


def _items(root: Any) -> list[tuple[str, Any]]:
    """Return each observation's JSON with the pointer to it."""
    if isinstance(root, dict) and isinstance(root.get("positions"), list):
        return [(f"/positions/{i}", item) for i, item in enumerate(root["positions"])]
    if isinstance(root, list):
        return [(f"/{i}", item) for i, item in enumerate(root)]
    if isinstance(root, dict):
        return [("", root)]
    raise UnreadableUplink("neither an observation nor a list of them.")


def _notes(null_islands: list[int]) -> dict[str, Any]:
    return {"without_fix_at_0_0": null_islands} if null_islands else {}


class _Diagnosis:
    """The diagnosis of an observation: collects all of its faults before it is refused."""

    def __init__(self, item: Any, pointer: str) -> None:
        self._pointer = pointer
        self._sent: Mapping[str, Any] = item if isinstance(item, dict) else {}
        self.is_null_island = False
        self.faults = list(strict_json.content_faults(item, pointer))
        self._more_faults = 0
        if len(self.faults) == MAX_FAULTS:
            self._more_faults = strict_json.content_fault_count(item) - MAX_FAULTS
        if not isinstance(item, dict):
            self._fault("not-an-object", "An observation is a JSON object.")

    def refusal(self, index: int) -> Refusal:
        return Refusal(index=index, faults=tuple(self.faults), more_faults=self._more_faults)

    def observation(self) -> Observation | None:
        if (not self._sent and self.faults) or len(self.faults) == MAX_FAULTS:
            return None
        device, measured_at = self._device(), self._measured_at()
        reported_at = self._time("reported_at")
        fix, readings, event_id = self._fix(), self._readings(), self._event_id()
        if self.faults or device is None or measured_at is None:
            return None
        return Observation(
            device=device,
            measured_at=measured_at,
            reported_at=reported_at,
            fix=fix,
            readings=readings,
            event_id=event_id,
        )

    def _fault(self, code: str, detail: str, *members: str) -> None:
        pointer = self._pointer + pointer_to(*members)
        if all(fault.pointer != pointer for fault in self.faults):
            self.faults.append(Fault(pointer=pointer, code=code, detail=detail))

    def _device(self) -> str | None:
        sent = self._sent.get("device")
        if sent is None or sent == "":
            self._fault("missing", "device is required.", "device")
        elif isinstance(sent, bool) or not isinstance(sent, str | int):
            self._fault("not-an-identifier", "device is a text or an integer.", "device")
        elif len(str(sent)) > MAX_IDENTIFIER_CHARS:
            self._fault(
                "too-long", f"device has at most {MAX_IDENTIFIER_CHARS} characters.", "device"
            )
        elif not normal_identifier(str(sent)):
            self._fault("missing", "device is blank.", "device")
        else:
            return normal_identifier(str(sent))
        return None

    def _measured_at(self) -> datetime | None:
        if self._sent.get("measured_at") is None:
            self._fault("missing", "measured_at is required.", "measured_at")
        return self._time("measured_at")

    def _time(self, name: str) -> datetime | None:
        sent = self._sent.get(name)
        if sent is None:
            return None
        try:
            # An empty text is no time, nor is any value but a text.
            return instant_of_text(sent if isinstance(sent, str) else "")
        except ZoneMissingError:
            self._fault("time-without-zone", f"{name} needs Z or an offset.", name)
        except ValueError:
            self._fault("not-a-time", f"{name} is an RFC 3339 text.", name)
        return None

    def _number(self, name: str) -> float | None:
        sent = self._sent.get(name)
        low, high = _RANGES[name]
        if sent is None:
            return None
        if isinstance(sent, bool) or not isinstance(sent, int | float):
            self._fault("not-a-number", f"{name} is a JSON number.", name)
        elif not low <= sent <= high:
            self._fault("out-of-range", f"{name} must be from {low:g} to {high:g}.", name)
        else:
            return float(sent)
        return None

    def _fix(self) -> Fix | None:
        numbers = {name: self._number(name) for name in _RANGES}
        method = self._sent.get("method") or "gnss"
        if method not in _METHODS:
            self._fault("unknown-method", f"method is one of {', '.join(_METHODS)}.", "method")
        for name, other in (("lat", "lon"), ("lon", "lat")):
            if self._sent.get(name) is None and self._sent.get(other) is not None:
                self._fault("missing", f"{other} needs {name}.", name)
        lat_deg, lon_deg = numbers["lat"], numbers["lon"]
        if lat_deg is None or lon_deg is None or self.faults:
            return None
        self.is_null_island = is_null_island(lat_deg, lon_deg)
        if self.is_null_island:
            return None
        course_deg = numbers["course_deg"]
        return Fix(
            lon_deg=lon_deg,
            lat_deg=lat_deg,
            altitude_m=numbers["altitude_m"],
            accuracy_m=numbers["accuracy_m"],
            speed_mps=numbers["speed_mps"],
            course_deg=None if course_deg is None else course_deg % 360.0,
            method=cast("Method", method),
        )

    def _event_id(self) -> str | None:
        sent = self._sent.get("event_id")
        if sent is None:
            return None
        if not isinstance(sent, str) or not 0 < len(sent) <= MAX_IDENTIFIER_CHARS:
            self._fault(
                "not-an-identifier",
                f"event_id is a text of 1 to {MAX_IDENTIFIER_CHARS} characters.",
                "event_id",
            )
            return None
        return sent

    def _readings(self) -> dict[str, Value]:
        sent = self._sent.get("readings")
        if sent is not None and not isinstance(sent, dict):
            self._fault("not-an-object", "readings is a JSON object.", "readings")
            sent = None
        # Counted before they are named: a body of a MiB has a hundred thousand.
        values = [*(sent or {}).values(), *map(self._sent.get, self._sent.keys() - _NO_ATTRIBUTE)]
        if sum(value is not None for value in values) > MAX_ATTRIBUTES:
            self._fault("too-many-attributes", f"at most {MAX_ATTRIBUTES} readings.", "readings")
            return {}
        named: list[tuple[tuple[str, ...], str, Any]] = [
            (("readings", name), reading_name(name), value) for name, value in _items_of(sent)
        ]
        named += [
            ((name,), f"custom.{name}", value)
            for name, value in self._sent.items()
            if name not in _NO_ATTRIBUTE
        ]
        return self._checked(entry for entry in named if entry[2] is not None)

    def _checked(self, named: Iterable[tuple[tuple[str, ...], str, Any]]) -> dict[str, Value]:
        kept: dict[str, Value] = {}
        for members, name, value in named:
            fault = _reading_fault(members[-1], value)
            if fault is not None:
                self._fault(*fault, *members)
            elif name in kept:
                self._fault("duplicate-key", f"{name} comes twice.", *members)
            else:
                kept[name] = value
        return kept


def _items_of(sent: Mapping[str, Any] | None) -> Iterable[tuple[str, Any]]:
    return () if sent is None else sent.items()


def _reading_fault(name: str, value: Any) -> tuple[str, str] | None:
    if not 0 < len(name) <= MAX_NAME_CHARS:
        return "too-long", f"A name has 1 to {MAX_NAME_CHARS} characters."
    if isinstance(value, str):
        is_long = len(value) > MAX_TEXT_CHARS
        return ("too-long", f"A text has at most {MAX_TEXT_CHARS} characters.") if is_long else None
    if not isinstance(value, bool | int | float):
        return "not-a-reading", "A reading is a number, true, false or a text."
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return "out-of-range", "The integer has more than 64 bits."
    return None
