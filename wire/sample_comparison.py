"""The comparison of a sample's expected values with the decoded ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import astuple

from core.observation import Fix, Observation, Scans, normal_identifier
from core.time_texts import instant_of_text
from wire.quantities import mapping, number
from wire.uplink import Decoded

_RELATIVE = 1e-4
_COORDINATE_DEG = 1e-6
_READINGS = {
    "temperature_c": "air.temperature", "humidity_percent": "air.humidity",
    "pressure_hpa": "air.pressure", "co2_ppm": "air.co2", "light_lux": "light",
    "illuminance_lux": "light", "battery_percent": "battery.level",
    "battery_volt": "battery.voltage", "power_volt": "power.voltage",
    "external_volt": "power.voltage", "charging": "battery.charging", "motion": "motion.detected",
    "moving": "motion.detected", "odometer_m": "odometer", "link_margin_db": "link.margin",
    "ignition": "ignition", "leak": "leak", "sos": "sos", "tamper": "tamper", "contact": "contact",
    "door": "contact", "roll_deg": "tilt.roll", "pitch_deg": "tilt.pitch", "hdop": "hdop",
    "satellites": "satellites", "vertical_accuracy_m": "vertical_accuracy",
    "device_temperature_c": "device.temperature", "f_port": "link.fport", "f_cnt": "link.fcnt",
    "rssi_dbm": "link.rssi", "snr_db": "link.snr", "gateways": "link.gateways",
    "spreading_factor": "link.sf", "sf": "link.sf", "frequency_hz": "link.frequency",
}  # fmt: skip
_FIX = {
    "altitude_m": "altitude_m",
    "speed_mps": "speed_mps",
    "course_deg": "course_deg",
    "accuracy_m": "accuracy_m",
}
_IDENTIFIERS = ("id", "dev_eui", "device", "device_id", "imei", "unique_id", "uniqueId", "ident")
_OF_READINGS = {"vertical_accuracy_m", "hdop", "satellites"}
_METHODS = {"network_geolocation": "network", "gps": "gnss", "bluetooth": "ble"}
_TIME_SOURCES = {"fixTime": "device", "tst": "device", "timestamp": "device", "time": "network"}
_SOURCES = {"source": _METHODS, "time_source": _TIME_SOURCES}


class SampleComparison:
    """The differences between expected and decoded values, and the names that were not checked."""

    def __init__(self, decoded: Decoded, *, received_at: datetime) -> None:
        self._decoded = decoded
        self._received_at = received_at
        self.differences: list[str] = []
        self.unchecked: list[str] = []

    def compare_answer(self, response: Mapping[str, Any], success_body: bytes | None) -> None:
        """Compare the answer to the sender; without a `success_body` it is a receipt."""
        status = number(response.get("status"))
        if status is not None and 400 <= status < 500:
            self._expect("refused", True, bool(self._decoded.refusals))
        elif self._decoded.refusals:
            codes = [fault.code for one in self._decoded.refusals for fault in one.faults]
            self.differences.append(f"refused {codes}")
        if response.get("body") and success_body is None:
            self.unchecked.append("response.body")
        elif "body" in response and success_body is not None:
            body = response["body"]
            got = success_body.decode() if isinstance(body, str) else json.loads(success_body)
            self._expect("response.body", body, got)

    def compare_decoded(self, expect: Mapping[str, Any]) -> None:
        parts: dict[str, Callable[[Any], None]] = {
            "message": self._message,
            "positions": self._positions,
            "telemetry": self._telemetry,
            "radio": self._radio,
            "device": self._device,
            "dedup": self._dedup,
            "time": self._time,
            "wifi": self._wifi,
            "cells": self._cells,
            "cell": self._cell,
        }
        for name, expected in expect.items():
            if name in parts:
                parts[name](expected)
            elif name in self._decoded.notes:
                self._expect(name, expected, self._decoded.notes[name])
            elif name not in ("note", "notes"):
                self.unchecked.append(name)

    def _expect(self, name: str, expected: Any, got: Any) -> None:
        if not is_same(expected, got):
            self.differences.append(f"{name}: expected {expected!r}, got {got!r}")

    def _message(self, expected: Any) -> None:
        self._expect("message", expected, self._decoded.message)

    def _positions(self, expected: Any) -> None:
        if not isinstance(expected, list) or not all(isinstance(one, dict) for one in expected):
            self.unchecked.append("positions")
            return
        placed = [(one.fix, one) for one in self._decoded.observations if one.fix is not None]
        if len(placed) != len(expected):
            self.differences.append(f"positions: expected {len(expected)}, got {len(placed)}")
        for index, (position, found) in enumerate(zip(expected, placed, strict=False)):
            for name, value in position.items():
                self._position(f"positions[{index}].{name}", name, value, *found)

    def _position(
        self, label: str, name: str, expected: Any, fix: Fix, observation: Observation
    ) -> None:
        if name in ("lat", "lon"):
            found, wanted = getattr(fix, f"{name}_deg"), number(expected)
            if wanted is None or abs(found - wanted) > _COORDINATE_DEG:
                self.differences.append(f"{label}: expected {expected}, got {found}")
        elif name in _FIX:
            self._expect(label, expected, getattr(fix, _FIX[name]))
        elif name in _OF_READINGS:
            self._expect(label, expected, observation.readings.get(_READINGS[name]))
        elif name == "time":
            wanted_at = self._received_at if expected is None else expected
            self._expect(label, wanted_at, observation.measured_at)
        elif name in _SOURCES:
            source = fix.method if name == "source" else observation.time_source
            self._expect(label, _first_word(expected, _SOURCES[name]), source)
        elif name in self._decoded.notes:
            self._expect(label, expected, self._decoded.notes[name])
        else:
            self.unchecked.append(label)

    def _telemetry(self, expected: Any) -> None:
        if not isinstance(expected, dict):
            self.unchecked.append("telemetry")
        for name, value in mapping(expected).items():
            reading = _READINGS.get(name)
            if reading is None:
                self._custom(name, value)
            elif isinstance(value, dict):
                for channel, one in value.items():
                    found = self._reading(f"{reading}.{channel}")
                    self._expect(f"telemetry.{name}.{channel}", one, found)
            else:
                self._expect(f"telemetry.{name}", value, self._reading(reading))

    def _custom(self, name: str, expected: Any) -> None:
        wanted = name.replace("_", "").lower()
        for one in self._decoded.observations:
            for reading, value in one.readings.items():
                bare = reading.removeprefix("custom.").replace("_", "").lower()
                if bare == wanted:
                    self._expect(f"telemetry.{name}", expected, value)
                    return
        self.unchecked.append(f"telemetry.{name}")

    def _radio(self, expected: Any) -> None:
        if not isinstance(expected, dict):
            self.unchecked.append("radio")
        for name, value in mapping(expected).items():
            if name == "best_gateway":
                self._expect("radio.best_gateway", value, self._decoded.notes.get("best_gateway"))
            elif name in _READINGS:
                self._expect(f"radio.{name}", value, self._reading(_READINGS[name]))
            else:
                self.unchecked.append(f"radio.{name}")

    def _reading(self, name: str) -> Any:
        found = [one.readings[name] for one in self._decoded.observations if name in one.readings]
        return found[0] if found else None

    def _device(self, expected: Mapping[str, Any] | None) -> None:
        """Compare identifiers with the device, which the URL names where the message does not."""
        observations = self._decoded.observations
        identifier = observations[0].device if observations else None
        for name, value in mapping(expected).items():
            noted = self._decoded.notes.get(name)
            is_device = identifier is not None and normal_identifier(str(value)) == identifier
            is_noted = noted is not None and str(noted).lower() == str(value).lower()
            if noted is None and name not in _IDENTIFIERS and not is_device:
                self.unchecked.append(f"device.{name}")
            elif not (is_device or is_noted):
                self._expect(f"device.{name}", value, noted or identifier)

    def _dedup(self, expected: Any) -> None:
        ids = [one.event_id for one in self._decoded.observations if one.event_id]
        if not any(one in str(expected) for one in ids):
            self.unchecked.append("dedup")

    def _scans(self) -> Scans:
        found = [one.scans for one in self._decoded.observations if one.scans is not None]
        return found[0] if found else Scans()

    def _wifi(self, expected: Any) -> None:
        wanted = [[str(mac).lower(), rssi_dbm] for mac, rssi_dbm in expected]
        self._expect("wifi", wanted, [list(astuple(one)) for one in self._scans().wifi])

    def _cells(self, expected: Any) -> None:
        self._expect("cells", expected, [list(astuple(one)) for one in self._scans().cells])

    def _cell(self, expected: Any) -> None:
        """Compare a single cell, of whose numbers some may be hexadecimal texts."""
        numbers = (expected.get(name) for name in ("mcc", "mnc", "lac", "cid"))
        wanted = [int(one, 16) if isinstance(one, str) else one for one in numbers]
        found = [list(astuple(one))[:4] for one in self._scans().cells]
        self._expect("cell", [wanted], found)

    def _time(self, expected: Any) -> None:
        found = [one.measured_at for one in self._decoded.observations]
        self._expect("time", expected, found[0] if found else self._decoded.notes.get("time"))


def _first_word(expected: Any, ours: Mapping[str, str]) -> str:
    """Return the first word of a text, which may explain itself behind it, as our word for it."""
    word = str(expected).split(" ")[0]
    return ours.get(word, word)


def is_same(expected: Any, got: Any) -> bool:
    """Return True for equal values: numbers nearly, times to the millisecond, objects in part."""
    if isinstance(expected, bool) or expected is None or isinstance(got, bool):
        return expected is got
    if isinstance(expected, int | float):
        is_number = isinstance(got, int | float)
        return is_number and abs(expected - got) <= _tolerance(expected)
    if isinstance(expected, dict):
        return isinstance(got, dict) and all(is_same(v, got.get(k)) for k, v in expected.items())
    if isinstance(expected, list):
        is_list = isinstance(got, list) and len(got) == len(expected)
        return is_list and all(is_same(a, b) for a, b in zip(expected, got, strict=True))
    return expected == got or _is_same_instant(expected, got)


def _tolerance(expected: float) -> float:
    """Return half of the last decimal place, because a 10.29 in a sample is a rounded number."""
    _, _, decimals = repr(expected).partition(".")
    is_rounded = decimals.isdecimal() and decimals != "0"
    place = 0.5 * 10.0 ** -len(decimals) if is_rounded else 0.0
    return max(_RELATIVE * max(abs(expected), 1e-4), place * (1 + 1e-9))


def _is_same_instant(expected: Any, got: Any) -> bool:
    try:
        times = [v if isinstance(v, datetime) else instant_of_text(v) for v in (expected, got)]
    except (ValueError, AttributeError):
        return False
    return abs((times[0] - times[1]).total_seconds()) < 0.001
