"""Good and bad requests over many connections at the web process, and how the good ones fare.

    .venv/bin/python benchmarks/web_pool.py [--quick] [--json FILE] [--strict]

Of 200 connections three quarters ask what they may; the others come with wrong tokens, unknown
parameters, bodies that are no JSON, addresses that do not exist, and forms without their cookie.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.tools import stage as stages
from benchmarks.tools.table import Table

CONNECTIONS = 200
BAD_OF_FOUR = 1
POOL_SIZE = 10
SERVER = ("daphne", "--verbosity", "0", "tracker.asgi:application")
GOOD = ("/api/v1/assets/?page_size=10", "/api/v1/me/", "/api/v1/states/?page_size=10")
BAD = (
    ("GET", "/api/v1/assets/", "Authorization: Token wrong", ""),
    ("GET", "/api/v1/assets/?nonsense=1", "Authorization: Token {token}", ""),
    ("POST", "/api/v1/assets/", "Authorization: Token {token}", "{"),
    ("GET", "/api/v1/nowhere/", "Accept: */*", ""),
    ("POST", "/accounts/login/", "Accept: */*", "x=y"),
)

Answers = list[tuple[str, int, float]]


def main() -> int:
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    table = measure(10 if options.quick else 60)
    print(table.text())
    if options.json:
        table.write_json(options.json)
    return 1 if options.strict and not table.is_met else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="ten seconds instead of sixty")
    parser.add_argument("--json", type=Path, help="write figures and machine to this file")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a bound is missed")
    return parser.parse_args()


def measure(seconds: int) -> Table:
    table = Table(f"{CONNECTIONS} connections at the web process for {seconds} s")
    database = stages.use_bench_database()
    os.environ["DATABASE_POOL_SIZE"] = str(POOL_SIZE)
    stages.fill(assets=1_000, geofences=10)
    token = api_token()
    with stages.serving(*SERVER, host_option="--bind") as (url, _, _):
        answers, held = asyncio.run(ask_all(url, token, seconds, database))
    statuses = Counter((kind, status) for kind, status, _ in answers)
    took_s = sorted(took for kind, _, took in answers if kind == "good")
    failed = sum(n for (kind, status), n in statuses.items() if kind == "good" and status != 200)
    ours = sum(n for (kind, status), n in statuses.items() if kind == "bad" and status >= 500)
    table.add("good requests a second", f"{len(took_s) / seconds:.0f}")
    table.add("good requests that were not answered 200", str(failed), "0", failed == 0)
    table.add(
        "good requests, median and p99", f"{statistics.median(took_s):.2f} s, {p99(took_s):.2f} s"
    )
    table.add("bad requests that were answered 5xx", str(ours), "0", ours == 0)
    table.add("connections to PostgreSQL at most", str(held), f"≤ {POOL_SIZE}", held <= POOL_SIZE)
    return table


def api_token() -> str:
    """Return a token of a dispatcher, who sees all assets."""
    from accounts import actions

    user = actions.create_user(username="bench", email="b@example.com", staff_role="dispatcher")
    return actions.issue_api_token(user=user, name="bench")[1]


async def ask_all(url: str, token: str, seconds: int, database: str) -> tuple[Answers, int]:
    """Return each answer, and how many connections to PostgreSQL there were at most."""
    until = time.monotonic() + seconds
    answers: Answers = []
    async with asyncio.TaskGroup() as tasks:
        for number in range(CONNECTIONS):
            kind = "bad" if number % 4 < BAD_OF_FOUR else "good"
            requests = cycle(spelled(kind, token))
            tasks.create_task(ask(url, kind, requests, until, answers))
        counting = tasks.create_task(asyncio.to_thread(most_connections, database, until))
    return answers, counting.result()


def spelled(kind: str, token: str) -> list[bytes]:
    if kind == "good":
        lines = [("GET", path, f"Authorization: Token {token}", "") for path in GOOD]
    else:
        lines = [(m, path, header.format(token=token), body) for m, path, header, body in BAD]
    return [
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        for method, path, header, body in lines
    ]


async def ask(
    url: str, kind: str, requests: Iterator[bytes], until: float, answers: Answers
) -> None:
    """Ask one request after the other, over one connection while the server keeps it."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            writer.write(next(requests))
            status = await read_answer(reader)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            continue
        answers.append((kind, status, time.monotonic() - began))
    writer.close()


async def read_answer(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = [line for line in head.splitlines() if line.startswith("content-length:")]
    if length:
        await reader.readexactly(int(length[0].partition(":")[2]))
    elif "transfer-encoding: chunked" in head:
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    return int(head.split()[1])


def most_connections(database: str, until: float) -> int:
    most = 0
    with psycopg.connect(database, autocommit=True) as connection:
        while time.monotonic() < until:
            row: Any = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bench-ingest'"
            ).fetchone()
            most = max(most, row[0])
            time.sleep(0.2)
    return most


def p99(took_s: list[float]) -> float:
    return took_s[int(len(took_s) * 0.99)] if took_s else 0.0


if __name__ == "__main__":
    sys.exit(main())
