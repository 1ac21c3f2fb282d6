"""From rings on the round earth to polygons on the flat plane of longitude and latitude.

The plane ends at ±180 and ±90. Rings are first unrolled, so that neighbours in the ring
are neighbours in longitude, even beyond ±180; parts that stick out are then cut off and moved
to the other side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod, Transformer
from shapely import MultiPolygon, Polygon

from geofence import limits

EARTH_RADIUS_M = 6_371_008.8
WGS84 = Geod(ellps="WGS84")
PIECE_M = 100_000.0

Lonlats = NDArray[np.float64]


def unrolled(ring_deg: Lonlats) -> Lonlats:
    """Return the ring with each longitude the nearest one to its predecessor's.

    Steps of exactly ±360 stay: they run along a parallel around the whole earth, as in a
    box from -180 to 180, and cannot mean "stay where you are".
    """
    steps = np.diff(ring_deg[:, 0])
    turns = np.where(np.abs(steps) < 360.0, -360.0 * np.round(steps / 360.0), 0.0)
    # numpy rounds half to even; exactly 180 is left as drawn.
    unrolled_deg = ring_deg.copy()
    unrolled_deg[1:, 0] += np.cumsum(turns)
    return unrolled_deg


def cut_at_antimeridian(polygon: Polygon) -> list[Polygon]:
    """Return the parts of an unrolled polygon, each within -180 to 180."""
    west, _, east, _ = polygon.bounds
    if west >= -180.0 and east <= 180.0:
        return [polygon]
    parts: list[Polygon] = []
    for turn in range(math.floor((west + 180.0) / 360.0), math.ceil((east + 180.0) / 360.0)):
        window = shapely.box(-180.0 + 360.0 * turn, -90.0, 180.0 + 360.0 * turn, 90.0)
        inside = shapely.intersection(polygon, window)
        parts.extend(polygons_in(shapely.transform(inside, partial(turned, turns=-turn))))
    return polygons_in(shapely.union_all(parts))


def turned(lonlat_deg: Lonlats, turns: int) -> Lonlats:
    """Return the points moved by whole turns around the earth, eastward where positive."""
    moved: Lonlats = lonlat_deg + np.array([360.0 * turns, 0.0])
    return moved


def polygons_in(geometry: shapely.Geometry) -> list[Polygon]:
    """Return the polygons of any geometry; lines and points have no area and are left out."""
    return [part for part in shapely.get_parts(geometry).tolist() if isinstance(part, Polygon)]


def circle(center_deg: tuple[float, float], radius_m: float) -> MultiPolygon:
    """Return the geodesic circle with its vertices on the true circle."""
    azimuths = np.linspace(0.0, 360.0, circle_vertices(radius_m), endpoint=False)[::-1]
    lon_deg, lat_deg, _ = WGS84.fwd(
        np.full_like(azimuths, _in_turn(center_deg[0])),
        np.full_like(azimuths, center_deg[1]),
        azimuths,
        np.full_like(azimuths, radius_m),
    )
    return MultiPolygon(_flattened(_closed(np.column_stack([lon_deg, lat_deg]))))


def circle_vertices(radius_m: float) -> int:
    """Return the number of vertices that keeps chords within 0.5 m and 0.1 % of the radius."""
    sagitta_m = min(0.5, 0.001 * radius_m)
    return min(limits.CIRCLE_VERTICES, math.ceil(math.pi / math.acos(1.0 - sagitta_m / radius_m)))


def corridor(line_deg: Sequence[tuple[float, float]], width_m: float) -> MultiPolygon:
    """Return the land within half the width of a line that is straight in lon/lat.

    Its outline is true to 1 m or 1 % of the width, whichever is less.
    """
    line = unrolled(np.asarray(line_deg, dtype=np.float64))
    tolerance_m = min(1.0, width_m / 100.0) / 2.0
    parts: list[Polygon] = []
    for piece in _pieces(_densified(line, tolerance_m)):
        parts.extend(_buffered(piece, width_m / 2.0, tolerance_m))
    area = shapely.union_all(parts)
    slim = shapely.simplify(area, tolerance_m / 111_320.0, preserve_topology=True)
    return MultiPolygon(polygons_in(slim if shapely.is_valid(slim) else area))


def line_length_m(line_deg: Sequence[tuple[float, float]]) -> float:
    """Return the length of the line, by the sphere; good to half a per cent."""
    return float(_steps_m(unrolled(np.asarray(line_deg, dtype=np.float64))).sum())


def local_metres(lon_deg: float, lat_deg: float) -> Transformer:
    """Return the projection to metres around a point, true in distance from it."""
    local = f"+proj=aeqd +lon_0={lon_deg!r} +lat_0={lat_deg!r} +datum=WGS84 +units=m"
    return Transformer.from_crs("EPSG:4326", local, always_xy=True)


def projected(geometry: shapely.Geometry, transformer: Transformer) -> shapely.Geometry:
    def to_metres(lonlat_deg: Lonlats) -> Lonlats:
        return np.column_stack(transformer.transform(lonlat_deg[:, 0], lonlat_deg[:, 1]))

    return shapely.transform(geometry, to_metres)


def scaled(geometry: shapely.Geometry, lat_deg: float) -> shapely.Geometry:
    """Return a small geometry in metres, by the scale at a latitude."""
    _, _, north_m = WGS84.inv(0.0, lat_deg - 0.5, 0.0, lat_deg + 0.5)
    _, _, east_m = WGS84.inv(-0.005, lat_deg, 0.005, lat_deg)
    scale = np.array([100.0 * east_m, north_m])
    return shapely.transform(geometry, lambda lonlat_deg: lonlat_deg * scale)


def _in_turn(lon_deg: float) -> float:
    return (lon_deg + 180.0) % 360.0 - 180.0


def _closed(ring_deg: Lonlats) -> Lonlats:
    return np.vstack([ring_deg, ring_deg[:1]])


def _flattened(ring_deg: Lonlats) -> list[Polygon]:
    """Return the polygons that a ring on the globe encloses, with the pole if it holds one."""
    flat = unrolled(ring_deg)
    turn_deg = flat[-1, 0] - flat[0, 0]
    if abs(turn_deg) > 180.0:
        pole_deg = math.copysign(90.0, float(flat[:, 1].mean()))
        flat = np.vstack([flat, [[flat[-1, 0], pole_deg], [flat[0, 0], pole_deg]], flat[:1]])
    polygon = Polygon(flat)
    if not shapely.is_valid(polygon):
        # Only where the outline runs through the pole itself, to within rounding.
        polygon = shapely.buffer(polygon, 0.0)
    return [part for whole in polygons_in(polygon) for part in cut_at_antimeridian(whole)]


def _steps_m(line_deg: Lonlats) -> NDArray[np.float64]:
    line = np.radians(line_deg)
    step = np.diff(line, axis=0)
    step[:, 0] *= np.cos((line[:-1, 1] + line[1:, 1]) / 2.0)
    return np.hypot(step[:, 0], step[:, 1]) * EARTH_RADIUS_M


def _densified(line_deg: Lonlats, tolerance_m: float) -> Lonlats:
    """Return the line with points so close that geodesics between them stay on it."""
    points: list[Lonlats] = []
    ends = zip(line_deg[:-1], line_deg[1:], _steps_m(line_deg), strict=True)
    for start, end, length_m in ends:
        step_m = _straight_m(max(abs(start[1]), abs(end[1])), tolerance_m)
        count = max(1, math.ceil(length_m / step_m))
        points.append(np.linspace(start, end, count, endpoint=False))
    return np.vstack([*points, line_deg[-1:]])


def _straight_m(lat_deg: float, tolerance_m: float) -> float:
    """Return the length of a step at which lon/lat and geodesic differ by the tolerance.

    Not under 200 m: such steps differ by millimetres, except within 10 km of a pole.
    """
    bend = math.tan(math.radians(min(lat_deg, 89.999)))
    step_m = math.sqrt(8.0 * EARTH_RADIUS_M * tolerance_m / max(bend, 0.01))
    return min(max(step_m, 200.0), PIECE_M / 4.0)


def _pieces(line_deg: Lonlats) -> Iterator[Lonlats]:
    """Cut the line into pieces so short that a projection around their middles is exact."""
    first, length_m = 0, 0.0
    for index, step_m in enumerate(_steps_m(line_deg), start=1):
        length_m += step_m
        if length_m >= PIECE_M or index == len(line_deg) - 1:
            yield line_deg[first : index + 1]
            first, length_m = index, 0.0


def _buffered(line_deg: Lonlats, half_m: float, tolerance_m: float) -> list[Polygon]:
    middle = line_deg[len(line_deg) // 2]
    metres = local_metres(_in_turn(float(middle[0])), float(middle[1]))
    line = projected(shapely.LineString(line_deg), metres)
    quarter = math.ceil(math.pi / math.acos(1.0 - tolerance_m / half_m) / 4.0)
    outline = shapely.buffer(line, half_m, quad_segs=quarter)
    top_deg = float(np.abs(line_deg[:, 1]).max()) + math.degrees(half_m / EARTH_RADIUS_M)
    outline = shapely.segmentize(outline, _straight_m(top_deg, tolerance_m))
    parts: list[Polygon] = []
    for polygon in polygons_in(outline):
        holes = [part for ring in polygon.interiors for part in _on_globe(ring, metres)]
        shell = shapely.union_all(_on_globe(polygon.exterior, metres))
        parts.extend(polygons_in(shapely.difference(shell, shapely.union_all(holes))))
    return parts


def _on_globe(ring: shapely.LinearRing, metres: Transformer) -> list[Polygon]:
    x_m, y_m = shapely.get_coordinates(ring).T
    lon_deg, lat_deg = metres.transform(x_m, y_m, direction="INVERSE")
    return _flattened(np.column_stack([lon_deg, lat_deg]))
