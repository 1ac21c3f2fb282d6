"""Law 4: the index that judges, PostGIS and plain arithmetic agree on every point and shape."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from geofence.distance import ShapeEdge
from geofence.shapes import area_of
from geofence.zone_index import FixColumns, ZoneIndex
from tests.geofence.shapes import box_ring, round_ring
from tests.geofence.test_agreement import Pairs, by_postgis, random_shapes
from tests.geofence.walks import zone

pytestmark = [pytest.mark.django_db, pytest.mark.law(4), pytest.mark.fault("F-068")]

CM = 0.01
Lonlats = NDArray[np.float64]


def many_rings(dice: random.Random) -> dict[str, Any]:
    """Return a multipolygon of several parts with holes, some over the antimeridian."""
    west = dice.choice((-2.0, 0.5, 177.5, 178.5))
    parts = []
    for column in range(dice.randint(2, 6)):
        middle = (west + column * 0.6, dice.uniform(-2, 2))
        parts.append(
            [
                round_ring(middle, 0.25, dice.randint(10, 80)),
                round_ring((middle[0] - 0.08, middle[1]), 0.06, 12),
                box_ring(middle[0] + 0.05, middle[1] - 0.05, middle[0] + 0.15, middle[1] + 0.05),
            ]
        )
    return {"type": "multipolygon", "coordinates": parts}


def shapes(count: int) -> Iterator[dict[str, Any]]:
    dice = random.Random(4)
    drawn = random_shapes(dice)
    for number in range(count):
        yield many_rings(dice) if number % 4 == 3 else next(drawn)


def fixes_near(areas: list[shapely.MultiPolygon], count: int) -> Lonlats:
    """Return fixes anywhere among the areas, and as many within metres of their edges."""
    dice = np.random.default_rng(4)
    lon = np.where(
        dice.random(count) < 0.5, dice.uniform(-4, 4, count), dice.uniform(176, 184, count)
    )
    anywhere = np.column_stack([lon, dice.uniform(-4, 4, count)])
    corners = shapely.get_coordinates(areas)
    starts = dice.integers(0, len(corners) - 1, count)
    along = dice.random((count, 1))
    on_edge = corners[starts] + along * (corners[starts + 1] - corners[starts])
    off_m = dice.choice([0.0, 0.02, 0.5, 30.0], (count, 1)) * dice.normal(size=(count, 2))
    near = on_edge + off_m / 111_195.0
    fifth = count // 5
    polar_lat = dice.choice([-1.0, 1.0], fifth) * dice.uniform(87, 90, fifth)
    polar = np.column_stack([dice.uniform(-180, 180, fifth), polar_lat])
    found = np.vstack([anywhere, near, polar])
    found[:, 0] = (found[:, 0] + 180.0) % 360.0 - 180.0
    found[:, 1] = np.clip(found[:, 1], -90.0, 90.0)
    found[::97, 0] = np.where(found[::97, 0] > 0, 180.0, -180.0)
    return dice.permutation(found)[:count]


def by_index(fixes: Lonlats, index: ZoneIndex) -> Pairs:
    n = len(fixes)
    columns = FixColumns(fixes, np.zeros(n, np.int64), np.zeros(n), np.full(n, np.nan))
    return {
        (fix, contact.zone.geofence_id)
        for fix, met in enumerate(index.contacts(columns))
        for contact in met
    }


def by_winding(fixes: Lonlats, areas: list[shapely.MultiPolygon]) -> Pairs:
    """Sum up, for each part, how often its rings run around the fix, edge by edge.

    Holes run the other way round here, so that inside of one the sum is zero again.
    """
    found: Pairs = set()
    for number, area in enumerate(areas):
        for part in area.geoms:
            west, south, east, north = part.bounds
            x, y = fixes.T
            near = np.flatnonzero((x >= west) & (x <= east) & (y >= south) & (y <= north))
            turns = np.zeros(len(near), dtype=np.int64)
            for ring in shapely.orient_polygons(part).interiors:
                turns += _turns(shapely.get_coordinates(ring), fixes[near])
            shell = shapely.get_coordinates(shapely.orient_polygons(part).exterior)
            turns += _turns(shell, fixes[near])
            found.update((int(fix), number) for fix in near[turns != 0])
    return found


def _turns(ring: Lonlats, fixes: Lonlats) -> NDArray[np.int64]:
    turns = np.zeros(len(fixes), dtype=np.int64)
    x, y = fixes.T
    for (x1, y1), (x2, y2) in pairwise(ring):
        left = (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)
        turns += (y1 <= y) & (y2 > y) & (left > 0)
        turns -= (y1 > y) & (y2 <= y) & (left < 0)
    return turns


@pytest.mark.parametrize(
    ("fix_count", "shape_count"),
    [(6_000, 60), pytest.param(100_000, 200, marks=pytest.mark.slow)],
)
def test_index_postgis_and_arithmetic_agree_beyond_a_centimetre(fix_count, shape_count):
    areas = [area_of(shape) for shape in shapes(shape_count)]
    index = ZoneIndex(zone(area, number) for number, area in enumerate(areas))
    fixes = fixes_near(areas, fix_count)

    ours = by_index(fixes, index)

    assert len(ours) > fix_count / 4
    assert _beyond_a_centimetre(ours ^ by_postgis(fixes, areas), fixes, areas) == []
    assert _beyond_a_centimetre(ours ^ by_winding(fixes, areas), fixes, areas) == []


def test_index_and_postgis_agree_on_each_corner_and_on_the_antimeridian():
    areas = [area_of(shape) for shape in shapes(60)]
    index = ZoneIndex(zone(area, number) for number, area in enumerate(areas))
    corners = shapely.get_coordinates(areas)[::7]

    assert by_index(corners, index) == by_postgis(corners, areas)


def _beyond_a_centimetre(
    pairs: Pairs, fixes: Lonlats, areas: list[shapely.MultiPolygon]
) -> list[tuple[int, int, float]]:
    """Return the pairs whose fix is farther from any edge, also of a seam, than 1 cm."""
    apart = []
    for fix, number in sorted(pairs):
        lon, lat = fixes[fix]
        is_on_seam = abs(lon) == 180.0 or abs(lat) == 90.0
        metres = ShapeEdge(areas[number]).distance_m(lon, lat)
        if metres > CM and not is_on_seam:
            apart.append((fix, number, metres))
    return apart
