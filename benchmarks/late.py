"""What a late observation costs in a day, a month and a year of history, and a dump of 10,000.

    .venv/bin/python benchmarks/late.py [--quick] [--json FILE] [--strict]

Each van has reported every 10 seconds and crosses the fence of its depot four times an hour. The
history is loaded by COPY and judged by the same code as on the road, checkpoints included. Then
late observations go down the road one at a time, to each van in turn.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.tools import stage as stages
from benchmarks.tools.table import Table

EVERY_S = 10
DEPOT_DEG = (9.7320, 52.3759)
METRES_PER_DEGREE = 111_195.0
CHUNK = 50_000
DUMP, DUMP_BATCH = 10_000, 1_000
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)

Floats = NDArray[np.float64]


def main() -> int:
    options = parse()
    stages.DATABASE = "bench_late"
    database = stages.use_bench_database()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
    import django
    from django.core.management import call_command

    from tracker.intake.garbage_collection import tune_garbage_collection

    django.setup()
    call_command("migrate", verbosity=0)
    table = Table("late facts, one van with a report each 10 s")
    bench = Bench(database, options, table)
    bench.histories()
    # As the ingest process does.
    tune_garbage_collection()
    bench.late()
    bench.dump()
    print(table.text())
    if options.json:
        table.write_json(options.json)
    return 1 if options.strict and not table.is_met else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, nargs="+", default=[1, 30, 365])
    parser.add_argument("--times", type=int, default=60, help="late observations for each van")
    parser.add_argument("--quick", action="store_true", help="histories of 1, 7 and 30 days")
    parser.add_argument("--json", type=Path, help="write figures and machine to this file")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a target is missed")
    options = parser.parse_args()
    if options.quick:
        options.days, options.times = [1, 7, 30], 30
    return options


def places(times_s: NDArray[np.int64]) -> Floats:
    """Return where a van is at these times: to and fro, 900 m to either side of its depot."""
    north_m = 900.0 * np.sin(times_s * (2 * np.pi / 3_600.0))
    lat = DEPOT_DEG[1] + (north_m + 3.0 * np.sin(times_s * 1.7)) / METRES_PER_DEGREE
    return np.column_stack([np.full(len(lat), DEPOT_DEG[0]), lat])


class Bench:
    def __init__(self, database: str, options: argparse.Namespace, table: Table) -> None:
        from accounts.actions import create_organisation
        from assets import actions
        from geofence.actions import draw_geofence
        from positions.models import Rejudging

        self._database, self._options, self._table = database, options, table
        self._actions = actions
        self._organisation = create_organisation(name="Bench")
        depot = {"type": "circle", "center": list(DEPOT_DEG), "radius_m": 200.0}
        since = NOW - timedelta(days=max(options.days) + 1)
        for name, judging in (("depot", {}), ("patient", {"persist_fixes": 3})):
            draw_geofence(
                organisation=self._organisation,
                name=name,
                shape=depot,
                valid_from=since,
                **judging,  # type: ignore[arg-type]
            )
        Rejudging.objects.all().delete()
        self._make_partitions(since)

    def van(self, name: str) -> tuple[Any, Any]:
        asset = self._actions.add_asset(organisation=self._organisation, name=name)
        device = self._actions.register_device(organisation=self._organisation, identifier=name)
        self._actions.assign_device(device=device, asset=asset, since=self._actions.DISTANT_PAST)
        return asset, device

    def _make_partitions(self, since: datetime) -> None:
        """As they would have been made week by week."""
        from django.conf import settings

        from positions.partitions import partition_of

        length = timedelta(days=settings.POSITION_PARTITION_DAYS)
        names: dict[str, None] = {}
        at = since
        while at < NOW + length:
            names[partition_of(at)] = None
            at += timedelta(days=1)
        with psycopg.connect(self._database, autocommit=True) as connection:
            for name in names:
                low = datetime.strptime(name.rsplit("_", 1)[1][-8:], "%Y%m%d").replace(tzinfo=UTC)
                connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF positions_position"
                    f" FOR VALUES FROM ('{low.isoformat()}') TO ('{(low + length).isoformat()}')"
                )

    # --- histories ----------------------------------------------------------------------

    def histories(self) -> None:
        self._vans = {}
        for days in self._options.days:
            asset, device = self.van(f"van of {days} days")
            began = time.perf_counter()
            self._load(asset, device, days)
            self._table.details[f"loading {days} days, s"] = round(time.perf_counter() - began, 1)
            self._vans[days] = (asset, device)
        with psycopg.connect(self._database, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")

    def _load(self, asset: Any, device: Any, days: int) -> None:
        from django.db import transaction

        from judging.machine import PendingAsset
        from positions import history, store
        from tracker.road.judging_steps import contexts_of, judge_and_record, move_states
        from tracker.road.revisions import current_revisions
        from tracker.road.road_memory import RoadMemory

        memory, owner = RoadMemory(), self._organisation.pk
        with transaction.atomic():
            states = store.lock_states([asset.pk])
            revisions = current_revisions([owner])
            contexts = contexts_of({asset.pk: owner}, memory, revisions)
            for times_s in chunks(days):
                self._copy(device.pk, times_s)
                pending = PendingAsset(
                    asset_id=asset.pk,
                    organisation_id=owner,
                    head=states[asset.pk].judged,
                    contexts=contexts[asset.pk],
                    facts=facts_of(device.pk, times_s),
                )
                verdicts, changes = judge_and_record(
                    [pending], memory, now=NOW, cause_of=lambda _: {}
                )
                history.save_checkpoints(verdicts[0].checkpoints)
                saved, _ = move_states(states, (), verdicts, changes, memory)
            store.save_states(saved)

    def _copy(self, device_id: int, times_s: NDArray[np.int64]) -> None:
        points = shapely.set_srid(shapely.points(places(times_s)), 4326)
        wkb = shapely.to_wkb(points, hex=True, include_srid=True)
        at: Any = np.datetime_as_string(times_s.astype("datetime64[s]"), timezone="UTC")
        lines = [
            f"{device_id}\t{when}\t{at_s}\t{when}\t{point}\t5\tgnss\tdevice\t{{}}\tf\n"
            for at_s, when, point in zip(times_s.tolist(), list(at), list(wkb), strict=True)
        ]
        statement = (
            "COPY positions_position (device_id, measured_at, message, received_at, point,"
            " accuracy_m, method, time_source, readings, is_clock_suspect) FROM STDIN"
        )
        with (
            psycopg.connect(self._database) as connection,
            connection.cursor() as cursor,
            cursor.copy(statement) as copy,
        ):
            copy.write("".join(lines))

    # --- one late observation -----------------------------------------------------------

    def late(self) -> None:
        """To each van in turn, so that whatever else the machine does hits all alike."""
        dice = random.Random(3)
        took_ms: dict[int, list[float]] = {days: [] for days in self._vans}
        in_order_ms: list[float] = []
        for number in range(self._options.times + 5):
            for days, (_, device) in self._vans.items():
                back_s = dice.randrange(600, days * 86_400 - 600) // EVERY_S * EVERY_S + 5
                ms = self._receive(device, [NOW - timedelta(seconds=back_s)])
                fresh_ms = self._receive(device, [NOW + timedelta(seconds=number)])
                if number >= 5:
                    took_ms[days].append(ms)
                    in_order_ms.append(fresh_ms)
        medians = {days: statistics.median(each) for days, each in took_ms.items()}
        shortest, longest = medians[min(medians)], medians[max(medians)]
        self._table.add("one observation in order", f"{statistics.median(in_order_ms):.2f} ms")
        for days, each in took_ms.items():
            p90 = statistics.quantiles(each, n=10)[-1]
            figure = f"median {medians[days]:.2f} ms, p90 {p90:.2f} ms"
            self._table.add(f"late by up to {days} days, of {days} days", figure)
        ratio = longest / shortest
        what = f"{max(medians)} days against {min(medians)}"
        self._table.add(what, f"× {ratio:.2f}", "≤ × 1.3, noise", ratio <= 1.3)
        self._table.details["late, ms"] = took_ms

    def _receive(self, device: Any, times: Sequence[datetime]) -> float:
        from tracker import pipeline
        from tracker.road.road_memory import memory_of_process

        delivery = self._delivery(device, times)
        began = time.perf_counter()
        pipeline.receive([delivery], memory_of_process())
        return (time.perf_counter() - began) * 1_000

    def _delivery(self, device: Any, times: Sequence[datetime]) -> Any:
        from core.observation import Fix, Observation
        from tracker.road.delivery import Delivery

        lonlats = places(np.array([int(at.timestamp()) for at in times])).tolist()
        observations = tuple(
            Observation(
                device=device.identifier,
                measured_at=at,
                fix=Fix(lon_deg=lon, lat_deg=lat, accuracy_m=5.0),
            )
            for at, (lon, lat) in zip(times, lonlats, strict=True)
        )
        return Delivery(
            organisation_id=self._organisation.pk,
            received_at=datetime.now(UTC),
            observations=observations,
            indexes=tuple(range(len(observations))),
        )

    # --- a dump -------------------------------------------------------------------------

    def dump(self) -> None:
        times = [NOW - timedelta(seconds=EVERY_S * n) for n in range(DUMP, 0, -1)]
        shuffled = random.Random(5).sample(times, DUMP)
        outcomes = {}
        for name, order in (("in order", times), ("backwards", times[::-1]), ("any", shuffled)):
            asset, device = self.van(f"dump {name}")
            if name != "in order":
                # A fresh one came before, so that all that is dumped is late.
                self._receive(device, [NOW])
            took_s = sum(
                self._receive(device, order[first : first + DUMP_BATCH])
                for first in range(0, DUMP, DUMP_BATCH)
            )
            if name == "in order":
                self._receive(device, [NOW])
            outcomes[name] = crossings_of(asset)
            is_right = outcomes[name] == outcomes["in order"] and bool(outcomes[name])
            self._table.add(
                f"dump of {DUMP:,} {name}, batches of {DUMP_BATCH:,}",
                f"{took_s / 1_000:.2f} s; {len(outcomes[name])} crossings,"
                f" {'equal to' if is_right else 'UNLIKE'} the sorted run",
                "≤ 2 s, equal",
                took_s <= 2_000 and is_right,
            )


def chunks(days: int) -> Iterator[NDArray[np.int64]]:
    end_s = int(NOW.timestamp())
    first_s = end_s - days * 86_400
    step_s = CHUNK * EVERY_S
    for begin_s in range(first_s, end_s, step_s):
        yield np.arange(begin_s, min(begin_s + step_s, end_s), EVERY_S)


def facts_of(device_id: int, times_s: NDArray[np.int64]) -> list[Any]:
    from core.fact_order import FactKey
    from core.judged_fact import DecidingFix, JudgedFact

    facts = []
    for at_s, (lon, lat) in zip(times_s.tolist(), places(times_s).tolist(), strict=True):
        at_us = at_s * 1_000_000
        fix = DecidingFix(at_us, device_id, lon, lat, 5.0)
        facts.append(JudgedFact(FactKey(at_us, at_us, device_id, at_s), fix))
    return facts


def crossings_of(asset: Any) -> list[tuple[Any, ...]]:
    from geofence.models import Crossing

    rows = Crossing.objects.filter(asset=asset, withdrawn_at=None).values_list(
        "geofence_id", "kind", "at", "not_before", "estimate", "confirmed_at"
    )
    return sorted(rows)


if __name__ == "__main__":
    sys.exit(main())
