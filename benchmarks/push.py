"""How long from a report to the screens: POST to WebSocket frame, for many viewers.

    .venv/bin/python benchmarks/push.py [--quick] [--json FILE] [--strict]

An ingest process and a web process over a bench database; 2,000 reports a second, one each, come
in by an open loop while 200 viewers are connected, who may all see every asset, so that each is
sent all of them. Counted from the moment at which a report should have gone out until a viewer
holds the frame with it. Every viewer acknowledges as the console does; one in ten is looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import re
import signal
import sys
import time
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import orjson
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from benchmarks.tools import stage as stages
from benchmarks.tools.load import Load, Outcome, run
from benchmarks.tools.observations import Seen, address_of, identifier, osmand_requests
from benchmarks.tools.stage import Stage
from benchmarks.tools.table import Table

RATE_PER_S = 2_000
TICK_MS = 250
TARGET_MS = 500
LOOKED_AT = 10
# Each report has a latitude of its own, by which it is known again in the frames.
FIRST_LAT_E7 = 450_000_000
STEP_E7 = 50
# What is on its way when the last report has gone out.
LATE_S = 3.0
SEQ = re.compile(rb'"seq":(\d+)')


@dataclass
class Viewers:
    """All viewers in one process, so that the clock and the cost are shared."""

    url: str
    token: str
    count: int
    snapshots: int = 0
    frames: int = 0
    # Of the viewers looked at: which report, and when its frame was there.
    numbers: list[Any] = field(default_factory=list)
    times: list[Any] = field(default_factory=list)

    async def watch(self, ready: Connection, seconds: float) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._view(number)) for number in range(self.count)]
            while self.snapshots < self.count:
                await asyncio.sleep(0.05)
            ready.send("ready")
            await asyncio.sleep(seconds)
            for task in tasks:
                task.cancel()

    async def _view(self, number: int) -> None:
        headers = {"Authorization": f"Token {self.token}"}
        async with connect(
            self.url,
            additional_headers=headers,
            subprotocols=[Subprotocol("live.v1.json")],
            compression=None,
            max_size=None,
            open_timeout=60,
        ) as wire:
            await wire.send('{"type":"subscribe","epoch":null,"seq":0}')
            while True:
                frame = await wire.recv(decode=False)
                await self._take(wire, frame, is_looked_at=number % LOOKED_AT == 0)

    async def _take(self, wire: Any, frame: bytes, *, is_looked_at: bool) -> None:
        at = time.perf_counter()
        kind = frame[:24]
        if b'"delta"' not in kind and b'"snapshot"' not in kind:
            return
        seq = SEQ.search(frame)
        assert seq is not None, "each of them has a number"
        await wire.send(b'{"type":"ack","seq":%s}' % seq[1], text=True)
        if b'"snapshot"' in kind:
            self.snapshots += 1
            return
        self.frames += 1
        if is_looked_at:
            lat_e7 = np.array(orjson.loads(frame)["assets"]["lat_e7"], dtype=np.int64)
            self.numbers.append((lat_e7 - FIRST_LAT_E7) // STEP_E7)
            self.times.append(np.full(len(lat_e7), at))


def view(url: str, token: str, count: int, seconds: float, pipe: Connection) -> None:
    """Run in a process of its own; sends "ready", and at the end what was seen."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    viewers = Viewers(url, token, count)
    asyncio.run(viewers.watch(pipe, seconds))
    seen = [np.concatenate(each or [np.empty(0)]) for each in (viewers.numbers, viewers.times)]
    pipe.send((*seen, viewers.frames, time.process_time()))


@dataclass(frozen=True)
class Pushed:
    outcome: Outcome
    latencies_ms: np.ndarray[Any, np.dtype[np.float64]]
    shown: int
    frames: int
    # Processor time while the reports came in.
    web_cpu_s: float
    ingest_cpu_s: float
    viewers_cpu_s: float


def measure(options: argparse.Namespace) -> Table:
    stages.use_bench_database()
    stage = stages.fill(assets=options.assets, geofences=options.geofences)
    token = staff_token()
    with (
        stages.serving("tracker.ingest") as (stage.url, stage.process, stage.log),
        stages.serving("daphne", "tracker.asgi:application", host_option="--bind") as (web, *more),
    ):
        web_stage = replace(stage, process=more[0])
        total = int(RATE_PER_S * options.seconds)
        seen = reports(options.assets + total, options.assets)
        requests = osmand_requests(stage.ingest_url("osmand"), seen)
        warm_up(stage, requests[: options.assets])
        live_url = f"{web.replace('http', 'ws')}/ws/live/"
        pushed = push((stage, web_stage), requests[options.assets :], live_url, token, options)
    return table_of(pushed, total, options)


def warm_up(stage: Stage, requests: list[bytes]) -> None:
    """Let every asset report once: that it is new is another matter than that it moves."""
    first = run(Load(address=address_of(stage.url), requests=requests, seconds=60.0))
    if first.errors or len(first.latencies_s) < len(requests):
        raise RuntimeError(f"the first reports were not taken: {first.statuses}")


def staff_token() -> str:
    from django.db import connection

    from accounts import actions
    from accounts.models import User

    user = actions.create_user(
        username="viewer", password=os.urandom(16).hex(), staff_role=User.StaffRole.DISPATCHER
    )
    _, token = actions.issue_api_token(user=user, name="bench")
    connection.close()
    return token


def reports(total: int, assets: int) -> list[Seen]:
    """Return one report after the other, each asset once in a round."""
    since = time.time() - total / RATE_PER_S - 60
    return [
        Seen(
            identifier(number % assets),
            since + number // assets,
            13.5 + (number % assets) * 1e-3,
            (FIRST_LAT_E7 + number * STEP_E7) / 1e7,
        )
        for number in range(total)
    ]


def push(
    servers: tuple[Stage, Stage],
    requests: list[bytes],
    live_url: str,
    token: str,
    options: argparse.Namespace,
) -> Pushed:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    seconds = options.seconds + LATE_S
    process = multiprocessing.get_context("spawn").Process(
        target=view, args=(live_url, token, options.viewers, seconds, theirs)
    )
    process.start()
    try:
        if not ours.poll(120):
            raise RuntimeError("the viewers do not get their snapshots")
        ours.recv()
        ingest, _ = servers
        cpu_s = [each.cpu_s() for each in servers]
        address = address_of(ingest.url)
        began = time.perf_counter()
        outcome = run(
            Load(address=address, requests=requests, seconds=options.seconds, rate=RATE_PER_S)
        )
        numbers, times, frames, viewers_cpu_s = ours.recv()
        ingest_cpu_s, web_cpu_s = (
            each.cpu_s() - before for each, before in zip(servers, cpu_s, strict=True)
        )
    finally:
        process.terminate()
        process.join()
    # What is left of the first reports is not counted.
    is_counted = numbers >= options.assets
    numbers, times = numbers[is_counted] - options.assets, times[is_counted]
    due = began + numbers / RATE_PER_S
    shown = len(np.unique(numbers))
    return Pushed(
        outcome, (times - due) * 1e3, shown, frames, web_cpu_s, ingest_cpu_s, viewers_cpu_s
    )


def table_of(pushed: Pushed, total: int, options: argparse.Namespace) -> Table:
    table = Table(f"POST to WebSocket frame, {options.viewers} viewers, a tick of {TICK_MS} ms")
    percentiles = {q: float(np.percentile(pushed.latencies_ms, q)) for q in (50, 90, 99, 100)}
    is_all = pushed.shown == total and not pushed.outcome.errors
    figure = ", ".join(f"p{q} {ms:.0f}" for q, ms in percentiles.items())
    answers = ", ".join(f"p{q} {pushed.outcome.ms(q):.1f}" for q in (50, 99))
    table.add("reports", f"{pushed.outcome.rate:,.0f}/s; answered in {answers} ms")
    table.add(
        "POST to frame",
        f"{figure} ms",
        f"p99 ≤ {TARGET_MS} ms",
        percentiles[99] <= TARGET_MS and not pushed.outcome.errors,
    )
    # An asset that reports twice within a tick is shown once, as it is last.
    table.add("reports that were shown", f"{pushed.shown:,} of {total:,}", "all", is_all)
    table.add("frames", f"{pushed.frames / options.seconds:,.0f}/s")
    cpu = {"web": pushed.web_cpu_s, "ingest": pushed.ingest_cpu_s, "viewers": pushed.viewers_cpu_s}
    table.add("processor time", ", ".join(f"{name} {spent:.1f} s" for name, spent in cpu.items()))
    table.details = {
        "post": pushed.outcome.as_json(),
        "frame_ms": {f"p{q}": round(ms, 1) for q, ms in percentiles.items()},
    }
    return table


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--assets", type=int, default=4_000)
    parser.add_argument("--geofences", type=int, default=1_000)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--quick", action="store_true", help="shorter")
    parser.add_argument("--json", type=Path, help="write figures and machine to this file")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a target is missed")
    options = parser.parse_args()
    if options.quick:
        options.seconds = min(options.seconds, 5.0)
    # An end from outside must not leave the servers behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.suppress(KeyboardInterrupt):
        table = measure(options)
        print(table.text())
        if options.json:
            table.write_json(options.json)
        return 1 if options.strict and not table.is_met else 0
    return 130


if __name__ == "__main__":
    sys.exit(main())
