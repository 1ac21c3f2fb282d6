"""How long hostile input keeps a process busy until it is refused, and the largest that is allowed.

    .venv/bin/python benchmarks/refusals.py [--quick] [--json FILE] [--strict]

Processor time of one thread, the median of several tries after a first one that loads what all
later ones find loaded. The bounds are those of the fault catalogue.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")

from benchmarks.tools.table import Table
from core.errors import Refused
from core.judged_fact import DecidingFix
from geofence.imports.geojson_files import members_of
from geofence.shape_simplifying import simplification_offer
from geofence.shapes import area_of
from geofence.zone import Zone
from geofence.zone_index import ZoneIndex, columns_of
from tests.geofence.shapes import polygon, round_ring, scribble
from tests.wire.heavy import HEAVY
from tests.wire.uplinks import decoded
from wire.registry import FORMATS
from wire.uplink import Uplink

Act = Callable[[], Any]


def main() -> int:
    options = parse()
    table = Table("processor time until hostile input is refused")
    tries = 3 if options.quick else 15
    for what, bound_ms, act in cases():
        took_ms = median_ms(act, tries)
        table.add(what, f"{took_ms:.2f} ms", f"≤ {bound_ms} ms", took_ms <= bound_ms)
    print(table.text())
    if options.json:
        table.write_json(options.json)
    return 1 if options.strict and not table.is_met else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer tries")
    parser.add_argument("--json", type=Path, help="write figures and machine to this file")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a bound is missed")
    return parser.parse_args()


def cases() -> list[tuple[str, int, Act]]:
    brackets = b"[" * 100_000 + b"]" * 100_000
    digits = b'{"device":"a","measured_at":"2026-03-02T09:00:00Z","readings":{"n":' + b"9" * 5_000
    index, fix = thousand_geofences()
    return [
        ("F-058: a polygon of 4,000 points that cross each other", 300, shape(scribble(4000))),
        ("F-058: the same in four rings", 300, shape(*(scribble(1000, n) for n in range(4)))),
        ("F-059: a ring of 1,000,001 points", 300, shape(round_ring((0, 0), 1, 1_000_001))),
        ("F-009: a hundred thousand brackets", 100, own_json(brackets)),
        ("F-015: a counter of 5,000 digits", 50, own_json(digits + b"}}")),
        ("F-167: the most expensive of the uplinks with far too much in them", 1000, heavy()),
        ("a shape simpler than 9,000 crossing points", 1000, offered(scribble(9000))),
        ("an import of nested collections", 1000, imported(nested_collections())),
        ("F-060: a fix in 1,000 geofences of 5,000 points", 50, lambda: index.contacts(fix)),
    ]


def shape(*rings: list[list[float]]) -> Act:
    return lambda: area_of(polygon(*rings))


def offered(ring: list[list[float]]) -> Act:
    return lambda: simplification_offer(polygon(ring))


def own_json(body: bytes) -> Act:
    uplink = Uplink(received_at=datetime.now(UTC), body=body, content_type="application/json")
    return lambda: FORMATS["json"].decode(uplink)


def heavy() -> Act:
    """Return the decoding of the uplink in HEAVY that takes longest."""
    acts = [decoding(*uplink) for uplink in HEAVY]
    return max(acts, key=lambda act: median_ms(act, 1))


def decoding(format_name: str, body: Any, query: str) -> Act:
    return lambda: decoded(format_name, body, query=query)


def imported(body: bytes) -> Act:
    return lambda: members_of(body)


def nested_collections() -> bytes:
    return b'{"type":"GeometryCollection","geometries":[' * 500 + b"]}" * 500


def thousand_geofences() -> tuple[ZoneIndex, Any]:
    dice = np.random.default_rng(60)
    turn = np.linspace(0, 2 * np.pi, 5_000)
    rings = np.column_stack([np.cos(turn), np.sin(turn)]) * 0.1
    middles = np.array([9.7, 52.3]) + dice.uniform(-0.05, 0.05, (1_000, 1, 2))
    polygons: Any = shapely.polygons(rings + middles)
    areas: Any = shapely.multipolygons(polygons.reshape(-1, 1))
    zones = [Zone(geofence_id=n, version_id=n, area=area) for n, area in enumerate(areas)]
    return ZoneIndex(zones), columns_of([DecidingFix(0, 1, 9.7, 52.3, 10.0)])


def median_ms(act: Act, tries: int) -> float:
    took_ms = []
    for _ in range(tries + 1):
        began = time.thread_time()
        with suppress(Refused):
            act()
        took_ms.append((time.thread_time() - began) * 1000)
    return statistics.median(took_ms[1:])


if __name__ == "__main__":
    sys.exit(main())
