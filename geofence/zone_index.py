"""The zones of an organisation in memory, ready to judge many fixes at once.

An index is an immutable copy at some revision: it is rebuilt whole and swapped in one
assignment. Containment is exact on edges straight in longitude and latitude, as in
PostGIS; a point on the edge is inside. Distances to the edge, needed only when a fix
has an accuracy, are metres in the local scale of the fix.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
import shapely
from msgspec import Struct
from numpy.typing import NDArray

from geofence import segments
from geofence.distance import ShapeEdge, degrees_of
from geofence.zone import Zone

OUTSIDE, UNSURE, INSIDE = -1, 0, 1
# Preparing an outline with fewer points is no faster, and doubles its memory.
WORTH_PREPARING_POINTS = 100
# Times of crossings, some 300 bytes each.
MAX_REMEMBERED = 2_000

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


class FixColumns(Struct, frozen=True):
    """Fixes to be judged, as columns of length n: degrees, µs since 1970, metres.

    `accuracy_m` is 0 where unknown, `altitude_m` NaN where unknown.
    """

    lonlat_deg: Floats
    at_us: NDArray[np.int64]
    accuracy_m: Floats
    altitude_m: Floats


class LocatedFix(Protocol):
    """The parts of a fix that containment needs."""

    @property
    def at_us(self) -> int: ...
    @property
    def lon_deg(self) -> float: ...
    @property
    def lat_deg(self) -> float: ...
    @property
    def lonlat_deg(self) -> tuple[float, float]: ...
    @property
    def accuracy_m(self) -> float: ...
    @property
    def altitude_m(self) -> float | None: ...


def columns_of(fixes: Sequence[LocatedFix]) -> FixColumns:
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


class Contact(Struct, frozen=True, gc=False):
    """A fix that is not surely outside a zone: `side` is INSIDE or UNSURE."""

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
        self._bounds = shapely.bounds(self._areas).reshape(-1, 4)
        # Made when first needed, since most zones never meet a fix close to their edge.
        self._outlines = np.full(len(self.zones), None, dtype=object)
        self._edges: dict[int, ShapeEdge] = {}
        self._crossing_times: dict[tuple[int, LocatedFix, LocatedFix, bool], int | None] = {}
        self._valid_from = np.array([zone.valid_from_us for zone in self.zones], dtype=np.int64)
        self._valid_to = np.array([zone.valid_to_us for zone in self.zones], dtype=np.int64)
        self._caps_m = np.array([zone.accuracy_cap_m for zone in self.zones], dtype=np.float64)
        self._number = {zone.version_id: number for number, zone in enumerate(self.zones)}
        self._versions: dict[int, list[Zone]] = {}
        for zone in self.zones:
            self._versions.setdefault(zone.geofence_id, []).append(zone)
        self.uses_tags = any(zone.tags for zone in self.zones)
        self.accuracy_limits_m = sorted(
            {zone.max_accuracy_m for zone in self.zones if zone.max_accuracy_m < math.inf}
        )
        passable = [number for number, zone in enumerate(self.zones) if zone.judges_pass_through]
        self._passable = [self.zones[number] for number in passable]
        self._passable_tree = shapely.STRtree(self._areas[passable])
        # The longest gap over which any zone judges passing through.
        self.max_gap_us = max((zone.max_gap_us for zone in self._passable), default=-1)

    def crossing_time_us(
        self, zone: Zone, start: LocatedFix, end: LocatedFix, *, is_entry: bool
    ) -> int | None:
        """Return `segments.crossing_time_us`, remembered: a late dump judges crossings again."""
        key = zone.version_id, start, end, is_entry
        # Another thread may clear the dict at any moment.
        known = self._crossing_times.get(key)
        if known is None:
            known = segments.crossing_time_us(start, end, zone, is_entry=is_entry)
            if len(self._crossing_times) >= MAX_REMEMBERED:
                self._crossing_times.clear()
            self._crossing_times[key] = known
        return known

    def zone_at(self, geofence_id: int, at_us: int) -> Zone | None:
        """Return the version of a geofence that holds at `at_us`, if any."""
        for zone in self._versions.get(geofence_id, ()):
            if zone.valid_from_us <= at_us < zone.valid_to_us:
                return zone
        return None

    def contacts(self, fixes: FixColumns) -> list[list[Contact]]:
        """Return, for each fix, its contacts with the zones that hold at its time."""
        met: list[list[Contact]] = [[] for _ in range(len(fixes.at_us))]
        rows, zones = self._near(fixes)
        if not len(rows):
            return met
        lonlat, accuracy_m = fixes.lonlat_deg[rows], fixes.accuracy_m[rows]
        columns = (
            rows.tolist(),
            zones.tolist(),
            lonlat.tolist(),
            accuracy_m.tolist(),
            fixes.altitude_m[rows].tolist(),
            self._hold(zones, lonlat).tolist(),
            self._may_be_unsure(zones, lonlat, accuracy_m).tolist(),
        )
        for row, number, place, accuracy, altitude, is_inside, is_close in zip(
            *columns, strict=True
        ):
            side = self._side(
                number, place, accuracy, altitude, is_inside=is_inside, is_close=is_close
            )
            if side != OUTSIDE:
                met[row].append(Contact(self.zones[number], side))
        return met

    def side_of(self, zone: Zone, fix: LocatedFix) -> int:
        """Return the side of the fix at a zone of this index, whenever the zone holds."""
        is_inside = bool(shapely.intersects_xy(zone.area, *fix.lonlat_deg))
        altitude_m = math.nan if fix.altitude_m is None else fix.altitude_m
        number = self._number[zone.version_id]
        return self._side(
            number, fix.lonlat_deg, fix.accuracy_m, altitude_m, is_inside=is_inside, is_close=True
        )

    def passed(self, start: Sequence[float], end: Sequence[float]) -> list[Zone]:
        """Return the zones that judge passing through and touch the segment (lon, lat pairs)."""
        _, hits = self._passable_tree.query(segment(start, end), predicate="intersects")
        return [self._passable[number] for number in sorted(set(hits.tolist()))]

    def _hold(self, zones: Rows, lonlat_deg: Floats) -> NDArray[np.bool_]:
        # "intersects", not "within": a point on the edge counts as inside. The prepared areas are
        # asked, since the tree itself would prepare the points instead.
        return np.asarray(
            shapely.intersects_xy(self._areas[zones], lonlat_deg[:, 0], lonlat_deg[:, 1])
        )

    def _may_be_unsure(
        self, zones: Rows, lonlat_deg: Floats, accuracy_m: Floats
    ) -> NDArray[np.bool_]:
        """Return whether the outline may be close; a quick test in degrees that errs on true."""
        radius_m = np.minimum(accuracy_m, self._caps_m[zones])
        lon, lat = lonlat_deg.T
        reach: Any = np.maximum(*degrees_of(radius_m, lat))
        # Across the antimeridian the outline seems far away.
        close: NDArray[np.bool_] = (radius_m > 0) & (np.abs(lon) + reach >= 180.0)
        asked = np.flatnonzero((radius_m > 0) & ~close)
        if len(asked):
            points: Any = shapely.points(lonlat_deg[asked])
            close[asked] = shapely.dwithin(self._outlines_of(zones[asked]), points, reach[asked])
        return close

    def _outlines_of(self, zones: Rows) -> Any:
        outlines = self._outlines[zones]
        missing = np.unique(zones[outlines == None])  # noqa: E711
        if len(missing):
            made: Any = shapely.boundary(self._areas[missing])
            shapely.prepare(made[shapely.get_num_coordinates(made) >= WORTH_PREPARING_POINTS])
            self._outlines[missing] = made
            outlines = self._outlines[zones]
        return outlines

    def _near(self, fixes: FixColumns) -> tuple[Rows, Rows]:
        """Return (fix, zone) pairs, in order, whose box the fix with its accuracy may touch."""
        if fixes.accuracy_m.any():
            rows, zones = self._within_reach(fixes)
        else:
            rows, zones = self._tree.query(shapely.points(fixes.lonlat_deg))
        if not len(rows):
            return rows, zones
        at_us = fixes.at_us[rows]
        holds = (self._valid_from[zones] <= at_us) & (at_us < self._valid_to[zones])
        # A number for each pair: sorted, and without repeats from across the antimeridian.
        pairs = np.unique(rows[holds] * len(self.zones) + zones[holds])
        return np.divmod(pairs, len(self.zones))

    def _within_reach(self, fixes: FixColumns) -> tuple[Rows, Rows]:
        lon, lat = fixes.lonlat_deg.T
        reach = degrees_of(fixes.accuracy_m, lat)
        found = [self._reached(fixes, reach, 0.0)]
        # A box that crosses the antimeridian is also looked up on the other side.
        if (np.abs(lon) + reach[0]).max() > 180.0:
            found += [self._reached(fixes, reach, 360.0), self._reached(fixes, reach, -360.0)]
        return np.concatenate([f for f, _ in found]), np.concatenate([z for _, z in found])

    def _reached(
        self, fixes: FixColumns, reach: tuple[Floats, Floats], shift_deg: float
    ) -> tuple[Rows, Rows]:
        lon, lat = fixes.lonlat_deg.T
        boxes: Any = shapely.box(*_bounds(lon + shift_deg, lat, reach))
        rows, zones = self._tree.query(boxes)
        if not len(rows):
            return rows, zones
        # After the cap of the zone, a coarse fix may be too far from a small zone.
        radius_m = np.minimum(fixes.accuracy_m[rows], self._caps_m[zones])
        counted = degrees_of(radius_m, lat[rows])
        west, south, east, north = _bounds(lon[rows] + shift_deg, lat[rows], counted)
        bounds = self._bounds[zones].T
        touches = (
            (west <= bounds[2]) & (east >= bounds[0]) & (south <= bounds[3]) & (north >= bounds[1])
        )
        return rows[touches], zones[touches]

    def _side(
        self,
        number: int,
        lonlat_deg: Sequence[float],
        accuracy_m: float,
        altitude_m: float,
        *,
        is_inside: bool,
        is_close: bool,
    ) -> int:
        zone = self.zones[number]
        if accuracy_m > zone.max_accuracy_m:
            return UNSURE
        # Written so that an unknown altitude (NaN) is in every band.
        if altitude_m < zone.floor_m or altitude_m > zone.ceiling_m:
            return OUTSIDE
        radius_m = min(accuracy_m, zone.accuracy_cap_m)
        lon_deg, lat_deg = lonlat_deg
        if is_close and self._edge(number).is_nearer(lon_deg, lat_deg, radius_m):
            return UNSURE
        return INSIDE if is_inside else OUTSIDE

    def _edge(self, number: int) -> ShapeEdge:
        edge = self._edges.get(number)
        if edge is None:
            edge = self._edges[number] = ShapeEdge(self.zones[number].area)
        return edge


def _bounds(
    lon: Floats, lat: Floats, reach: tuple[Floats, Floats]
) -> tuple[Floats, Floats, Floats, Floats]:
    return lon - reach[0], lat - reach[1], lon + reach[0], lat + reach[1]


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
