"""Reading a recorded track from a file: our JSON, GPX or CSV, recognised by content.

The fixes are returned in order of time; fixes of the same moment in the order of the file. A
fix that cannot be read is refused with its place.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from core.errors import Unprocessable
from core.judged_fact import DecidingFix
from core.observation import Fix, microseconds
from core.time_texts import instant_of_text

SPELLINGS = {
    "lon": ("lon_deg", "lon", "lng", "long", "longitude", "lon_dd", "x"),
    "lat": ("lat_deg", "lat", "latitude", "lat_dd", "y"),
    "time": ("measured_at", "time", "timestamp", "at", "datetime", "date_time", "time_utc", "utc"),
    "accuracy": ("accuracy_m", "accuracy", "acc", "hacc", "h_accuracy", "horizontal_accuracy"),
    "altitude": ("altitude_m", "altitude", "alt", "ele", "elevation", "height"),
    "method": ("method",),
}
_NAMES = {spelling: name for name, spellings in SPELLINGS.items() for spelling in spellings}
NEEDED = ("lon", "lat", "time")
GPX_POINTS = ("trkpt", "rtept", "wpt")
BLANK = codecs.BOM_UTF8 + b" \t\r\n"
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# Larger numbers are milliseconds since 1970, others seconds.
_LARGEST_S = 1e11

Row = Mapping[str, Any]


def read_track(body: bytes) -> list[DecidingFix]:
    """Return the fixes of a track in order. Raises `Unprocessable` if it cannot be read.

    A track without fixes, whose recording never began, is valid.
    """
    fixes = []
    for number, row in enumerate(_rows(body), start=1):
        try:
            fix = _fix(row)
        except (ValueError, TypeError, OverflowError) as error:
            raise _unreadable(f"Fix {number}: {error}.") from error
        # An estimate from gateways does not decide.
        if row.get("method") != "gateway":
            fixes.append(fix)
    # The same fix again is a repeat, as on the road.
    return sorted(dict.fromkeys(fixes), key=attrgetter("at_us"))


def _rows(body: bytes) -> Iterator[Row]:
    """Yield the fixes under the names of `SPELLINGS`."""
    if body.lstrip(BLANK)[:1] == b"<":
        # XML declares its own encoding.
        return _gpx_rows(body)
    is_utf_16 = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = body.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(f"Byte {error.start} is not UTF-{16 if is_utf_16 else 8}.") from error
    match text.lstrip()[:1]:
        case "<":
            return _gpx_rows(body)
        case "{" | "[":
            return _json_rows(text)
        case _:
            return _csv_rows(text)


def _json_rows(text: str) -> Iterator[Row]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"Not JSON: {error}.") from error
    if isinstance(document, list):
        yield from (_named(row) for row in document)
        return
    columns, rows = document.get("columns"), document.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list):
        raise _unreadable("JSON tracks have columns and rows.")
    _require_columns(columns)
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(columns):
            raise _unreadable(f"Row {number} has not as many values as there are columns.")
        yield _named(dict(zip(columns, row, strict=True)))


def _csv_rows(text: str) -> Iterator[Row]:
    if not text.strip():
        raise _unreadable("The file is empty and holds no fixes.")
    head = text.lstrip().splitlines()[0]
    # The CSV reader splits lines, since a quoted value may contain line breaks.
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count))
    try:
        filled = [line for line in lines if any(value.strip() for value in line)]
    except csv.Error as error:
        raise _unreadable(f"Line {lines.line_num}: {error}.") from error
    columns = filled[0]
    _require_columns(columns)
    for row in filled[1:]:
        # Values beyond the header have no name; missing values stay missing.
        yield _named(dict(zip(columns, row, strict=False)))


def _gpx_rows(body: bytes) -> Iterator[Row]:
    try:
        root: Element = fromstring(body.lstrip(BLANK), forbid_dtd=True)
    except DefusedXmlException as error:
        raise _unreadable("Document types and entities are refused.") from error
    except (ParseError, ValueError, LookupError) as error:
        raise _unreadable("Not well-formed XML.") from error
    points = [element for element in root.iter() if _tag(element) in GPX_POINTS]
    fixes = [point for point in points if _tag(point) == "trkpt"]
    if not fixes and (points or _tag(root) != "gpx"):
        raise _unreadable("A GPX track has trkpt; there are none, and waypoints are no fixes.")
    for point in fixes:
        row = dict(_named(_values_of(point)))
        # GPX defines its times as UTC, and some writers leave out the Z.
        if "time" in row:
            row["time"] = _in_utc(row["time"])
        yield row


def _values_of(point: Element) -> dict[str, str | None]:
    """Return the values of a GPX point by tag; GPX's own values come before extensions."""
    values: dict[str, str | None] = dict(point.attrib)
    extensions = [inner for child in point for inner in child.iter() if inner is not child]
    for element in (*point, *extensions):
        values.setdefault(_tag(element), element.text)
    return values


def _require_columns(columns: list[Any]) -> None:
    if not all(isinstance(column, str) for column in columns):
        raise _unreadable("The names of columns are texts.")
    known = {_name_of(column) for column in columns}
    missing = [name for name in NEEDED if name not in known]
    if missing:
        raise _unreadable(f"There is no {' and no '.join(missing)} among the columns.")


def _named(row: Any) -> Row:
    """Return the row under our names, without empty and unknown columns."""
    if not isinstance(row, dict):
        raise _unreadable("A fix is a JSON object.")
    found: dict[str, Any] = {}
    for column, value in row.items():
        name = _name_of(column)
        has_value = value is not None and str(value).strip() != ""
        if name and has_value:
            is_utc = name == "time" and "utc" in str(column).lower()
            found.setdefault(name, _in_utc(value) if is_utc else value)
    return found


def _name_of(column: Any) -> str | None:
    """Return our name of a column, whatever its case and with or without its unit."""
    plain = re.sub(r"\(.*\)", "", str(column)).strip().lower()
    return _NAMES.get(re.sub(r"\W+", "_", plain))


def _fix(row: Row) -> DecidingFix:
    missing = [name for name in NEEDED if name not in row]
    if missing:
        raise ValueError(f"no {' and no '.join(missing)}")
    # Raises ValueError for coordinates that are not on earth.
    fix = Fix(
        lon_deg=_number(row["lon"]),
        lat_deg=_number(row["lat"]),
        altitude_m=_number(row["altitude"]) if "altitude" in row else None,
        accuracy_m=_number(row["accuracy"]) if "accuracy" in row else None,
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
    return instant_of_text(text)


def _in_utc(value: Any) -> Any:
    """Return a time without a zone as UTC; a number, or a time with a zone, is unchanged."""
    text = str(value).strip()
    return value if NUMBER.fullmatch(text) or _has_zone(text) else f"{text}Z"


def _has_zone(text: str) -> bool:
    return re.search(r"([zZ]|[+-]\d\d:?\d\d)\s*$", text) is not None


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def _unreadable(detail: str) -> Unprocessable:
    return Unprocessable(detail, code="track-unreadable")


__all__ = ["SPELLINGS", "read_track"]
