"""Our own HTTP transport against granian and uvicorn's, with the same handler and generator.

The handler does nothing, or is the door with its road and its database. Rounds alternate between
the transports, so that what else the machine does meets them all; the medians are shown.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.tools import stage as stages
from benchmarks.tools.load import Load, run
from benchmarks.tools.observations import Fleet, address_of, json_requests
from benchmarks.tools.stage import Stage
from benchmarks.tools.table import Table

MODULE = "benchmarks.tools.transports"
GRANIAN = ("granian", "--workers", "1", "--loop", "uvloop", "--no-ws", "--http", "1")
TRANSPORTS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "ours, on uvicorn": lambda handler: (MODULE, handler),
    "uvicorn, ASGI": lambda handler: (
        "uvicorn", "--loop", "uvloop", "--http", "httptools", "--no-access-log",
        "--log-level", "warning", f"{MODULE}:asgi_{handler}",
    ),
    "granian, ASGI": lambda handler: (*GRANIAN, "--interface", "asgi", f"{MODULE}:asgi_{handler}"),
    "granian, RSGI": lambda handler: (*GRANIAN, "--interface", "rsgi", f"{MODULE}:rsgi_{handler}"),
}  # fmt: skip


@dataclass(frozen=True)
class Round:
    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    errors: int


def main() -> int:
    options = parse()
    # An end from outside must not leave the server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    table = measure(options)
    print(table.text())
    if options.json:
        table.write_json(options.json)
    return 1 if options.strict and not table.is_met else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=20_000)
    parser.add_argument("--geofences", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--strict", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.assets, options.geofences = 2_000, 1_000
        options.seconds, options.rounds = 3.0, 3
    return options


def measure(options: argparse.Namespace) -> Table:
    stages.use_bench_database()
    stage = stages.fill(assets=options.assets, geofences=options.geofences)
    fleet = Fleet(options.assets, since=time.time() - 6 * 86_400)
    table = Table(
        f"HTTP transports, one process each: {options.connections} connections, medians of"
        f" {options.rounds} rounds of {options.seconds:g} s"
    )
    for handler in ("nothing", "door"):
        rounds: dict[str, list[Round]] = {name: [] for name in TRANSPORTS}
        for _ in range(options.rounds):
            for name, command in TRANSPORTS.items():
                rounds[name].append(one_round(command(handler), handler, stage, fleet, options))
        for name, each in rounds.items():
            table.add(f"{handler}: {name}", figure_of(each))
            table.details[f"{handler}: {name}"] = [vars(one) for one in each]
    return table


def one_round(
    command: tuple[str, ...],
    handler: str,
    stage: Stage,
    fleet: Fleet,
    options: argparse.Namespace,
) -> Round:
    with stages.serving(*command) as (url, process, _):
        here = replace(stage, url=url, process=process)
        address = here.ingest_url("json")
        # What does nothing may get the same again and again.
        if handler == "nothing":
            requests = json_requests(address, fleet.take(1000)) * int(40 * options.seconds)
        else:
            requests = json_requests(address, fleet.take(int(12_000 * options.seconds)))
        load = Load(
            address=address_of(url), requests=requests, connections=options.connections, seconds=1.0
        )
        warm_up = len(requests) // 20
        run(replace(load, requests=requests[:warm_up]))
        cpu_s = here.cpu_s()
        outcome = run(replace(load, requests=requests[warm_up:], seconds=options.seconds))
        cpu_s = here.cpu_s() - cpu_s
    good = outcome.rate * outcome.seconds
    return Round(
        outcome.rate, outcome.ms(50), outcome.ms(99), cpu_s / max(good, 1) * 1e6, outcome.errors
    )


def figure_of(rounds: list[Round]) -> str:
    def median(name: str) -> float:
        return float(statistics.median(getattr(one, name) for one in rounds))

    errors = sum(one.errors for one in rounds)
    return (
        f"{median('rate'):,.0f}/s; p50 {median('p50_ms'):.1f}, p99 {median('p99_ms'):.1f} ms;"
        f" processor {median('cpu_us'):.0f} µs a request" + (f", {errors} errors" if errors else "")
    )


if __name__ == "__main__":
    sys.exit(main())
