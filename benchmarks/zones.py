"""Points judged a second for many geofences: our index against a PostGIS join in the same run.

    .venv/bin/python benchmarks/zones.py [--quick] [--json FILE] [--strict]

Geofences are round yards of 100 to 400 m over a country, as in the other benchmarks; points lie
anywhere among them, and one in five within 400 m of one. Both are asked in batches of 50 and of
5,000. Ours is the call that the road makes, with the validity of versions and the sides; with
accuracies it also measures distances to edges, which the join does not.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.tools import stage as stages
from benchmarks.tools.observations import SIDE_DEG, SOUTH_DEG, WEST_DEG
from benchmarks.tools.table import Table
from geofence.zone import Zone
from geofence.zone_index import FixColumns, ZoneIndex

METRES_PER_DEGREE = 111_195.0
COUNTS, CORNERS = (1_000, 10_000, 100_000), (32, 500)
BATCHES = (50, 5_000)

Floats = NDArray[np.float64]


def main() -> int:
    options = parse()
    stages.DATABASE = "bench_zones"
    database = stages.use_bench_database()
    table = Table("points judged a second, ours against a PostGIS join on the same geofences")
    for count, corners in options.sizes:
        measure(table, database, count, corners, options.seconds)
    print(table.text())
    if options.json:
        table.write_json(options.json)
    return 1 if options.strict and not table.is_met else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=4.0, help="for each figure")
    parser.add_argument("--quick", action="store_true", help="shorter, without the largest")
    parser.add_argument("--json", type=Path, help="write figures and machine to this file")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a target is missed")
    options = parser.parse_args()
    options.sizes = [(count, corners) for count in COUNTS for corners in CORNERS]
    if options.quick:
        options.sizes = [size for size in options.sizes if size[0] * size[1] <= 5_000_000]
        options.seconds = 1.0
    return options


def measure(table: Table, database: str, count: int, corners: int, seconds: float) -> None:
    dice = np.random.default_rng(count + corners)
    areas, middles = yards(dice, count, corners)
    points = fixes(dice, middles, 100_000)
    began = time.perf_counter()
    index = ZoneIndex(zones_of(areas))
    built_s = time.perf_counter() - began
    began = time.perf_counter()
    index = ZoneIndex(index.zones)
    rebuilt_s = time.perf_counter() - began
    with psycopg.connect(database, autocommit=True) as connection:
        store(connection, areas)
        agree(connection, index, points[:5_000])
        what = f"{count:,} geofences of {corners}"
        table.add(f"{what}: building the index", f"{built_s:.2f} s")
        # What the first batch after a change may have to wait, with its assets locked.
        table.add("  again, after a change", f"{rebuilt_s:.2f} s", "≤ 1 s", rebuilt_s <= 1.0)
        for size in BATCHES:
            ours = rate(lambda batch: by_index(index, batch, 0.0), points, size, seconds)
            unsure = rate(lambda batch: by_index(index, batch, 10.0), points, size, seconds)
            theirs = rate(lambda batch: by_join(connection, batch), points, size, seconds)
            table.add(
                f"{what}, batches of {size:,}",
                f"{ours:,.0f}/s; PostGIS {theirs:,.0f}/s, × {ours / theirs:.1f}",
                "faster",
                ours > theirs,
            )
            table.add("  the same with an accuracy of 10 m", f"{unsure:,.0f}/s")
            table.details[f"{what}, {size}"] = {
                "ours": ours,
                "with_accuracy": unsure,
                "postgis": theirs,
            }


def yards(dice: np.random.Generator, count: int, corners: int) -> tuple[NDArray[Any], Floats]:
    """Return round multipolygons and their middles."""
    middles = np.array([WEST_DEG, SOUTH_DEG]) + SIDE_DEG * dice.random((count, 2))
    lat_deg = dice.uniform(100.0, 400.0, (count, 1)) / METRES_PER_DEGREE
    lon_deg = lat_deg / np.cos(np.radians(middles[:, 1:]))
    turn = np.linspace(0, 2 * np.pi, corners + 1)
    turn[-1] = 0.0
    lon = middles[:, :1] + lon_deg * np.cos(turn)
    lat = middles[:, 1:] + lat_deg * np.sin(turn)
    polygons: Any = shapely.polygons(np.stack([lon, lat], axis=2))
    return np.array([shapely.MultiPolygon([one]) for one in polygons], dtype=object), middles


def zones_of(areas: NDArray[Any]) -> list[Zone]:
    return [
        Zone(geofence_id=number, version_id=number, area=area, accuracy_cap_m=50.0)
        for number, area in enumerate(areas)
    ]


def fixes(dice: np.random.Generator, middles: Floats, count: int) -> Floats:
    anywhere = np.array([WEST_DEG, SOUTH_DEG]) + SIDE_DEG * dice.random((count, 2))
    close = middles[dice.integers(0, len(middles), count)]
    close = close + dice.uniform(-1, 1, (count, 2)) * 400.0 / METRES_PER_DEGREE
    return np.where(dice.random((count, 1)) < 0.2, close, anywhere)


def rate(judge: Callable[[Floats], Any], points: Floats, size: int, seconds: float) -> float:
    """Return points a second, in batches of that size for so long, after one round of warmth."""
    batches = [points[n : n + size] for n in range(0, len(points), size)]
    warm = time.perf_counter()
    for batch in batches:
        judge(batch)
        if time.perf_counter() - warm > seconds:
            break
    done, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        judge(batches[done % len(batches)])
        done += 1
    return done * size / took


# --- both ways ------------------------------------------------------------------------------


def by_index(index: ZoneIndex, points: Floats, accuracy_m: float) -> list[list[Any]]:
    n = len(points)
    columns = FixColumns(points, np.zeros(n, np.int64), np.full(n, accuracy_m), np.full(n, np.nan))
    return index.contacts(columns)


def store(connection: psycopg.Connection[Any], areas: NDArray[Any]) -> None:
    connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    connection.execute("DROP TABLE IF EXISTS yard")
    connection.execute(
        "CREATE TABLE yard (id bigint PRIMARY KEY, area geometry(MultiPolygon, 4326))"
    )
    with connection.cursor() as cursor, cursor.copy("COPY yard FROM STDIN") as copy:
        for first in range(0, len(areas), 1_000):
            some = shapely.set_srid(areas[first : first + 1_000], 4326)
            wkb = shapely.to_wkb(some, hex=True, include_srid=True)
            copy.write("".join(f"{first + n}\t{one}\n" for n, one in enumerate(wkb)))
    connection.execute("CREATE INDEX ON yard USING gist (area)")
    connection.execute("VACUUM ANALYZE yard")


def by_join(connection: psycopg.Connection[Any], points: Floats) -> list[tuple[int, int]]:
    lon, lat = points.T.tolist()
    return connection.execute(
        "SELECT p.n - 1, y.id FROM unnest(%s::float8[], %s::float8[])"
        " WITH ORDINALITY AS p(lon, lat, n)"
        " JOIN yard y ON ST_Intersects(y.area, ST_SetSRID(ST_MakePoint(p.lon, p.lat), 4326))",
        [lon, lat],
        prepare=True,
    ).fetchall()


def agree(connection: psycopg.Connection[Any], index: ZoneIndex, points: Floats) -> None:
    """A figure for a wrong answer would be worth nothing."""
    ours = {
        (fix, contact.zone.geofence_id)
        for fix, met in enumerate(by_index(index, points, 0.0))
        for contact in met
    }
    if ours != set(by_join(connection, points)):
        raise RuntimeError("the index and PostGIS do not agree")


if __name__ == "__main__":
    sys.exit(main())
