"""Features of our own export: the shape as drawn, the colour and the judging options.

Other programs keep these members as they are, also where a person moves the outline. So the
outline counts, and the shape as drawn only where the outline still shows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray

from core.errors import Unprocessable
from geofence import limits
from geofence.imports.found_shapes import FoundShape
from geofence.presets import Judging
from geofence.shape_checks import MEMBERS, Shape, polygons_of
from geofence.shapes import area_of

OPTIONS = tuple(Judging.__annotations__)
OWN_NAMES = ("shape", "colour", "asset_names", "valid_to", *OPTIONS)
# One of them says that a feature is ours; other programs write tags and colours, too.
MARKS = ("shape", *(name for name in OPTIONS if name != "tags"))
# Programs write six or seven decimals of a degree: the last of six is 0.1 m.
ROUNDING_DEG = 1e-6


def own_members(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of our export among the properties of a feature, or nothing.

    Formats without nested values hold them as JSON text.
    """
    if not any(properties.get(name) is not None for name in MARKS):
        return {}
    return {
        name: properties[name] if name == "colour" else _without_text(properties[name])
        for name in OWN_NAMES
        if name in properties
    }


def _without_text(value: Any) -> Any:
    if not isinstance(value, str) or len(value) > limits.IMPORT_PACKED_BYTES:
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def as_drawn(found: FoundShape) -> FoundShape:
    """Return the feature with its shape as drawn, if the geometry still shows that shape."""
    drawn = found.own.get("shape")
    if not isinstance(drawn, dict) or found.shape is None or drawn.get("type") not in MEMBERS:
        return found
    try:
        area = area_of(drawn)
    except Unprocessable as error:
        detail = f"Its member `shape` is left out: {error.detail} The geometry counts."
        return found.with_note("shape-left-out", detail)
    if _shows(found.shape, area):
        return msgspec.structs.replace(found, shape=drawn)
    detail = (
        f"The geometry is not what its member `shape` draws, a {drawn['type']}. The geometry "
        "counts, and `shape` is left out."
    )
    return found.with_note("shape-left-out", detail)


def _shows(shape: Shape, area: shapely.MultiPolygon) -> bool:
    """Return whether the rings of a polygon lie on the edge of the area, and its edge on them."""
    if shape["type"] not in ("polygon", "multipolygon"):
        return False
    try:
        parts = polygons_of(shape, limits.OUTLINE)
    except Unprocessable:
        return False
    rings = [ring for part in parts for ring in part]
    west, south, east, north = area.bounds
    tolerance_deg = min(ROUNDING_DEG, min(east - west, north - south) / 100.0)
    edge = _rings_of(area)
    return _lie_on(rings, edge, tolerance_deg) and _lie_on(edge, rings, tolerance_deg)


def _lie_on(rings: list[Any], others: list[Any], tolerance_deg: float) -> bool:
    lines = shapely.multilinestrings([shapely.linestrings(other) for other in others])
    shapely.prepare(lines)
    points: Any = shapely.points(_samples(rings))
    return bool(shapely.dwithin(lines, points, tolerance_deg).all())


def _samples(rings: list[Any]) -> NDArray[np.float64]:
    """Return the corners and the middles of the edges."""
    corners = [np.asarray(ring, dtype=np.float64) for ring in rings]
    middles = [(ring[1:] + ring[:-1]) / 2.0 for ring in corners]
    return np.concatenate([*corners, *middles])


def _rings_of(area: shapely.MultiPolygon) -> list[Any]:
    return [shapely.get_coordinates(ring) for ring in shapely.get_rings(shapely.get_parts(area))]
