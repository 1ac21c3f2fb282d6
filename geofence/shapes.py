"""Shapes as drawn, and the judged areas.

A shape is a JSON object, longitude first:

    {"type": "polygon", "coordinates": [ring, …]}
    {"type": "multipolygon", "coordinates": [[ring, …], …]}
    {"type": "circle", "center": [lon, lat], "radius_m": r}
    {"type": "corridor", "coordinates": [[lon, lat], …], "width_m": w}

Edges are straight in longitude and latitude. A polygon whose neighbouring points are more
than 180° apart, or which goes beyond ±180, crosses the antimeridian and becomes two parts.
A wrong shape is refused with the place of the error; nothing is repaired silently.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from geofence import earth, limits
from geofence.shape_checks import (
    Ring,
    Shape,
    checked_kind,
    line_of,
    lonlat,
    number,
    polygons_of,
    refuse,
)

# Up to this size and latitude one scale for the whole polygon is right to half a per cent.
SMALL_DEG, STEEP_DEG = 0.2, 70.0


def area_of(shape: Any, limit: limits.SizeLimit = limits.DRAWN) -> MultiPolygon:
    """Return the valid area of a drawn shape of at most this size, within ±180 and ±90.

    Raises `Unprocessable` with JSON Pointers that start at the shape.
    """
    match checked_kind(shape):
        case "circle":
            area = _circle(shape)
        case "corridor":
            area = _corridor(shape, limit)
        case _:
            area = _polygons(polygons_of(shape, limit))
    _check_valid(area, "")
    return area


def dissolved(shape: Shape) -> Shape:
    """Return the multipolygon with parts joined that overlap or share an edge, if there are any.

    Each part must be valid alone; raises `Unprocessable` otherwise.
    """
    pieces = _pieces(polygons_of(shape, limits.OUTLINE))
    parts = earth.polygons_in(shapely.union_all(pieces))
    if len(parts) == len(pieces):
        return shape
    coordinates = [_rings_of(part) for part in parts]
    if len(parts) == 1:
        return {"type": "polygon", "coordinates": coordinates[0]}
    return {"type": "multipolygon", "coordinates": coordinates}


def _rings_of(part: Polygon) -> list[Any]:
    rings = [part.exterior, *part.interiors]
    return [shapely.get_coordinates(ring).tolist() for ring in rings]


def inradius_m(area: MultiPolygon, shape: Shape | None = None) -> float:
    """Return the radius of the largest circle inside the area, to about 2 %.

    For a circle or corridor it follows from the shape as drawn. A belt around the earth has no
    projection without overlaps; for it a quarter of the smaller side is returned.
    """
    if shape and shape["type"] == "circle":
        return float(shape["radius_m"])
    if shape and shape["type"] == "corridor":
        return float(shape["width_m"]) / 2.0
    return max(_inradius_m(part) for part in _joined_at_antimeridian(area))


def shape_of_geojson(geometry: Any) -> Shape:
    """Return the shape of a GeoJSON Polygon, MultiPolygon or Feature of one (RFC 7946).

    Altitudes are dropped. Raises `Unprocessable`; the area is still to be checked.
    """
    if geometry is None:
        refuse("geometry-invalid", "The geometry is null.")
    if not isinstance(geometry, dict) or "crs" in geometry:
        refuse("not-geojson", "Must be a GeoJSON object (RFC 7946), without `crs`.")
    if geometry.get("type") == "Feature":
        return shape_of_geojson(_without_feature(geometry.get("geometry")))
    depth = {"Polygon": 2, "MultiPolygon": 3}.get(str(geometry.get("type")))
    if depth is None:
        refuse("not-geojson", "The type must be Polygon or MultiPolygon.", "/type")
    if "coordinates" not in geometry:
        refuse("geometry-invalid", "The geometry has no coordinates.", "/coordinates")
    coordinates = _without_altitude(geometry["coordinates"], depth)
    return {"type": geometry["type"].lower(), "coordinates": coordinates}


def _without_feature(geometry: Any) -> Any:
    if isinstance(geometry, dict) and geometry.get("type") == "Feature":
        refuse("not-geojson", "A feature holds a geometry, not a feature.", "/geometry")
    return geometry


def _without_altitude(coordinates: Any, depth: int) -> Any:
    if not isinstance(coordinates, list | tuple):
        return coordinates
    if depth == 0:
        return coordinates[:2] if len(coordinates) == 3 else coordinates
    # A list beyond every limit is counted and refused later, and not copied before.
    if len(coordinates) > limits.SIMPLIFIABLE_POINTS:
        return coordinates
    return [_without_altitude(inner, depth - 1) for inner in coordinates]


def _circle(shape: Shape) -> MultiPolygon:
    center_deg = lonlat(shape["center"], "/center")
    return earth.circle(center_deg, number(shape["radius_m"], *limits.CIRCLE_RADIUS_M, "/radius_m"))


def _corridor(shape: Shape, limit: limits.SizeLimit) -> MultiPolygon:
    width_m = number(shape["width_m"], *limits.CORRIDOR_WIDTH_M, "/width_m")
    line_deg = line_of(shape, limit)
    if earth.line_length_m(line_deg) > limits.CORRIDOR_LENGTH_M:
        most_km = limits.CORRIDOR_LENGTH_M / 1000.0
        refuse("out-of-range", f"The line is longer than {most_km:g} km.", "/coordinates")
    return earth.corridor(line_deg, width_m)


def _polygons(parts: list[list[Ring]]) -> MultiPolygon:
    return MultiPolygon(_pieces(parts))


def _pieces(parts: list[list[Ring]]) -> list[Polygon]:
    """Return the valid parts, cut at the antimeridian."""
    pieces: list[Polygon] = []
    for index, rings in enumerate(parts):
        pointer = f"/coordinates/{index}" if len(parts) > 1 else "/coordinates"
        polygon = _unrolled_polygon(rings, pointer)
        _check_valid(polygon, pointer)
        pieces.extend(earth.cut_at_antimeridian(polygon))
    return pieces


def _unrolled_polygon(rings: list[Ring], pointer: str) -> Polygon:
    flat = [earth.unrolled(np.asarray(ring, dtype=np.float64)) for ring in rings]
    shell = flat[0]
    for index, ring in enumerate(flat):
        if ring[0, 0] != ring[-1, 0] or np.ptp(ring[:, 0]) > 360.0:
            refuse(
                "crosses-antimeridian",
                "The ring goes around the earth. Draw a polar area as a circle, or from "
                "-180 to 180 along its edge and back along the pole.",
                f"{pointer}/{index}",
            )
    return Polygon(shell, [_moved_into(shell, hole) for hole in flat[1:]])


def _moved_into(shell: earth.Lonlats, hole: earth.Lonlats) -> earth.Lonlats:
    """Return the hole, moved by whole turns into the longitudes of the shell."""
    west, east = shell[:, 0].min(), shell[:, 0].max()
    if hole[:, 0].min() < west:
        return earth.turned(hole, math.ceil((west - hole[:, 0].min()) / 360.0))
    if hole[:, 0].max() > east:
        return earth.turned(hole, -math.ceil((hole[:, 0].max() - east) / 360.0))
    return hole


def _check_valid(area: Polygon | MultiPolygon, pointer: str) -> None:
    reason = shapely.is_valid_reason(area)
    if reason != "Valid Geometry":
        refuse("geometry-invalid", _reason_and_place(reason), pointer)
    if area.is_empty or not area.area > 0.0:
        refuse("geometry-invalid", "The shape has no area.", pointer)


def _reason_and_place(reason: str) -> str:
    """Return the reason of GEOS, such as `Self-intersection[200.5 52]`, in a sentence."""
    cause, _, place = reason.partition("[")
    lon_deg, lat_deg = (float(part) for part in place.removesuffix("]").split())
    lon_deg = (lon_deg + 180.0) % 360.0 - 180.0
    return f"The shape is not valid: {cause} at longitude {lon_deg:.6g}, latitude {lat_deg:.6g}."


def _joined_at_antimeridian(area: MultiPolygon) -> list[Polygon]:
    """Return the parts; parts that meet at ±180 are joined, beyond 180 if necessary."""
    west, _, east, _ = area.bounds
    if west > -180.0 or east < 180.0 or len(area.geoms) == 1:
        return list(area.geoms)
    moved = [
        shapely.transform(part, lambda xy: earth.turned(xy, 1))
        if part.bounds[0] == -180.0
        else part
        for part in area.geoms
    ]
    return earth.polygons_in(shapely.union_all(moved))


def _inradius_m(part: Polygon) -> float:
    west, south, east, north = part.bounds
    if max(east - west, north - south) <= SMALL_DEG and max(-south, north) <= STEEP_DEG:
        return _inscribed_m(earth.scaled(part, (south + north) / 2.0))
    is_cap = east - west >= 360.0 and 90.0 in (north, -south)
    middle_deg = math.copysign(90.0, north + south) if is_cap else (south + north) / 2.0
    metres = earth.local_metres(((west + east) / 2.0 + 180.0) % 360.0 - 180.0, middle_deg)
    flat = earth.projected(shapely.segmentize(part, 1.0), metres)
    if is_cap:
        flat = shapely.buffer(flat, 0.01)  # closes the slit along the antimeridian
    width_m = math.radians(east - west) * math.cos(math.radians(middle_deg))
    across_m = min(width_m, math.radians(north - south)) * earth.EARTH_RADIUS_M
    return _inscribed_m(flat) or across_m / 4.0


def _inscribed_m(flat: Any) -> float:
    """Return the radius in metres, or 0 if the projection made the polygon invalid."""
    if not np.isfinite(shapely.get_coordinates(flat)).all() or not shapely.is_valid(flat):
        return 0.0
    thickness_m = flat.area / flat.length
    extent_m = max(flat.bounds[2] - flat.bounds[0], flat.bounds[3] - flat.bounds[1])
    tolerance_m = max(thickness_m / 25.0, extent_m / 20_000.0)
    return float(shapely.length(shapely.maximum_inscribed_circle(flat, tolerance=tolerance_m)))
