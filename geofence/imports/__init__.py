"""Reading geofences out of files that strangers made: GeoJSON, KML, KMZ, GPX, shapefile.

Everything here treats its bytes as hostile and works in memory: nothing is unpacked to
disk, no address is opened, and sizes are counted before anything is parsed. What comes
out is still unchecked: a shape as drawn, or the reason why there is none.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.errors import TooLarge, Unprocessable
from geofence import limits
from geofence.imports import archives, geojson, markup
from geofence.imports.found import Assumed, Found, at_most_allowed, named

__all__ = ["Assumed", "Found", "read_features"]


def read_features(body: bytes, assumed: Assumed) -> list[Found]:
    """Return what the file holds, told apart by its content, never by its name.

    Raises `TooLarge`, or `Unprocessable` when the file as a whole cannot be read.
    """
    if len(body) > limits.IMPORT_PACKED_BYTES:
        raise TooLarge(f"At most {limits.IMPORT_PACKED_BYTES} bytes are imported at once.")
    found: Iterator[Found]
    if archives.is_zip(body):
        found = archives.features(body, assumed)
    elif body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        found = geojson.features(body, assumed)
    elif b"<" in body[:8] or body.lstrip()[:1] == b"<":
        found = markup.features(body, assumed)
    else:
        raise Unprocessable(
            "Neither GeoJSON, KML, KMZ, GPX nor a zipped shapefile.", code="import-unreadable"
        )
    features = at_most_allowed(named(found))
    if not features:
        raise Unprocessable("The file holds no shapes.", code="import-unreadable")
    return features
