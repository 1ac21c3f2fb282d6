"""How soon a changed geofence is judged by, in every ingest process.

    .venv/bin/python benchmarks/change.py [--quick] [--json FILE] [--strict]

Ten organisations have 10,000 geofences each, and every ingest process holds all of them. One is
drawn or redrawn; as soon as that is committed, assets that stood outside report from inside over
connections of their own, which the processes share. Each must have entered it, and the figure is
the time from the commit to the last answer. Beside it stands the same round without a change.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.tools import stage as stages
from benchmarks.tools.observations import SOUTH_DEG, WEST_DEG, Seen, identifier
from benchmarks.tools.stage import Stage
from benchmarks.tools.table import Table

WORKERS = 2
# So many connections that each process has some.
ASSETS = 12
RADIUS_M = 200.0
APART_DEG = 0.01
TARGET_S = 1.0


def main() -> int:
    options = parse()
    stages.DATABASE = "bench_change"
    stages.use_bench_database()
    table = Table(
        f"a changed geofence, {options.organisations} organisations of {options.geofences:,}"
        f" geofences, {WORKERS} ingest processes"
    )
    companies = [stages.fill(assets=ASSETS, geofences=options.geofences, rules=0)]
    while len(companies) < options.organisations:
        name = f"Bench {len(companies)}"
        companies.append(stages.fill_more(name, assets=ASSETS, geofences=options.geofences))
    with stages.serving("tracker.ingest", "--workers", str(WORKERS)) as (url, process, _):
        for stage in companies:
            stage.url, stage.process = url, process
        measure(table, [Company(stage) for stage in companies], options.rounds)
        table.add("memory of the larger ingest process", f"{companies[0].memory_mb():.0f} MB")
    print(table.text())
    if options.json:
        table.write_json(options.json)
    return 1 if options.strict and not table.is_met else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--organisations", type=int, default=10)
    parser.add_argument("--geofences", type=int, default=10_000, help="of each")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--quick", action="store_true", help="fewer organisations and rounds")
    parser.add_argument("--json", type=Path, help="write figures and machine to this file")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a target is missed")
    options = parser.parse_args()
    if options.quick:
        options.organisations, options.rounds = 2, 10
    return options


@dataclass
class Company:
    """An organisation whose assets stand together, and go from yard to yard together."""

    stage: Stage
    at: float = 0.0
    yard: int = 0

    def middle(self) -> tuple[float, float]:
        """Return where the present yard is; west of all geofences that were there before."""
        return WEST_DEG - 1.0 - APART_DEG * self.yard, SOUTH_DEG

    def report(self) -> float:
        """Let each asset report from the middle, all at once; return seconds to the last answer."""
        # Whole seconds, each but once, and after what was drawn just now.
        self.at = max(self.at + 1, time.time() + 2)
        lon_deg, lat_deg = self.middle()
        seen = [Seen(identifier(n), self.at, lon_deg, lat_deg) for n in range(ASSETS)]
        began = time.perf_counter()
        with ThreadPoolExecutor(ASSETS) as senders:
            list(senders.map(self._send, seen))
        return time.perf_counter() - began

    def _send(self, seen: Seen) -> None:
        address = urlsplit(self.stage.ingest_url("json"))
        connection = http.client.HTTPConnection(str(address.hostname), address.port or 80, 30)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", address.path, seen.as_json(), headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {body[:200]!r}")


def measure(table: Table, companies: Sequence[Company], rounds: int) -> None:
    from geofence.models import Crossing

    for company in companies:
        # Every process has met every organisation before the clock runs.
        for _ in range(3):
            company.report()
    calm, after, changing = [], [], []
    missed = 0
    for number in range(rounds):
        company = companies[number % len(companies)]
        company.yard += 1
        calm.append(company.report())
        began = time.perf_counter()
        geofence = change(company)
        changing.append(time.perf_counter() - began)
        after.append(company.report())
        missed += ASSETS - Crossing.objects.filter(geofence=geofence).distinct("asset").count()
    worst = max(after)
    table.add("changes that a report after them was not judged by", f"{missed}", "0", missed == 0)
    table.add(
        f"from the commit to {ASSETS} reports judged by it",
        f"median {ms(after)}, max {worst * 1000:.0f} ms",
        f"≤ {TARGET_S * 1000:.0f} ms",
        worst <= TARGET_S,
    )
    table.add("the same reports with nothing changed", f"median {ms(calm)}")
    table.add("the change itself", f"median {ms(changing)}")
    table.details = {"after_s": after, "calm_s": calm, "changing_s": changing, "missed": missed}


def ms(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f} ms"


def change(company: Company) -> Any:
    """Draw a yard where the assets stand, or bring the former one there; return the geofence."""
    from accounts.models import Organisation
    from geofence.actions import draw_geofence, redraw_geofence
    from geofence.models import Geofence

    lon_deg, lat_deg = company.middle()
    shape: Any = {"type": "circle", "center": [lon_deg, lat_deg], "radius_m": RADIUS_M}
    organisation = Organisation.objects.get(pk=company.stage.organisation_id)
    if company.yard % 2:
        return draw_geofence(organisation=organisation, name=f"yard {company.yard}", shape=shape)
    name = f"yard {company.yard - 1}"
    geofence = Geofence.objects.get(organisation=organisation, name=name)
    redraw_geofence(geofence=geofence, shape=shape)
    return geofence


if __name__ == "__main__":
    sys.exit(main())
