"""The rows of a recorded track, as a file of JSON, GPX or CSV has them, under our names.

A row may lack values, and values are as written: `track_files` reads them.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from core.errors import Unprocessable

SPELLINGS = {
    "lon": (
        "lon_deg", "lon", "lng", "long", "longitude", "longitude_deg", "lon_dd", "location_long",
        "gps_longitude", "x",
    ),
    "lat": (
        "lat_deg", "lat", "latitude", "latitude_deg", "lat_dd", "location_lat", "gps_latitude",
        "y",
    ),
    "time": (
        "measured_at", "time", "timestamp", "at", "datetime", "date_time", "time_utc", "utc",
        "fix_time", "base_date_time", "gps_time", "timestamp_utc", "datetime_utc", "tst",
    ),
    "accuracy": ("accuracy_m", "accuracy", "acc", "hacc", "h_accuracy", "horizontal_accuracy"),
    "altitude": ("altitude_m", "altitude", "alt", "ele", "elevation", "height"),
    "method": ("method",),
    "is_clock_suspect": ("is_clock_suspect",),
}  # fmt: skip
# Columns that say whose fix a row is; the first of them that has values counts.
DEVICE_COLUMNS = (
    "asset", "asset_id", "mmsi", "imei", "device", "device_id", "device_identifier", "vehicle",
    "vehicle_id", "vessel", "vessel_id", "vessel_name", "unit", "unit_id", "tracker", "tracker_id",
    "icao24", "individual_local_identifier", "id",
)  # fmt: skip
_NAMES = {
    spelling.replace("_", ""): name
    for name, spellings in SPELLINGS.items()
    for spelling in spellings
}
_DEVICE_NAMES = {column.replace("_", ""): column for column in DEVICE_COLUMNS}
NEEDED = ("lon", "lat", "time")
GPX_POINTS = ("trkpt", "rtept", "wpt")
BLANK = codecs.BOM_UTF8 + b" \t\r\n"
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# A first line for spreadsheets, which names the sign between values.
SEPARATOR = re.compile(r'\s*"?sep=(.)"?[^\S\n]*\r?\n', re.IGNORECASE)
# After a time of day also +00; after a date it would be its day.
ZONE = re.compile(r"([zZ]|UTC|GMT|[+-]\d\d:?\d\d|:\d\d[.,\d]*\s*[+-]\d\d)\s*$")
DECIMAL_COMMA = re.compile(r"-?[0-9]+,[0-9]+")
# Danish AIS, with the day first.
DAY_FIRST = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4}) (.*)")

Row = Mapping[str, Any]


def rows_of(body: bytes) -> Iterator[Row]:
    """Yield the rows under the names of `SPELLINGS`, and under `devices` what says whose they are.

    Raises `Unprocessable` if the file cannot be read.
    """
    if body.lstrip(BLANK)[:1] == b"<":
        # XML declares its own encoding.
        return _gpx_rows(body)
    is_utf_16 = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = body.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable(f"Byte {error.start} is not UTF-{16 if is_utf_16 else 8}.") from error
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
        raise unreadable(f"Not JSON: {error}.") from error
    if isinstance(document, dict):
        # A page of our own positions.
        document = document.get("results", document)
    if isinstance(document, dict) and document.get("type") in ("FeatureCollection", "Feature"):
        document = list(_feature_rows(document))
    if isinstance(document, list):
        yield from (_named(_flat(row)) for row in document)
        return
    yield from _column_rows(document)


def _column_rows(document: Any) -> Iterator[Row]:
    """Yield rows that are lists, beside a list of the columns that they have in common."""
    if not isinstance(document, dict):
        raise unreadable("JSON tracks have columns and rows.")
    columns, rows = document.get("columns"), document.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list):
        raise unreadable("JSON tracks have columns and rows.")
    _require_columns(columns)
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(columns):
            raise unreadable(f"Row {number} has not as many values as there are columns.")
        yield _named(dict(zip(columns, row, strict=True)))


def _flat(row: Any) -> Any:
    """Return a row of our own positions with its fix, which is null where there is no place."""
    if isinstance(row, dict) and isinstance(row.get("fix"), dict):
        return {**row, **row["fix"]}
    return row


def _feature_rows(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield rows of GeoJSON: points with their properties, and lines with a time for each point."""
    members = document.get("features") if document["type"] == "FeatureCollection" else [document]
    for member in members if isinstance(members, list) else []:
        properties = member.get("properties") if isinstance(member, dict) else None
        geometry = member.get("geometry") if isinstance(member, dict) else None
        properties = properties if isinstance(properties, dict) else {}
        geometry = geometry if isinstance(geometry, dict) else {}
        points, times = geometry.get("coordinates"), properties.get("coordTimes")
        if geometry.get("type") == "LineString" and isinstance(points, list):
            if not isinstance(times, list) or len(times) != len(points):
                raise unreadable("A LineString needs coordTimes, a time for each of its points.")
            for point, at in zip(points, times, strict=True):
                yield {**properties, **_place(point), "time": at}
        else:
            yield {**_flat(properties), **_place(points)}


def _place(point: Any) -> dict[str, Any]:
    if not isinstance(point, list) or len(point) < 2:
        return {}
    lon = point[0]
    # Our tracks go on beyond 180 where the way crosses the antimeridian.
    if type(lon) in (int, float) and 180.0 < abs(lon) <= 360.0:
        lon = (lon + 180.0) % 360.0 - 180.0
    return {"lon": lon, "lat": point[1]}


def _csv_rows(text: str) -> Iterator[Row]:
    if not text.strip():
        raise unreadable("The file is empty and holds no fixes.")
    told = SEPARATOR.match(text)
    text = text[told.end() :] if told else text
    head = text.lstrip().splitlines()[0] if text.strip() else ""
    sign = told[1] if told else max(",;\t", key=head.count)
    # The CSV reader splits lines, since a quoted value may contain line breaks.
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=sign)
    try:
        filled = [line for line in lines if any(value.strip() for value in line)]
    except csv.Error as error:
        raise unreadable(f"Line {lines.line_num}: {error}.") from error
    columns = filled[0] if filled else []
    _require_columns(columns)
    for row in filled[1:]:
        # Values beyond the header have no name; missing values stay missing.
        values = row if sign == "," else [_with_decimal_point(value) for value in row]
        yield _named(dict(zip(columns, values, strict=False)))


def _with_decimal_point(value: str) -> str:
    return value.replace(",", ".") if DECIMAL_COMMA.fullmatch(value.strip()) else value


def _gpx_rows(body: bytes) -> Iterator[Row]:
    try:
        root: Element = fromstring(body.lstrip(BLANK), forbid_dtd=True)
    except DefusedXmlException as error:
        raise unreadable("Document types and entities are refused.") from error
    except (ParseError, ValueError, LookupError) as error:
        raise unreadable("Not well-formed XML.") from error
    points = [element for element in root.iter() if _tag(element) in GPX_POINTS]
    fixes = [point for point in points if _tag(point) == "trkpt"]
    if not fixes and (points or _tag(root) != "gpx"):
        raise unreadable("A GPX track has trkpt; there are none, and waypoints are no fixes.")
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
        raise unreadable("The names of columns are texts.")
    known = {_name_of(column) for column in columns}
    missing = [name for name in NEEDED if name not in known]
    if missing:
        raise unreadable(f"There is no {' and no '.join(missing)} among the columns.")


def _named(row: Any) -> Row:
    """Return the row under our names, without empty and unknown columns."""
    if not isinstance(row, dict):
        raise unreadable("A fix is a JSON object.")
    found: dict[str, Any] = {}
    devices: dict[str, str] = {}
    for column, value in row.items():
        if value is None or str(value).strip() == "":
            continue
        if name := _name_of(column):
            found.setdefault(name, _time_of_column(column, value) if name == "time" else value)
        elif device := _DEVICE_NAMES.get(_plain(column)):
            devices[device] = str(value).strip()
    if "mmsi" in devices and "time" in found:
        # Times of AIS are UTC.
        found["time"] = _in_utc(found["time"])
    return {**found, "devices": devices}


def _time_of_column(column: Any, value: Any) -> Any:
    """Return a time; as UTC where the name of its column says so, or is one of AIS."""
    text = str(column).strip().lower()
    if text.startswith("#") and (parts := DAY_FIRST.fullmatch(str(value).strip())):
        day, month, year, time = parts.groups()
        value = f"{year}-{month}-{day}T{time}"
    is_utc = "utc" in text or text.startswith("#") or _plain(column) == "basedatetime"
    return _in_utc(value) if is_utc else value


def _name_of(column: Any) -> str | None:
    """Return our name of a column, whatever its case and with or without its unit."""
    return _NAMES.get(_plain(column))


def _plain(column: Any) -> str:
    without_unit = re.sub(r"\(.*\)", "", str(column)).strip().lower()
    return re.sub(r"[\W_]+", "", without_unit)


def _in_utc(value: Any) -> Any:
    """Return a time without a zone as UTC; a number, or a time with a zone, is unchanged."""
    text = str(value).strip()
    return value if NUMBER.fullmatch(text) or has_zone(text) else f"{text}Z"


def has_zone(text: str) -> bool:
    return ZONE.search(text) is not None


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def unreadable(detail: str) -> Unprocessable:
    return Unprocessable(detail, code="track-unreadable")
