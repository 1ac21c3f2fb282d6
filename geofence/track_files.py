"""Reading a recorded track from a file: our JSON, GPX or CSV, recognised by content.

The fixes are returned in order of time; fixes of the same moment in the order of the file. A
fix that cannot be read is refused with its place; a row without a place is counted.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from msgspec import Struct

from core.errors import Unprocessable
from core.judged_fact import DecidingFix
from core.observation import Fix, microseconds
from core.time_texts import instant_of_text
from geofence.track_rows import DEVICE_COLUMNS, NEEDED, NUMBER, Row, rows_of, unreadable

# Larger numbers are milliseconds since 1970, others seconds.
_LARGEST_S = 1e11
# AIS: no longitude and no latitude.
NO_LON_DEG, NO_LAT_DEG = 181.0, 91.0
# As many devices are named in a refusal.
NAMED_DEVICES = 5


class RecordedTrack(Struct, frozen=True, kw_only=True):
    """The deciding fixes of one device in order, and how many rows were left out."""

    fixes: list[DecidingFix]
    without_place: int = 0
    at_zero: int = 0


def read_track(body: bytes, device: str | None = None) -> RecordedTrack:
    """Return the track of a file, or of one of its devices.

    Raises `Unprocessable` if it cannot be read, or holds several devices and none is chosen. A
    track without fixes, whose recording never began, is valid.
    """
    rows = list(enumerate(rows_of(body), start=1))
    fixes: list[DecidingFix] = []
    without_place = at_zero = 0
    for number, row in _of_one_device(rows, device):
        try:
            if _is_without_place(row):
                without_place += 1
                continue
            fix = _fix(row)
        except (ValueError, TypeError, OverflowError) as error:
            raise unreadable(f"Fix {number}: {error}.") from error
        # As on the road: exactly 0, 0 is a receiver without a fix, an estimate from gateways and
        # a fix of a doubted clock do not decide.
        if fix.lonlat_deg == (0.0, 0.0):
            at_zero += 1
        elif row.get("method") != "gateway" and row.get("is_clock_suspect") is not True:
            fixes.append(fix)
    # The same fix again is a repeat, as on the road.
    ordered = sorted(dict.fromkeys(fixes), key=attrgetter("at_us"))
    return RecordedTrack(fixes=ordered, without_place=without_place, at_zero=at_zero)


def _of_one_device(rows: list[tuple[int, Row]], device: str | None) -> list[tuple[int, Row]]:
    """Return the rows of the device. Raises `Unprocessable` if it is not clear which."""
    column = next((name for name in DEVICE_COLUMNS if _names_devices(name, rows)), None)
    if column is None:
        if device is not None:
            raise _device_unknown("Nothing in the file says whose fix a row is.")
        return rows
    names = list(dict.fromkeys(row["devices"].get(column) for _, row in rows))
    shown = ", ".join(str(name) for name in names[:NAMED_DEVICES])
    shown += ", …" if len(names) > NAMED_DEVICES else ""
    if device is None and len(names) > 1:
        detail = f"The file has rows of {len(names)} devices by {column}: {shown}. Choose one"
        raise _device_unknown(f"{detail} with --device.")
    if device is not None and device not in names:
        raise _device_unknown(f"No row has {device!r} as {column}; there are {shown}.")
    return [row for row in rows if device is None or row[1]["devices"].get(column) == device]


def _names_devices(column: str, rows: list[tuple[int, Row]]) -> bool:
    values = [row["devices"].get(column) for _, row in rows]
    if column != "id":
        return any(value is not None for value in values)
    # It may be the number of a row: then each is another.
    places = {
        (row["devices"].get(column), *(str(row.get(name)) for name in NEEDED)) for _, row in rows
    }
    return any(values) and len(places) > len(set(values))


def _device_unknown(detail: str) -> Unprocessable:
    return Unprocessable(detail, code="track-unreadable")


def _is_without_place(row: Row) -> bool:
    if "lon" not in row and "lat" not in row:
        return "time" in row
    return any(
        name in row and _number(row[name]) == missing
        for name, missing in (("lon", NO_LON_DEG), ("lat", NO_LAT_DEG))
    )


def _fix(row: Row) -> DecidingFix:
    missing = [name for name in NEEDED if name not in row]
    if missing:
        raise ValueError(f"no {' and no '.join(missing)}")
    # Receivers write -1 for an unknown accuracy.
    accuracy_m = _number(row["accuracy"]) if "accuracy" in row else None
    # Raises ValueError for coordinates that are not on earth.
    fix = Fix(
        lon_deg=_number(row["lon"]),
        lat_deg=_number(row["lat"]),
        altitude_m=_number(row["altitude"]) if "altitude" in row else None,
        accuracy_m=accuracy_m if accuracy_m is None or accuracy_m >= 0.0 else None,
    )
    return DecidingFix(
        microseconds(_time(row["time"])),
        1,
        fix.lon_deg,
        fix.lat_deg,
        fix.accuracy_m or 0.0,
        fix.altitude_m,
    )


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError("true and false are no numbers")
    # Python also reads 1_0 and digits of other scripts; no file format does.
    if isinstance(value, str) and ("_" in value or not value.strip().isascii()):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _time(value: Any) -> datetime:
    """Return an aware UTC time of RFC 3339, or of a number since 1970."""
    text = str(value).strip()
    if NUMBER.fullmatch(text):
        since = float(text)
        seconds = since / 1000.0 if abs(since) > _LARGEST_S else since
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    # Some writers name the zone UTC or GMT, or leave a blank before its offset.
    zoned = re.sub(r"\s*(UTC|GMT)$", "Z", text.upper())
    return instant_of_text(re.sub(r"\s+([+-])", r"\1", zoned))
