"""What hostile senders learn from the time of an answer, and what they cost the others.

    .venv/bin/python benchmarks/hostile.py [--quick] [--json FILE] [--strict]

Through the ingest process, on one connection. The bounds are those of the fault catalogue.
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.tools import stage as stages
from benchmarks.tools.observations import Fleet
from benchmarks.tools.stage import Stage
from benchmarks.tools.table import Table

SERVER = ("tracker.ingest",)
SLOW_CONNECTIONS = 200
# Several times the least that a median or a 99th percentile needs, once each round.
SAMPLES = 300
HEADS = {
    "2,000 lines": {f"X-{n}": "a" for n in range(2_000)},
    "64 KiB in one line": {"X-A": "a" * 65_536},
}
Headers = dict[str, str]


def main() -> int:
    options = parse()
    # An end from outside must not leave the server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    samples = 50 if options.quick else SAMPLES
    table = measure(samples)
    print(table.text())
    if options.json:
        table.write_json(options.json)
    return 1 if options.strict and not table.is_met else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples")
    parser.add_argument("--json", type=Path, help="write figures and machine to this file")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a bound is missed")
    return parser.parse_args()


def measure(samples: int) -> Table:
    table = Table("hostile senders at the door")
    stages.use_bench_database()
    os.environ["WRONG_TOKENS_PER_MINUTE"] = "1000000"
    stage = stages.fill(assets=1_000, geofences=100)
    fleet = Fleet(1_000, since=time.time() - 6 * 86_400)
    with stages.serving(*SERVER) as (url, _, _):
        stage.url = url
        add_wrong_tokens(table, stage, fleet, samples)
        add_heads(table, stage, samples)
        add_slow_connections(table, stage, fleet, samples)
    with hanging_redis(), stages.serving(*SERVER) as (url, _, _):
        stage.url = url
        p99_ms = percentile_ms(normal(stage, fleet), samples, 99)
        table.add("F-151: a normal answer while Redis hangs, p99", f"{p99_ms:.1f} ms")
    return table


def add_wrong_tokens(table: Table, stage: Stage, fleet: Fleet, samples: int) -> None:
    known = fleet.take(1)[0].as_json()
    bodies = {"known": known, "other": known.replace('"b0', '"c0')}
    took_ms: dict[str, list[float]] = {name: [] for name in bodies}
    with connected(stage) as ask:
        for _ in range(samples):
            for name, body in bodies.items():
                took_ms[name].append(ask("/ingest/json/wrong-token", body.encode(), {}, 401))
    known_ms, other_ms = (statistics.median(each) for each in took_ms.values())
    gap_ms = abs(known_ms - other_ms)
    table.add(
        "F-028: a wrong token for a known device and for another, medians apart",
        f"{gap_ms:.3f} ms ({known_ms:.2f}, {other_ms:.2f})",
        "< 3 ms",
        gap_ms < 3,
    )


def add_heads(table: Table, stage: Stage, samples: int) -> None:
    path = urlsplit(stage.ingest_url("json")).path
    for name, headers in HEADS.items():
        took_ms = []
        for _ in range(samples // 10):
            # The server closes the connection on which it was sent.
            with connected(stage) as ask:
                took_ms.append(ask(path, b"{}", headers, 431))
        table.add(
            f"F-037: a head of {name} is refused, slowest",
            f"{max(took_ms):.1f} ms",
            "< 200 ms",
            max(took_ms) < 200,
        )


def add_slow_connections(table: Table, stage: Stage, fleet: Fleet, samples: int) -> None:
    alone_ms = percentile_ms(normal(stage, fleet), samples, 99)
    with slow_connections(stage):
        beside_ms = percentile_ms(normal(stage, fleet), samples, 99)
    table.add(
        f"F-039: a normal answer beside {SLOW_CONNECTIONS} slow connections, p99 against alone",
        f"{beside_ms / alone_ms:.2f} ({beside_ms:.1f} and {alone_ms:.1f} ms)",
        "< 2",
        beside_ms < 2 * alone_ms,
    )


def percentile_ms(times_ms: Iterator[float], samples: int, percent: int) -> float:
    took_ms = [next(times_ms) for _ in range(samples)]
    return statistics.quantiles(took_ms, n=100)[percent - 1]


def normal(stage: Stage, fleet: Fleet) -> Iterator[float]:
    path = urlsplit(stage.ingest_url("json")).path
    with connected(stage) as ask:
        while True:
            yield ask(path, fleet.take(1)[0].as_json().encode(), {}, 200)


@contextmanager
def connected(stage: Stage) -> Iterator[Callable[[str, bytes, Headers, int], float]]:
    """Yield a function that posts and returns how long the answer took, in milliseconds."""
    address = urlsplit(stage.url)
    with closing(http.client.HTTPConnection(address.netloc, timeout=30)) as wire:

        def ask(path: str, body: bytes, headers: Headers, expected: int) -> float:
            began = time.perf_counter()
            wire.request("POST", path, body, {"Content-Type": "application/json", **headers})
            answer = wire.getresponse()
            answer.read()
            took_ms = (time.perf_counter() - began) * 1000
            if answer.status != expected:
                raise RuntimeError(f"{path} was answered with {answer.status}")
            return took_ms

        yield ask


@contextmanager
def slow_connections(stage: Stage) -> Iterator[None]:
    """Hold connections that stop in the middle of a head."""
    address = urlsplit(stage.url)
    with ExitStack() as stack:
        for _ in range(SLOW_CONNECTIONS):
            wire = socket.create_connection((address.hostname, address.port), 5)
            stack.enter_context(wire)
            wire.sendall(b"POST /ingest/json HTTP/1.1\r\nHost: x\r\n")
        yield


@contextmanager
def hanging_redis() -> Iterator[None]:
    """Let the server find a Redis that accepts connections and never answers."""
    before = os.environ["REDIS_URL"]
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        os.environ["REDIS_URL"] = f"redis://127.0.0.1:{deaf.getsockname()[1]}/0"
        try:
            yield
        finally:
            os.environ["REDIS_URL"] = before


if __name__ == "__main__":
    sys.exit(main())
