"""Observations: what an uplink says about a moment. Plain values, never edited.

An observation names its device as the sender does; only the road knows the asset. All
quantities are in the canonical units of `docs/glossary.md`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

from msgspec import Struct

Method = Literal[
    "gnss", "wifi", "ble", "cell", "lora_tdoa", "lora_rssi", "network", "gateway", "manual"
]
TimeSource = Literal["device", "network", "server"]
Value = float | int | bool | str

MAX_IDENTIFIER_LENGTH = 100

# A clock may run ahead by this much before its times are doubted (fault F-042).
CLOCK_TOLERANCE = timedelta(minutes=5)
# No observation is older: receivers without GNSS time start at 1970, 1980 or 2000
# (fault F-045).
EARLIEST_PLAUSIBLE = datetime(2000, 1, 2, tzinfo=UTC)
# The least and the greatest value that a receiver reports of each quantity of a fix. Receivers
# stop at 1,000 knots; balloons carry them to 50 km; half way round the earth is no accuracy.
FIX_BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "altitude_m": (-12_000.0, 50_000.0),
    "accuracy_m": (0.0, 20_037_508.0),
    "speed_mps": (0.0, 515.0),
    "course_deg": (0.0, 360.0),
}
_LOWEST_M, _HIGHEST_M = FIX_BOUNDS["altitude_m"]
_COARSEST_M, _FASTEST_MPS = FIX_BOUNDS["accuracy_m"][1], FIX_BOUNDS["speed_mps"][1]


class Fix(Struct, frozen=True, kw_only=True, gc=False):
    """A place on WGS 84, with speed and course (clockwise from north).

    Altitude and accuracy (68 % radius) are in metres. Raises ValueError for values off the earth
    or beyond FIX_BOUNDS; absent is None, never 0 or -1.
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
        if self.accuracy_m is not None and not 0.0 <= self.accuracy_m <= _COARSEST_M:
            raise ValueError(f"{self.accuracy_m} is not an accuracy")
        if self.speed_mps is not None and not 0.0 <= self.speed_mps <= _FASTEST_MPS:
            raise ValueError(f"{self.speed_mps} is not a speed")
        if self.course_deg is not None and not 0.0 <= self.course_deg < 360.0:
            raise ValueError(f"{self.course_deg} is not a course")
        if self.altitude_m is not None and not _LOWEST_M <= self.altitude_m <= _HIGHEST_M:
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
    """A moment of a device: its fix, its readings, or both.

    `device` is the identifier as normalised by `normal_identifier`; times are aware UTC.
    `reported_at` is when its message was made, if the sender says so. `event_id` is the sender's
    own id of the event, if it stays the same in a retry; `readings` maps canonical names to
    values in canonical units. `scans` is the radio that it heard around it.
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


ClockFault = Literal["ahead", "before-gnss", "week-rollover"]

# GNSS receivers count weeks in ten bits; a receiver that lost count is one or two rounds behind.
_ROLLOVERS = (timedelta(weeks=1024), timedelta(weeks=2048))
# Beside the round itself, its time may be this old: a report may wait for a connection.
_ROLLOVER_AGE = timedelta(days=7)


def clock_fault(measured_at: datetime, received_at: datetime) -> ClockFault | None:
    """Return why `measured_at` is impossible, or None where it is possible.

    It is too far in the future, before GNSS time, or exactly 1,024 or 2,048 weeks too early.
    """
    age = received_at - measured_at
    if age < -CLOCK_TOLERANCE:
        return "ahead"
    if any(-CLOCK_TOLERANCE <= age - rollover <= _ROLLOVER_AGE for rollover in _ROLLOVERS):
        return "week-rollover"
    return "before-gnss" if measured_at < EARLIEST_PLAUSIBLE else None


def is_clock_suspect(measured_at: datetime, received_at: datetime) -> bool:
    return clock_fault(measured_at, received_at) is not None


@lru_cache(maxsize=32_768)
def normal_identifier(identifier: str) -> str:
    """Return the normal spelling of an identifier, under which a device is looked up.

    Lower case, without outer white space; separators between hex digits
    (`00-1C-B3-09-85-15-00-01`, `AA:BB:…`) and the `dev:` of Notehub are dropped.
    """
    text = identifier.strip().lower().removeprefix("dev:")
    bare = text.replace("-", "").replace(":", "")
    is_separated_hex = len(bare) in (12, 16) and all(c in "0123456789abcdef" for c in bare)
    return bare if is_separated_hex else text


@lru_cache(maxsize=32_768)
def is_identifier(identifier: str) -> bool:
    """Return whether a device can have this identifier, in normal spelling."""
    return 0 < len(identifier) <= MAX_IDENTIFIER_LENGTH and identifier.isprintable()


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """Return `at` as whole microseconds since 1970, exactly (a float would not be)."""
    return (at - _EPOCH) // _MICROSECOND


def instant(at_us: int) -> datetime:
    """Return the instant `at_us` microseconds after 1970, aware and in UTC."""
    return _EPOCH + timedelta(microseconds=at_us)
