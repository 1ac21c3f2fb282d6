"""How many reports a second the ingest door takes, durable before the answer.

Everything (generator, server, PostgreSQL) shares this machine. Latencies of the open loop count
from the moment at which a request should have gone out. `--url` measures any other server that
speaks OsmAnd or our JSON with the same generator:

    benchmarks/ingest.py --url http://127.0.0.1:5055/ --format osmand --rate 500
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg

from benchmarks.tools import stage as stages
from benchmarks.tools.load import Load, Outcome, run
from benchmarks.tools.observations import (
    Fleet,
    Seen,
    address_of,
    identifier,
    json_requests,
    osmand_requests,
)
from benchmarks.tools.stage import Stage
from benchmarks.tools.table import Table

DUMP = 10_000
DUMP_BATCH = 1_000


def main() -> int:
    options = parse()
    # An end from outside must not leave the server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    table = external(options) if options.url else whole(options)
    print(table.text())
    if options.json:
        table.write_json(options.json)
    return 1 if options.strict and not table.is_met else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--assets", type=int, default=20_000)
    parser.add_argument("--geofences", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="ingest processes behind the port"
    )
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rate", type=float, help="of the open loop; with --url none means closed")
    parser.add_argument("--quick", action="store_true", help="smaller and shorter")
    parser.add_argument("--json", type=Path, help="write figures and machine to this file")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a target is missed")
    parser.add_argument("--url", help="measure this server instead, by the options below")
    parser.add_argument("--format", choices=("osmand", "json"), default="osmand")
    parser.add_argument("--batch", type=int, default=1, help="observations a request, json only")
    parser.add_argument("--new-connections", action="store_true", help="one for each request")
    options = parser.parse_args()
    if options.quick:
        options.assets, options.geofences = 2_000, 1_000
        options.seconds = min(options.seconds, 4.0)
    return options


# --- another server -------------------------------------------------------------------


def external(options: argparse.Namespace) -> Table:
    fleet = Fleet(options.assets, since=time.time() - 3000)
    expected = options.rate or 30_000 / options.batch
    seen = fleet.take(int(expected * options.seconds * options.batch))
    outcome = run(
        Load(
            address=address_of(options.url),
            requests=requests_of(options, options.url, seen),
            connections=options.connections,
            seconds=options.seconds,
            rate=options.rate,
            is_new_connection_each=options.new_connections,
        )
    )
    table = Table(f"{options.format} to {options.url.split('?')[0]}")
    add_outcome(table, "requests", outcome, batch=options.batch)
    return table


def requests_of(options: argparse.Namespace, url: str, seen: list[Seen]) -> list[bytes]:
    if options.format == "osmand":
        return osmand_requests(url, seen)
    return json_requests(url, seen, batch=options.batch)


def add_outcome(table: Table, what: str, outcome: Outcome, *, batch: int = 1) -> None:
    table.add(what, figure_of(outcome, batch=batch))
    table.details[what] = outcome.as_json()


def figure_of(outcome: Outcome, *, batch: int = 1) -> str:
    rate = f"{outcome.rate * batch:,.0f}/s"
    ms = ", ".join(f"p{q:g} {outcome.ms(q):.1f}" for q in (50, 90, 99, 99.9))
    errors = f", {outcome.errors} errors {dict(outcome.statuses)}" if outcome.errors else ""
    return f"{rate}; {ms}, max {outcome.ms(100):.1f} ms{errors}"


# --- ours ------------------------------------------------------------------------------


def whole(options: argparse.Namespace) -> Table:
    database = stages.use_bench_database()
    table = Table(
        f"ingest: {options.assets:,} assets, {options.geofences:,} geofences,"
        f" {options.workers} ingest processes, all on this machine"
    )
    bare_copy = stages.copy_reference(database, 40_000 if options.quick else 200_000)
    bare_asgi = measure_bare(options)
    # One more, which has no history before it dumps its own.
    stage = stages.fill(assets=options.assets + 1, geofences=options.geofences)
    table.details["stage"] = stage.notes
    with stages.serving("tracker.ingest", "--workers", str(options.workers)) as (url, process, log):
        stage.url, stage.process, stage.log = url, process, log
        Measuring(options, stage, database, table).all()
        lines = log.read_text().splitlines()
        if lines:
            print(f"the server's log has {len(lines)} lines; the last: {lines[-1]}")
    table.add("bare ASGI application, same generator", figure_of(bare_asgi))
    table.add("bare COPY, 1,000 rows a commit", f"{bare_copy:,.0f} rows/s")
    batched = table.details["batches of 100"]["observations_per_s"]
    single = table.details["single, as fast as it goes"]["requests_per_s"]
    table.add("batches of 100 against bare COPY", f"{batched / bare_copy:.0%}", "stretch 50%")
    table.add("single reports against bare ASGI", f"{single / bare_asgi.rate:.0%}")
    return table


def measure_bare(options: argparse.Namespace) -> Outcome:
    bare = ("uvicorn", "--loop", "uvloop", "--http", "httptools", "--no-access-log")
    with stages.serving(*bare, "benchmarks.tools.bare:application") as (url, _, _):
        seen = Fleet(100, since=time.time()).take(1000)
        requests = json_requests(url, seen) * 200
        seconds = min(5.0, options.seconds)
        return run(Load(address=address_of(url), requests=requests, seconds=seconds))


class Measuring:
    """The rows of the table, one after the other over one fleet, whose time goes on."""

    def __init__(
        self, options: argparse.Namespace, stage: Stage, database: str, table: Table
    ) -> None:
        self._options = options
        self._stage = stage
        self._database = database
        self._table = table
        # Far enough back that no round of the fleet comes to lie in the future.
        self._fleet = Fleet(options.assets, since=time.time() - 6 * 86_400)

    def all(self) -> None:
        self.prime()
        self.single()
        self.new_connections()
        self.batches()
        self.dump()
        self._table.add("statements a batch", self._statements())
        self._table.add("reports that cross a border", f"{self._crossing_share():.1%}")
        memory_mb = self._stage.memory_mb()
        self._table.add(
            "memory of an ingest process", f"{memory_mb:.0f} MB", "≤ 300 MB", memory_mb <= 300
        )
        self._table.details["memory_mb"] = round(memory_mb)

    def _statements(self) -> str:
        """Constant: a batch of 100 observations takes as many statements as one of 5."""
        shown = ("single, as fast as it goes", "new connection each", "batches of 100")
        details = [self._table.details[name] for name in shown]
        return ", ".join(
            f"{one['statements_per_batch']} for {one['requests_per_batch']} requests"
            for one in details
        )

    def _crossing_share(self) -> float:
        """What the road had to do beside storing: without crossings a figure says little."""
        with psycopg.connect(self._database) as connection:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM geofence_crossing)::float8"
                " / greatest(1, (SELECT count(*) FROM positions_position))"
            ).fetchone()
        assert row is not None
        return float(row[0])

    def prime(self) -> None:
        """Every asset's first observations: rows are made and caches warmed outside the figures."""
        seen = self._fleet.take(2 * self._options.assets)
        outcome = self._run(
            json_requests(self._stage.ingest_url("json"), seen, batch=100), connections=4
        )
        self._table.details["priming"] = outcome.as_json()
        if outcome.errors:
            raise RuntimeError(f"priming failed: {dict(outcome.statuses)}")

    def single(self) -> None:
        url = self._stage.ingest_url("osmand")
        seconds = self._options.seconds
        closed = self._measure(
            "single, as fast as it goes",
            osmand_requests(url, self._fleet.take(int(16_000 * seconds))),
        )
        self._table.add(
            f"single POST, keep-alive, {self._options.connections} connections",
            figure_of(closed),
            "≥ 6,000/s, p99 ≤ 60 ms; stretch 10,000/s",
            closed.rate >= 6_000 and closed.ms(99) <= 60 and not closed.errors,
        )
        rate = self._options.rate or 6_000.0
        opened = self._measure(
            f"single, open loop at {rate:,.0f}/s",
            osmand_requests(url, self._fleet.take(int(rate * seconds))),
            rate=rate,
        )
        self._table.add(
            f"the same, open loop at {rate:,.0f}/s",
            figure_of(opened),
            "p99 ≤ 60 ms",
            opened.ms(99) <= 60 and opened.rate >= 0.98 * rate and not opened.errors,
        )
        own = self._measure(
            "single, our JSON",
            json_requests(self._stage.ingest_url("json"), self._fleet.take(int(16_000 * seconds))),
        )
        self._table.add("single POST of our JSON", figure_of(own))

    def new_connections(self) -> None:
        url = self._stage.ingest_url("osmand")
        seen = self._fleet.take(int(8_000 * self._options.seconds))
        outcome = self._measure(
            "new connection each", osmand_requests(url, seen), is_new_connection_each=True
        )
        self._table.add(
            "a new connection for each report",
            figure_of(outcome),
            "≥ 2,000/s",
            outcome.rate >= 2_000 and not outcome.errors,
        )

    def batches(self) -> None:
        url = self._stage.ingest_url("json")
        seen = self._fleet.take(int(80_000 * min(self._options.seconds, 12)))
        outcome = self._measure(
            "batches of 100", json_requests(url, seen, batch=100), connections=8
        )
        per_s = outcome.rate * 100
        self._table.details["batches of 100"]["observations_per_s"] = round(per_s)
        self._table.add(
            "observations in batches of 100, 8 connections",
            figure_of(outcome, batch=100),
            "≥ 30,000/s",
            per_s >= 30_000 and not outcome.errors,
        )

    def dump(self) -> None:
        """One device sends 10,000 stored observations, and its crossings must be right."""
        device = identifier(self._options.assets)
        seen, crossings = stored_drive(device, time.time() - DUMP * 10 - 86_400)
        requests = json_requests(self._stage.ingest_url("json"), seen, batch=DUMP_BATCH)
        outcome = self._run(requests, connections=1)
        found = crossings_of(self._database, device)
        self._table.details["dump"] = outcome.as_json() | {"crossings": found, "right": crossings}
        self._table.add(
            f"one device dumps {DUMP:,} stored observations",
            f"{outcome.seconds:.2f} s; {found} crossings, {crossings} are right",
            "≤ 2 s",
            outcome.seconds <= 2 and found == crossings and not outcome.errors,
        )

    def _measure(self, name: str, requests: list[bytes], **options: Any) -> Outcome:
        database, metrics = stages.database_counts(self._database), self._stage.metrics()
        cpu_s = self._stage.cpu_s()
        outcome = self._run(requests, **options)
        cpu_s = self._stage.cpu_s() - cpu_s
        # Backends report their counts about once a second.
        time.sleep(1.2)
        after = stages.database_counts(self._database)
        changed = {
            key: value - metrics.get(key, 0.0) for key, value in self._stage.metrics().items()
        }
        commits = after.commits - database.commits
        good = outcome.rate * outcome.seconds
        statements = changed.get("tracker_ingest_statements_total", 0)
        batches = changed.get("tracker_ingest_batches_total", 0)
        self._table.details[name] = outcome.as_json() | {
            "statements_per_batch": round(statements / batches, 1) if batches else None,
            "requests_per_batch": round(good / batches, 1) if batches else None,
            "commits_per_s": round(commits / outcome.seconds),
            "requests_per_commit": round(good / max(1, commits), 1),
            "server_cpu_us_per_request": round(cpu_s / max(1.0, good) * 1e6, 1),
            "metrics": {key: value for key, value in changed.items() if value},
        }
        return outcome

    def _run(self, requests: list[bytes], **options: Any) -> Outcome:
        settings = {"connections": self._options.connections, "seconds": self._options.seconds}
        address = address_of(self._stage.url)
        return run(Load(address=address, requests=requests, **(settings | options)))


def stored_drive(device: str, since: float) -> tuple[list[Seen], int]:
    """A drive to and fro through the geofence `geofence 0`, and how often it crosses any.

    Worked out by comparing distances to every circle, without the server's code.
    """
    from geofence.models import GeofenceVersion

    circles = list(GeofenceVersion.objects.order_by("pk").values_list("shape", flat=True))
    lon_deg, lat_deg = circles[0]["center"]
    seen = [
        Seen(
            device,
            math.floor(since) + 10 * number,
            lon_deg + 0.02 * math.sin(number / 40),
            lat_deg + 0.004 * math.cos(number / 97),
        )
        for number in range(DUMP)
    ]
    return seen, sum(count_crossings(seen, shape) for shape in circles)


def count_crossings(seen: list[Seen], circle: dict[str, Any]) -> int:
    """Sure fixes (5 m) that lie on the other side than the sure one before them."""
    from pyproj import Geod

    lon_deg, lat_deg = circle["center"]
    far_deg = 0.06
    if abs(lon_deg - seen[0].lon_deg) > far_deg or abs(lat_deg - seen[0].lat_deg) > far_deg:
        return 0
    _, _, metres = Geod(ellps="WGS84").inv(
        [lon_deg] * len(seen),
        [lat_deg] * len(seen),
        [round(one.lon_deg, 6) for one in seen],
        [round(one.lat_deg, 6) for one in seen],
    )
    depths = (circle["radius_m"] - metre for metre in metres)
    sides = [depth > 0 for depth in depths if abs(depth) >= 5.0]
    return sum(after != before for before, after in pairwise(sides))


def crossings_of(database: str, device: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT count(*) FROM geofence_crossing c JOIN assets_device d ON d.id = c.device_id"
            " WHERE d.identifier = %s AND c.kind IN ('enter', 'exit') AND c.withdrawn_at IS NULL",
            [device],
        ).fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    sys.exit(main())
