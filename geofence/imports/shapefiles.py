"""ESRI shapefiles, from bytes in memory, reprojected to WGS 84 by their .prj."""

from __future__ import annotations

import codecs
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
from geofence.imports.found_shapes import AssumedSizes, FoundShape, refused
from geofence.imports.geojson_files import NAME_KEYS, of_geometry

SUFFIXES = (".shp", ".dbf", ".shx", ".prj", ".cpg")
PRJ_BYTES = 16 << 10
WGS84 = CRS.from_epsg(4326)

Reprojection = Callable[[Any], Any]


def features(parts: dict[str, bytes], assumed: AssumedSizes) -> Iterator[FoundShape]:
    """Yield the shapes of a shapefile, whose parts are given by suffix."""
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
            for number, shape in enumerate(reader.iterShapes()):
                record = _record(reader, number) if ".dbf" in parts else {}
                yield from _feature(shape, record, to_lonlat, assumed)
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
    files = {
        suffix.removeprefix("."): io.BytesIO(parts[suffix])
        for suffix in (".shp", ".dbf", ".shx")
        if suffix in parts
    }
    encoding = _encoding(parts.get(".cpg", b""))
    return shapefile.Reader(**files, encoding=encoding, encodingErrors="replace")


def _encoding(cpg: bytes) -> str:
    try:
        return codecs.lookup(cpg[:32].decode("ascii").strip()).name
    except (LookupError, UnicodeDecodeError, ValueError):
        return "utf-8"


def _record(reader: shapefile.Reader, number: int) -> dict[str, Any]:
    record = reader.record(number)
    return record.as_dict() if record is not None else {}


def _feature(
    shape: shapefile.Shape | None,
    record: dict[str, Any],
    to_lonlat: Reprojection,
    assumed: AssumedSizes,
) -> Iterator[FoundShape]:
    name = next((record[key] for key in NAME_KEYS if record.get(key)), None)
    name = name or next((text for text in record.values() if isinstance(text, str) and text), "")
    if shape is None or not shape.points:
        yield refused(name, "geometry-invalid", "The shape is empty.")
        return
    if len(shape.parts) > limits.SHAPE_RINGS:
        yield refused(name, "too-many-points", f"More than {limits.SHAPE_RINGS} rings.")
        return
    if len(shape.points) > limits.SIMPLIFIABLE_POINTS:
        most = limits.SIMPLIFIABLE_POINTS
        yield refused(name, "too-many-points", f"More than {most} points.")
        return
    geometry = shape.__geo_interface__
    lonlats = {"type": geometry["type"], "coordinates": to_lonlat(geometry["coordinates"])}
    yield from of_geometry(lonlats, {"name": name}, assumed)


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
