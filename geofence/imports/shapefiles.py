"""ESRI shapefiles, from bytes in memory, reprojected to WGS 84 by their .prj."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
import shapefile
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from core.errors import TooLarge, Unprocessable
from geofence import limits
from geofence.imports.dbf_tables import encoding_of, with_plain_header
from geofence.imports.found_shapes import AssumedSizes, FoundShape, blank, refused
from geofence.imports.geojson_files import NAME_KEYS, of_geometry

SUFFIXES = (".shp", ".dbf", ".shx", ".prj", ".cpg")
PRJ_BYTES = 16 << 10
WGS84 = CRS.from_epsg(4326)

Reprojection = Callable[[Any], Any]


def features(
    parts: dict[str, bytes], assumed: AssumedSizes, encoding: str | None = None
) -> Iterator[FoundShape]:
    """Yield the shapes of a shapefile, whose parts are given by suffix.

    Its texts are read in `encoding`, otherwise in the encoding that the file names.
    """
    if len(parts.get(".shp", b"")) > limits.IMPORT_SHP_BYTES:
        raise TooLarge(
            f"The .shp is larger than {limits.IMPORT_SHP_BYTES} bytes.", code="archive-too-large"
        )
    to_lonlat = _reprojection(parts.get(".prj"))
    try:
        with closing(_reader(parts)) as reader:
            if len(reader) > limits.IMPORT_FEATURES:
                raise TooLarge(
                    f"{len(reader)} features; at most {limits.IMPORT_FEATURES} are imported.",
                    code="too-many-features",
                )
            records, doubt = _records(reader, parts, encoding)
            for number, shape in enumerate(reader.iterShapes()):
                record = records[number] if number < len(records) else {}
                for found in _feature(shape, record, to_lonlat, assumed):
                    yield found.with_note("encoding-unsure", doubt) if doubt else found
    except (
        shapefile.ShapefileException,
        struct.error,
        ValueError,
        IndexError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        EOFError,
        OSError,
        MemoryError,
    ) as error:
        raise Unprocessable("The shapefile cannot be read.", code="import-unreadable") from error


def _reader(parts: dict[str, bytes]) -> shapefile.Reader:
    parts = {**parts, ".dbf": with_plain_header(parts[".dbf"])} if ".dbf" in parts else parts
    files = {
        suffix.removeprefix("."): io.BytesIO(parts[suffix])
        for suffix in (".shp", ".dbf", ".shx")
        if suffix in parts
    }
    # As bytes, see `dbf_tables`.
    return shapefile.Reader(**files, encoding="ascii", encodingErrors="surrogateescape")


def _records(
    reader: shapefile.Reader, parts: dict[str, bytes], encoding: str | None
) -> tuple[list[dict[str, Any]], str]:
    """Return the records with their texts, and why their letters may be wrong, or ""."""
    if ".dbf" not in parts:
        return [], ""
    rows = [record.as_dict() if record is not None else {} for record in reader.iterRecords()]
    values = [text for row in rows for text in (*row, *row.values()) if isinstance(text, str)]
    found = encoding_of(parts[".dbf"], parts.get(".cpg", b""), encoding, values)
    read = found.text_of
    records = [
        {read(key): read(value) if isinstance(value, str) else value for key, value in row.items()}
        for row in rows
    ]
    if not found.doubt:
        return records, ""
    doubt = f"{found.doubt} Texts are read as {found.name}: where they are wrong, send `encoding`."
    return records, doubt


def _feature(
    shape: shapefile.Shape | None,
    record: dict[str, Any],
    to_lonlat: Reprojection,
    assumed: AssumedSizes,
) -> Iterator[FoundShape]:
    name = next((record[key] for key in NAME_KEYS if record.get(key)), None)
    name = name or next((text for text in record.values() if isinstance(text, str) and text), "")
    if shape is None or not shape.points:
        yield blank(name, "The shape is empty.")
        return
    if shape.shapeType == shapefile.MULTIPATCH:
        detail = "A MULTIPATCH is made of surfaces in space; save it as polygons."
        yield refused(name, "geometry-invalid", detail)
        return
    if len(shape.parts) > limits.SIMPLIFIABLE_RINGS:
        most = limits.SIMPLIFIABLE_RINGS
        yield refused(name, "too-many-points", f"More than {most} rings.")
        return
    if len(shape.points) > limits.SIMPLIFIABLE_POINTS:
        most = limits.SIMPLIFIABLE_POINTS
        yield refused(name, "too-many-points", f"More than {most} points.")
        return
    geometry = shape.__geo_interface__
    lonlats = {"type": geometry["type"], "coordinates": to_lonlat(geometry["coordinates"])}
    yield from of_geometry(lonlats, {**record, "name": name}, assumed)


def _reprojection(prj: bytes | None) -> Reprojection:
    """Return the function that reprojects nested coordinates to longitude and latitude."""
    if prj is None:
        # Without a .prj degrees are assumed; other values fail the range check.
        return lambda nested: _mapped(nested, lambda lonlats: lonlats)
    try:
        # Only as WKT: other notations may name files and pipelines.
        crs = CRS.from_wkt(prj[:PRJ_BYTES].decode("utf-8", "replace"))
        transformer = Transformer.from_crs(crs, WGS84, always_xy=True)
    except (CRSError, ProjError) as error:
        raise Unprocessable(
            "The .prj names no coordinate system that we know.", code="import-unreadable"
        ) from error

    def to_lonlats(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    return lambda nested: _mapped(nested, to_lonlats)


def _mapped(nested: Any, change: Callable[[Any], Any]) -> Any:
    """Apply `change` to the points in nested lists of any depth, without their altitudes."""
    if isinstance(nested[0], int | float):
        return change(np.array([nested[:2]], dtype=np.float64))[0].tolist()
    if isinstance(nested[0][0], int | float):
        return change(np.array([point[:2] for point in nested], dtype=np.float64)).tolist()
    return [_mapped(inner, change) for inner in nested]
