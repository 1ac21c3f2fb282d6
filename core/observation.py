"""What an uplink says about one moment: plain values, never edited.

An observation names a device as its sender does; which asset that is, only the
road knows. All quantities are in the canonical units of `docs/glossary.md`.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

from msgspec import Struct

Method = Literal[
    "gnss", "wifi", "ble", "cell", "lora_tdoa", "lora_rssi", "network", "gateway", "manual"
]
TimeSource = Literal["device", "network", "server"]
Value = float | int | bool | str

# A clock may run ahead by this much before its times are doubted (fault F-042).
CLOCK_TOLERANCE = timedelta(minutes=5)
# Before this nobody's device measured anything: receivers without GNSS time
# start at 1970, 1980 or 2000 (fault F-045).
EARLIEST_PLAUSIBLE = datetime(2000, 1, 2, tzinfo=UTC)


class Fix(Struct, frozen=True, kw_only=True, gc=False):
    """Where. WGS 84; altitude and accuracy (68 % radius) in metres, course clockwise from north.

    Raises ValueError for what no place on earth has; absent is None, never 0 or -1.
    """

    lon_deg: float
    lat_deg: float
    altitude_m: float | None = None
    accuracy_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    method: Method = "gnss"

    def __post_init__(self) -> None:
        # Written so that NaN fails each comparison.
        if not -180.0 <= self.lon_deg <= 180.0:
            raise ValueError(f"{self.lon_deg} is not a longitude")
        if not -90.0 <= self.lat_deg <= 90.0:
            raise ValueError(f"{self.lat_deg} is not a latitude")
        if self.accuracy_m is not None and not 0.0 <= self.accuracy_m < math.inf:
            raise ValueError(f"{self.accuracy_m} is not an accuracy")
        if self.speed_mps is not None and not 0.0 <= self.speed_mps < math.inf:
            raise ValueError(f"{self.speed_mps} is not a speed")
        if self.course_deg is not None and not 0.0 <= self.course_deg < 360.0:
            raise ValueError(f"{self.course_deg} is not a course")
        if self.altitude_m is not None and not -math.inf < self.altitude_m < math.inf:
            raise ValueError(f"{self.altitude_m} is not an altitude")


# So many of each kind place a device; who sends more sends a list of the whole neighbourhood.
MAX_SCANNED = 32


class Beacon(Struct, frozen=True, gc=False):
    """A Wi-Fi access point or Bluetooth beacon; `mac` is lower-case hex with colons."""

    mac: str
    rssi_dbm: int | None = None


class Cell(Struct, frozen=True, gc=False):
    """A cell of a mobile network; `area` is its location or tracking area."""

    mcc: int
    mnc: int
    area: int
    cell: int
    rssi_dbm: int | None = None


class Scans(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Radio that a device heard around it, by which it may be located later."""

    wifi: tuple[Beacon, ...] = ()
    bluetooth: tuple[Beacon, ...] = ()
    cells: tuple[Cell, ...] = ()

    def __post_init__(self) -> None:
        for heard in (self.wifi, self.bluetooth, self.cells):
            if len(heard) > MAX_SCANNED:
                raise ValueError(f"{len(heard)} of a kind; at most {MAX_SCANNED} are kept")


class Observation(Struct, frozen=True, kw_only=True, gc=False):
    """One moment of one device.

    `device` is the identifier as normalised by `normal_identifier`; times are aware UTC.
    `reported_at` is when its message was made, where the sender says so. `event_id` is the
    sender's own name for this event, where it has one that survives a retry; `readings` maps
    canonical names to canonical units; `scans` is what it heard around it.
    """

    device: str
    measured_at: datetime
    time_source: TimeSource = "device"
    reported_at: datetime | None = None
    fix: Fix | None = None
    readings: dict[str, Value] = {}
    event_id: str | None = None
    scans: Scans | None = None

    def __post_init__(self) -> None:
        if self.measured_at.utcoffset() != timedelta(0):
            raise ValueError("measured_at must be aware and in UTC")
        if self.reported_at is not None and self.reported_at.utcoffset() != timedelta(0):
            raise ValueError("reported_at must be aware and in UTC")
        if not self.device:
            raise ValueError("an observation needs a device")


def is_clock_suspect(measured_at: datetime, received_at: datetime) -> bool:
    """Whether no sane clock could have said `measured_at`: too far ahead, or before GNSS time."""
    return measured_at > received_at + CLOCK_TOLERANCE or measured_at < EARLIEST_PLAUSIBLE


@lru_cache(maxsize=32_768)
def normal_identifier(identifier: str) -> str:
    """Return the one spelling under which a device is looked up.

    Lower case, outer white space gone; separators inside what is otherwise hex
    (`00-1C-B3-09-85-15-00-01`, `AA:BB:…`) and the `dev:` of Notehub are dropped.
    """
    text = identifier.strip().lower().removeprefix("dev:")
    bare = text.replace("-", "").replace(":", "")
    is_separated_hex = len(bare) in (12, 16) and all(c in "0123456789abcdef" for c in bare)
    return bare if is_separated_hex else text


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """Return `at` as whole microseconds since 1970, exactly (a float would not be)."""
    return (at - _EPOCH) // _MICROSECOND


def instant(at_us: int) -> datetime:
    """Return the instant `at_us` microseconds after 1970, aware and in UTC."""
    return _EPOCH + timedelta(microseconds=at_us)
