"""PostGIS, the geometry library and plain arithmetic say the same of every point."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely
from django.db import connection
from numpy.typing import NDArray

from geofence.shapes import area_of
from tests.geofence.shapes import box_ring, circle, corridor, polygon, ring, round_ring

pytestmark = pytest.mark.django_db

FIXES, SHAPES = 100_000, 200
Pairs = set[tuple[int, int]]


def star(dice: random.Random, lon: float, lat: float) -> list[list[float]]:
    """Return a ragged ring around a place that never crosses itself."""
    turns = np.linspace(0, 2 * np.pi, dice.randint(8, 60), endpoint=False).tolist()
    reaches = [dice.uniform(0.4, 1) for _ in turns]
    return ring(
        *(
            (lon + reach * math.cos(turn), lat + reach * math.sin(turn))
            for turn, reach in zip(turns, reaches, strict=True)
        )
    )


def random_shapes(dice: random.Random) -> Iterator[Any]:
    """Yield shapes of all kinds, some with holes, over the antimeridian and at the poles."""
    yield circle((0, 90), 80_000)
    yield circle((70, -89.5), 120_000)
    yield polygon(box_ring(-180, -90, 180, -88))
    for number in range(SHAPES - 3):
        lon, lat = dice.choice((dice.uniform(-3, 3), dice.uniform(178, 182))), dice.uniform(-3, 3)
        kind = number % 5
        if kind == 0:
            yield circle((lon, lat), dice.uniform(50, 150_000))
        elif kind == 1:
            yield corridor(dice.uniform(10, 30_000), (lon, lat), (lon + 1, lat + dice.random()))
        elif kind == 2:
            yield polygon(round_ring((lon, lat), 1, 200), round_ring((lon, lat), 0.5, 50))
        elif kind == 3:
            yield polygon(box_ring(lon, lat, lon + 1, lat + 1))
        else:
            yield polygon(star(dice, lon, lat))


def random_fixes(dice: np.random.Generator) -> NDArray[np.float64]:
    """Return fixes where the shapes are, many on the antimeridian and on round degrees."""
    lon = np.where(dice.random(FIXES) < 0.5, dice.uniform(-4, 4, FIXES), 0)
    lon = np.where(lon == 0, (dice.uniform(176, 184, FIXES) + 180) % 360 - 180, lon)
    lat = dice.uniform(-4, 4, FIXES)
    lon[:2000] = dice.choice([-180.0, 180.0], 2000)
    lon[2000:12_000], lat[2000:12_000] = (
        dice.uniform(-180, 180, 10_000),
        dice.choice([-1, 1], 10_000) * dice.uniform(87, 90, 10_000),
    )
    return np.column_stack([lon, lat])


def by_postgis(fixes: NDArray[np.float64], areas: list[shapely.MultiPolygon]) -> Pairs:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE fix ON COMMIT DROP AS"
            " SELECT n - 1 AS n, ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS point"
            " FROM unnest(%s::float8[], %s::float8[]) WITH ORDINALITY AS f(lon, lat, n)",
            [fixes[:, 0].tolist(), fixes[:, 1].tolist()],
        )
        cursor.execute("CREATE INDEX ON fix USING gist (point)")
        cursor.execute(
            "SELECT f.n, z.n - 1 FROM unnest(%s::bytea[]) WITH ORDINALITY AS z(wkb, n)"
            " JOIN fix f ON ST_Intersects(ST_GeomFromWKB(z.wkb, 4326), f.point)",
            [[area.wkb for area in areas]],
        )
        return {(fix, zone) for fix, zone in cursor.fetchall()}


def by_library(fixes: NDArray[np.float64], areas: list[shapely.MultiPolygon]) -> Pairs:
    found = shapely.STRtree(areas).query(shapely.points(fixes), predicate="intersects")
    return set(zip(*found.tolist(), strict=True))


def by_arithmetic(fixes: NDArray[np.float64], areas: list[shapely.MultiPolygon]) -> Pairs:
    """Cast a ray to the east and count the edges that it meets: odd is inside."""
    found: Pairs = set()
    for zone, area in enumerate(areas):
        for part in area.geoms:
            west, south, east, north = part.bounds
            near = np.flatnonzero(
                (fixes[:, 0] >= west)
                & (fixes[:, 0] <= east)
                & (fixes[:, 1] >= south)
                & (fixes[:, 1] <= north)
            )
            odd = np.zeros(len(near), dtype=bool)
            for line in (part.exterior, *part.interiors):
                points = shapely.get_coordinates(line)
                for (lon, lat), (lon2, lat2) in pairwise(points):
                    x, y = fixes[near].T
                    is_level = (lat > y) != (lat2 > y)
                    with np.errstate(divide="ignore", invalid="ignore"):
                        odd ^= is_level & (x < (lon2 - lon) * (y - lat) / (lat2 - lat) + lon)
            found.update((int(fix), zone) for fix in near[odd])
    return found


@pytest.mark.fault("F-068")
@pytest.mark.law(4)
def test_100000_fixes_in_200_shapes_are_where_everybody_says_they_are():
    areas = [area_of(shape) for shape in random_shapes(random.Random(7))]
    fixes = random_fixes(np.random.default_rng(7))

    library = by_library(fixes, areas)
    postgis, arithmetic = by_postgis(fixes, areas), by_arithmetic(fixes, areas)

    assert len(library) > FIXES / 10
    assert _beyond_a_centimetre(library ^ postgis, fixes, areas) == set()
    assert _beyond_a_centimetre(library ^ arithmetic, fixes, areas) == set()


def _beyond_a_centimetre(
    pairs: Pairs, fixes: NDArray[np.float64], areas: list[shapely.MultiPolygon]
) -> Pairs:
    """Return the pairs whose point is not within 1 cm of the edge, where rounding may decide."""
    return {
        (fix, zone)
        for fix, zone in pairs
        if shapely.distance(areas[zone].boundary, shapely.Point(fixes[fix])) > 0.01 / 111_320
    }
