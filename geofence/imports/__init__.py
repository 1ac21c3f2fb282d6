"""Reading shapes from untrusted files: GeoJSON, KML, KMZ, GPX, shapefile.

All code here treats the bytes as hostile and works in memory: nothing is unpacked to
disk, no address is opened, and sizes are counted before anything is parsed. The results are
still unchecked: a shape as drawn, or the reason why it could not be read.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.errors import TooLarge, Unprocessable
from geofence import limits
from geofence.imports import geojson_files, kml_and_gpx, zip_archives
from geofence.imports.found_shapes import AssumedSizes, FoundShape, at_most_allowed, named
from geofence.imports.own_exports import as_drawn

__all__ = ["AssumedSizes", "FoundShape", "read_features"]


def read_features(
    body: bytes, assumed: AssumedSizes, encoding: str | None = None
) -> list[FoundShape]:
    """Return the shapes of a file, whose format is recognised by its content, not its name.

    `encoding` is that of the texts of a shapefile, if a person says so.
    Raises `TooLarge`, or `Unprocessable` if the file as a whole cannot be read.
    """
    if len(body) > limits.IMPORT_PACKED_BYTES:
        raise TooLarge(f"At most {limits.IMPORT_PACKED_BYTES} bytes are imported at once.")
    found: Iterator[FoundShape]
    if zip_archives.is_zip(body):
        found = zip_archives.features(body, assumed, encoding)
    elif body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        found = geojson_files.features(body, assumed)
    elif b"<" in body[:8] or body.lstrip()[:1] == b"<":
        found = kml_and_gpx.features(body, assumed)
    else:
        raise Unprocessable(
            "Neither GeoJSON, KML, KMZ, GPX nor a zipped shapefile.", code="import-unreadable"
        )
    features = at_most_allowed(named(found))
    if not features:
        raise Unprocessable("The file holds no shapes.", code="import-unreadable")
    return [as_drawn(feature) for feature in features]
