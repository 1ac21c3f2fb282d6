"""What the live hub costs: 100,000 assets, 200 viewers, a tick each 250 ms.

    .venv/bin/python benchmarks/live.py [--quick] [--json FILE] [--strict]

Needs no server: the hub's table and its connections are driven as a web process drives them.
Half the viewers are of the provider, the others see one organisation each; a tenth lag behind
and so have each their own place in the stream, where nothing can be shared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")

from positions.latest_columns import NULL, LatestColumns
from positions.live_columns import LIVE_COLUMNS, NAMES
from tracker.live.connection import Allowance, ViewerConnection
from tracker.live.frames import Subscribe
from tracker.live.table import Permitted, Table

TICK_S = 0.25
VIEWERS = 200
ORGANISATIONS = 50
MOVED_A_TICK = 500  # 2,000 observations a second


class Fleet:
    """`assets` assets in ORGANISATIONS organisations, of which some move at each tick."""

    def __init__(self, assets: int) -> None:
        self.random = np.random.default_rng(1)
        self.ids = np.arange(1, assets + 1, dtype=np.int64)
        self.organisation_ids = self.ids % ORGANISATIONS
        self.at = 1_700_000_000_000

    def rows(self, indexes: np.ndarray) -> LatestColumns:
        self.at += int(TICK_S * 1000)
        values = self.random.integers(0, 10**9, size=(len(NAMES), len(indexes)), dtype=np.int64)
        for name in ("measured_at", "received_at", "fix_at"):
            values[NAMES.index(name)] = self.at
        for index, column in enumerate(LIVE_COLUMNS):
            if column.choices:
                values[index] = 1
        values[NAMES.index("course_cdeg")] = NULL
        return LatestColumns(self.ids[indexes], self.organisation_ids[indexes], values)

    def everything(self) -> LatestColumns:
        return self.rows(np.arange(len(self.ids)))

    def some(self) -> LatestColumns:
        return self.rows(self.random.choice(len(self.ids), MOVED_A_TICK, replace=False))


def permitted_to(viewer: int) -> Permitted:
    return None if viewer % 2 else frozenset({viewer % ORGANISATIONS})


def cpu_s(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def filtering(assets: int, ticks: int) -> tuple[float, float]:
    """Return the share of a core for finding what each viewer is owed, worst case: none shared."""
    fleet, table = Fleet(assets), Table()
    table.correct(fleet.everything(), read_at=0, complete_for=None)
    whose = [permitted_to(viewer) for viewer in range(VIEWERS)]
    shared = alone = 0.0
    for _ in range(ticks):
        table.tick([fleet.some()])
        shared += cpu_s(lambda: [owed_slots(table, table.seq - 1, mine) for mine in whose])
        alone += cpu_s(
            lambda: [
                owed_slots(table, table.seq - 2 - viewer % 40, mine)
                for viewer, mine in enumerate(whose)
            ]
        )
    return shared / (ticks * TICK_S), alone / (ticks * TICK_S)


def owed_slots(table: Table, since: int, permitted: Permitted) -> int:
    slots = table._slots_since(since)
    return len(slots[table._visible(permitted)[slots]])


def whole_tick(assets: int, ticks: int) -> float:
    """Return the share of a core for all of it, JSON included, with a tenth of viewers lagging."""
    fleet, table = Fleet(assets), Table()
    table.correct(fleet.everything(), read_at=0, complete_for=None)
    allowance = Allowance(per_tick=1 << 40, left=1 << 40)
    viewers = [ViewerConnection(table, permitted_to(v), TICK_S, allowance) for v in range(VIEWERS)]
    now = 0.0
    for viewer in viewers:
        viewer.subscribe(Subscribe(), now=now)
        viewer.frames(now=now, server_time=0)
    spent = 0.0
    for tick in range(ticks):
        now += TICK_S
        for number, viewer in enumerate(viewers):
            if number % 10 or tick % 17 == number % 17:
                viewer.ack(viewer.seq, now=now)
        rows = fleet.some()

        def work(rows: LatestColumns = rows, now: float = now) -> None:
            table.tick([rows])
            for viewer in viewers:
                viewer.frames(now=now, server_time=0)

        spent += cpu_s(work)
    return spent / (ticks * TICK_S)


def snapshot_ms(assets: int) -> float:
    fleet, table = Fleet(assets), Table()
    table.correct(fleet.everything(), read_at=0, complete_for=None)
    return cpu_s(lambda: table.snapshot(None)) * 1000


def reading_ms(assets: int) -> float:
    """Return what comparing the whole table with the database costs the event loop."""
    fleet, table = Fleet(assets), Table()
    truth = fleet.everything()
    table.correct(truth, read_at=0, complete_for=None)
    return cpu_s(lambda: table.correct(truth, read_at=table.seq, complete_for=None)) * 1000


def rows_of_figures(*, is_quick: bool) -> list[dict[str, Any]]:
    assets, ticks = (20_000, 10) if is_quick else (100_000, 80)
    shared, alone = filtering(assets, ticks)
    return [
        figure("filtering, viewers in step", "% of a core", shared * 100, 10.0),
        figure("filtering, viewers at 40 places", "% of a core", alone * 100, 10.0),
        figure("whole tick with JSON", "% of a core", whole_tick(assets, ticks) * 100, None),
        figure("snapshot of everything, once for all", "ms", snapshot_ms(assets), None),
        figure("comparing everything with the database", "ms", reading_ms(assets), None),
    ]


def figure(what: str, unit: str, value: float, at_most: float | None) -> dict[str, Any]:
    verdict = "" if at_most is None else "reached" if value <= at_most else "MISSED"
    return {
        "what": what,
        "unit": unit,
        "target": at_most,
        "figure": round(value, 2),
        "verdict": verdict,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    figures = rows_of_figures(is_quick=arguments.quick)
    print(f"{'what':<42} {'target':>9} {'figure':>9}  unit         verdict")
    for row in figures:
        target = "" if row["target"] is None else f"≤ {row['target']:g}"
        print(
            f"{row['what']:<42} {target:>9} {row['figure']:>9}  {row['unit']:<12} {row['verdict']}"
        )
    if arguments.json:
        machine = {"cores": os.cpu_count(), "system": platform.platform()}
        text = json.dumps({"machine": machine, "figures": figures}, indent=2)
        Path(arguments.json).write_text(text + "\n")
    return int(arguments.strict and any(row["verdict"] == "MISSED" for row in figures))


if __name__ == "__main__":
    sys.exit(main())
