"""The zones of one organisation in memory, ready to judge many fixes at once.

An index is an immutable copy at some revision: it is rebuilt whole and swapped in one
assignment. Containment is exact on edges straight in longitude and latitude, as in
PostGIS; a point on the edge is inside. Distances to the edge, needed only when a fix
has an accuracy, are metres in the local scale of the fix.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
import shapely
from msgspec import Struct
from numpy.typing import NDArray

from geofence.distance import ShapeEdge, degrees_of
from geofence.zone import Zone

OUTSIDE, UNSURE, INSIDE = -1, 0, 1

Floats = NDArray[np.float64]


class FixColumns(Struct, frozen=True):
    """Fixes to be judged, as columns of length n: degrees, µs since 1970, metres.

    `accuracy_m` is 0 where unknown, `altitude_m` NaN where unknown.
    """

    lonlat_deg: Floats
    at_us: NDArray[np.int64]
    accuracy_m: Floats
    altitude_m: Floats


class Judged(Protocol):
    """A fix as far as containment needs it."""

    @property
    def at_us(self) -> int: ...
    @property
    def lonlat_deg(self) -> tuple[float, float]: ...
    @property
    def accuracy_m(self) -> float: ...
    @property
    def altitude_m(self) -> float | None: ...


def columns_of(fixes: Sequence[Judged]) -> FixColumns:
    """Return the fixes as columns, in their order."""
    return FixColumns(
        np.array([fix.lonlat_deg for fix in fixes], dtype=np.float64).reshape(-1, 2),
        np.array([fix.at_us for fix in fixes], dtype=np.int64),
        np.array([fix.accuracy_m for fix in fixes], dtype=np.float64),
        np.array(
            [math.nan if fix.altitude_m is None else fix.altitude_m for fix in fixes],
            dtype=np.float64,
        ),
    )


class Contact(Struct, frozen=True):
    """A fix that is not plainly outside a zone: `side` is INSIDE, UNSURE, or OUTSIDE but close."""

    zone: Zone
    side: int


class ZoneIndex:
    """Zones, of which several may be versions of one geofence."""

    def __init__(self, zones: Iterable[Zone], *, revision: int = 0) -> None:
        self.revision = revision
        self.zones = tuple(sorted(zones, key=lambda zone: (zone.geofence_id, zone.valid_from_us)))
        self._areas = np.array([zone.area for zone in self.zones], dtype=object)
        self._tree = shapely.STRtree(self._areas)
        shapely.prepare(self._areas)
        self._edges: dict[int, ShapeEdge] = {}
        self._valid_from = np.array([zone.valid_from_us for zone in self.zones], dtype=np.int64)
        self._valid_to = np.array([zone.valid_to_us for zone in self.zones], dtype=np.int64)
        self._number = {zone.version_id: number for number, zone in enumerate(self.zones)}
        self._versions: dict[int, list[Zone]] = {}
        for zone in self.zones:
            self._versions.setdefault(zone.geofence_id, []).append(zone)
        self.accuracy_limits_m = sorted(
            {zone.max_accuracy_m for zone in self.zones if zone.max_accuracy_m < math.inf}
        )
        passable = [number for number, zone in enumerate(self.zones) if zone.judges_pass_through]
        self._passable = [self.zones[number] for number in passable]
        self._passable_tree = shapely.STRtree(self._areas[passable]) if passable else None

    def zone_at(self, geofence_id: int, at_us: int) -> Zone | None:
        """Return the version of a geofence that holds at `at_us`, if any."""
        for zone in self._versions.get(geofence_id, ()):
            if zone.valid_from_us <= at_us < zone.valid_to_us:
                return zone
        return None

    def has_geofence(self, geofence_id: int) -> bool:
        return geofence_id in self._versions

    def zones_at_each(self, lonlat_deg: Floats) -> list[frozenset[int]]:
        """Return, for each point, the ids of the geofences that hold it, whenever valid.

        `lonlat_deg` has shape (n, 2): longitude, latitude. The answer has n entries in the
        same order. Raises ValueError for any other shape.
        """
        if lonlat_deg.ndim != 2 or lonlat_deg.shape[1] != 2:
            raise ValueError(f"expected shape (n, 2), got {lonlat_deg.shape}")
        # "intersects", not "within": a point on the edge counts as inside.
        points, zones = self._tree.query(shapely.points(lonlat_deg), predicate="intersects")
        held: list[set[int]] = [set() for _ in range(len(lonlat_deg))]
        for point, zone in zip(points.tolist(), zones.tolist(), strict=True):
            held[point].add(self.zones[zone].geofence_id)
        return [frozenset(ids) for ids in held]

    def contacts(self, fixes: FixColumns) -> list[list[Contact]]:
        """Return, for each fix, the zones valid at its time that it is not plainly outside."""
        met: list[list[Contact]] = [[] for _ in range(len(fixes.at_us))]
        for number, zone_number, is_inside in self._near(fixes):
            side = self._side(fixes, number, zone_number, is_inside=is_inside)
            met[number].append(Contact(self.zones[zone_number], side))
        return met

    def side_of(self, zone: Zone, fixes: FixColumns, number: int) -> int:
        """Return on which side of `zone` the fix of that row is."""
        lon, lat = fixes.lonlat_deg[number]
        return self._side(
            fixes,
            number,
            self._number[zone.version_id],
            is_inside=bool(shapely.intersects_xy(zone.area, lon, lat)),
        )

    def passed(self, start: Sequence[float], end: Sequence[float]) -> list[Zone]:
        """Return the zones that judge passing through and touch the segment (lon, lat pairs)."""
        if self._passable_tree is None:
            return []
        hits = self._passable_tree.query(segment(start, end), predicate="intersects")
        return [self._passable[number] for number in sorted(set(hits.ravel().tolist()))]

    @property
    def judges_pass_through(self) -> bool:
        return self._passable_tree is not None

    def _near(self, fixes: FixColumns) -> list[tuple[int, int, bool]]:
        """Return (fix, zone, is inside) for zones within the accuracy of the fix, in order."""
        exact, coarse = self._inside(fixes), np.flatnonzero(fixes.accuracy_m > 0)
        near = dict.fromkeys(zip(*exact, strict=True), True)
        for fix, zone in self._within_reach(fixes, coarse):
            near.setdefault((fix, zone), False)
        return [
            (fix, zone, is_inside)
            for (fix, zone), is_inside in sorted(near.items())
            if self._valid_from[zone] <= fixes.at_us[fix] < self._valid_to[zone]
        ]

    def _inside(self, fixes: FixColumns) -> tuple[list[int], list[int]]:
        points, zones = self._tree.query(shapely.points(fixes.lonlat_deg), predicate="intersects")
        return points.tolist(), zones.tolist()

    def _within_reach(self, fixes: FixColumns, rows: NDArray[np.int64]) -> list[tuple[int, int]]:
        """Return (fix, zone) pairs whose boxes come within the accuracy of the fix."""
        if not len(rows) or not self.zones:
            return []
        lon, lat = fixes.lonlat_deg[rows].T
        reach_lon, reach_lat = degrees_of(fixes.accuracy_m[rows], lat)
        pairs: list[tuple[int, int]] = []
        # A box that sticks out over the antimeridian also looks in on the other side.
        for shift in (0.0, 360.0, -360.0):
            west, east = lon + shift - reach_lon, lon + shift + reach_lon
            seen = np.flatnonzero((east >= -180.0) & (west <= 180.0))
            if len(seen):
                boxes = shapely.box(
                    west[seen], (lat - reach_lat)[seen], east[seen], (lat + reach_lat)[seen]
                )
                found, zones = self._tree.query(boxes)
                pairs += zip(rows[seen[found]].tolist(), zones.tolist(), strict=True)
        return pairs

    def _side(self, fixes: FixColumns, number: int, zone_number: int, *, is_inside: bool) -> int:
        zone = self.zones[zone_number]
        accuracy_m, altitude_m = fixes.accuracy_m[number], fixes.altitude_m[number]
        if accuracy_m > zone.max_accuracy_m:
            return UNSURE
        # Written so that an unknown altitude (NaN) is in every band.
        if altitude_m < zone.floor_m or altitude_m > zone.ceiling_m:
            return OUTSIDE
        radius_m = min(accuracy_m, zone.accuracy_cap_m)
        if radius_m > 0 and self._is_near_edge(zone_number, fixes, number, radius_m):
            return UNSURE
        return INSIDE if is_inside else OUTSIDE

    def _is_near_edge(
        self, zone_number: int, fixes: FixColumns, number: int, radius_m: float
    ) -> bool:
        lon, lat = fixes.lonlat_deg[number].tolist()
        return self._edge(zone_number).is_nearer(lon, lat, radius_m)

    def _edge(self, zone_number: int) -> ShapeEdge:
        # Most zones never meet a fix close to their edge: prepared when first needed.
        edge = self._edges.get(zone_number)
        if edge is None:
            edge = self._edges[zone_number] = ShapeEdge(self.zones[zone_number].area)
        return edge


def segment(start: Sequence[float], end: Sequence[float]) -> NDArray[np.object_]:
    """Return the straight way between two fixes as lines, split where it crosses 180°."""
    (lon, lat), (end_lon, end_lat) = start[:2], end[:2]
    if abs(end_lon - lon) <= 180.0:
        return np.array([shapely.LineString([(lon, lat), (end_lon, end_lat)])])
    turn = 360.0 if end_lon < lon else -360.0
    return np.array(
        [
            shapely.LineString([(lon, lat), (end_lon + turn, end_lat)]),
            shapely.LineString([(lon - turn, lat), (end_lon, end_lat)]),
        ]
    )
