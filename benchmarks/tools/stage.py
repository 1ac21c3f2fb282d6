"""A database of its own, filled, and an ingest process over it: what a benchmark plays on."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.tools.observations import SIDE_DEG, SOUTH_DEG, WEST_DEG, identifier

REPOSITORY = Path(__file__).resolve().parents[2]
DATABASE = "bench_tracker"
# Yards and depots. With 10,000 of them some 3 % of the reports cross a border.
RADIUS_M = (100.0, 400.0)
_turn: TextIO | None = None


@dataclass(kw_only=True)
class Stage:
    """Where to send, with which tokens by wire format, and the process that answers."""

    tokens: dict[str, str]
    organisation_id: int
    url: str = ""
    process: subprocess.Popen[bytes] | None = None
    log: Path | None = None
    notes: dict[str, float] = field(default_factory=dict)

    def ingest_url(self, wire_format: str) -> str:
        return f"{self.url}/ingest/{wire_format}/{self.tokens[wire_format]}"

    def memory_mb(self) -> float:
        """Resident memory of the ingest process; of several, of the largest."""
        return max(_memory_mb(pid) for pid in self._pids())

    def cpu_s(self) -> float:
        """Processor time that the ingest process and its workers have used."""
        return sum(_cpu_s(pid) for pid in self._pids())

    def _pids(self) -> list[int]:
        assert self.process is not None
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def metrics(self) -> dict[str, float]:
        """The numbers of the process's own metrics page, empty if it has none."""
        parts = urlsplit(self.url)
        with socket.create_connection((parts.hostname or "", parts.port or 80), 5) as client:
            client.sendall(
                b"GET /ingest/metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
            )
            answer = b"".join(iter(lambda: client.recv(65536), b"")).decode()
        head, _, body = answer.partition("\r\n\r\n")
        if " 200 " not in head.splitlines()[0]:
            return {}
        return dict(_metric_lines(body))


def _memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _metric_lines(body: str) -> Iterator[tuple[str, float]]:
    for line in body.splitlines():
        name, _, value = line.rpartition(" ")
        with contextlib.suppress(ValueError):
            if name and not name.startswith("#"):
                yield name, float(value)


def use_bench_database() -> str:
    """Make an empty bench database beside the private one, and let Django use it.

    Returns its URL in the form that psycopg knows.
    """
    _wait_for_my_turn()
    for line in (REPOSITORY / ".local" / "env").read_text().splitlines():
        key, _, value = line.partition("=")
        os.environ.setdefault(key, value)
    parts = urlsplit(os.environ["DATABASE_URL"])
    server = urlunsplit(parts._replace(scheme="postgresql", path="/postgres"))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    os.environ["DATABASE_URL"] = urlunsplit(parts._replace(path=f"/{DATABASE}"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "tracker.settings"
    return urlunsplit(parts._replace(scheme="postgresql", path=f"/{DATABASE}"))


def _wait_for_my_turn() -> None:
    """One at a time: they share a database, and would spoil each other's figures."""
    global _turn
    _turn = (REPOSITORY / ".local" / "bench.lock").open("w")
    fcntl.flock(_turn, fcntl.LOCK_EX)


def fill(*, assets: int, geofences: int, rules: int = 100) -> Stage:
    """Migrate the bench database and put a fleet, geofences and rules into it."""
    import django

    django.setup()

    from django.core.management import call_command
    from django.db import connection

    began = time.perf_counter()
    call_command("migrate", verbosity=0)
    migrated = time.perf_counter()
    stage = fill_more("Bench", assets=assets, geofences=geofences, rules=rules)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    connection.close()
    stage.notes = {
        "migrate_s": round(migrated - began, 1),
        "fill_s": round(time.perf_counter() - migrated, 1),
    }
    return stage


def fill_more(name: str, *, assets: int, geofences: int, rules: int = 0) -> Stage:
    """Put an organisation of its own with a fleet, geofences and rules into the database."""
    organisation, tokens = _fill_assets(name, assets)
    _fill_geofences(organisation, geofences, rules)
    return Stage(tokens=tokens, organisation_id=organisation.pk)


def _fill_assets(name: str, assets: int) -> tuple[Any, dict[str, str]]:
    from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

    from accounts import actions as people
    from assets import actions
    from assets.models import Asset, Assignment, Device

    organisation = people.create_organisation(name=name)
    revision = actions.raise_registry_revision()
    made_assets = Asset.objects.bulk_create(
        [Asset(organisation=organisation, name=f"asset {n}") for n in range(assets)],
        batch_size=5000,
    )
    devices = Device.objects.bulk_create(
        [
            Device(organisation=organisation, identifier=identifier(n), revision=revision)
            for n in range(assets)
        ],
        batch_size=5000,
    )
    during = DateTimeTZRange(actions.DISTANT_PAST, None, "[)")
    Assignment.objects.bulk_create(
        [
            Assignment(device=device, asset=asset, during=during)
            for device, asset in zip(devices, made_assets, strict=True)
        ],
        batch_size=5000,
    )
    tokens = {
        wire_format: actions.add_source(
            organisation=organisation, name=wire_format, wire_format=wire_format
        )[1]
        for wire_format in ("json", "osmand")
    }
    return organisation, tokens


def _fill_geofences(organisation: Any, geofences: int, rules: int) -> None:
    from django.utils import timezone

    from alerts.actions import add_rule
    from geofence.actions import Drawing, draw_geofences
    from positions.models import Rejudging

    chance = random.Random(7)
    drawings = [
        Drawing(
            name=f"geofence {number}",
            shape={
                "type": "circle",
                "center": [
                    WEST_DEG + SIDE_DEG * chance.random(),
                    SOUTH_DEG + SIDE_DEG * chance.random(),
                ],
                "radius_m": chance.uniform(*RADIUS_M),
            },
        )
        for number in range(geofences)
    ]
    since = timezone.now() - timedelta(days=30)
    drawn = draw_geofences(organisation=organisation, drawings=drawings, valid_from=since)
    for geofence in drawn[:rules]:
        add_rule(
            organisation=organisation,
            name=f"into {geofence.name}",
            trigger="enter",
            geofence=geofence,
            now=since,
        )
    # There is no past to judge again.
    Rejudging.objects.all().delete()


# --- processes ---------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(*module: str, host_option: str = "--host") -> Iterator[tuple[str, Any, Path]]:
    """Run `python -m MODULE … --port` on a free port; yield its URL, its process and its log."""
    port = free_port()
    home = Path(tempfile.mkdtemp(prefix="bench-"))
    log = home / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *module, host_option, "127.0.0.1", "--port", str(port)],
            cwd=REPOSITORY,
            env=os.environ | {"SPOOL_DIR": str(home / "spool"), "PROCESS_NAME": "bench-ingest"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_open(port, process, log)
        yield f"http://127.0.0.1:{port}", process, log
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(home, ignore_errors=True)


def _wait_until_open(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-3000:]}")


# --- what the database says -----------------------------------------------------------


@dataclass(frozen=True)
class DatabaseCounts:
    commits: int
    inserted: int


def database_counts(url: str) -> DatabaseCounts:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT xact_commit, tup_inserted FROM pg_stat_database"
            " WHERE datname = current_database()"
        ).fetchone()
    assert row is not None
    return DatabaseCounts(*row)


def copy_reference(url: str, rows: int = 200_000, *, commit_every: int = 1_000) -> float:
    """Rows a second that a bare binary COPY reaches into a table like that of the positions."""
    import datetime

    base = datetime.datetime.now(datetime.UTC)
    row = (1, base, base, 13.5, 45.5, 12.0, 5.0, 12.5, 90.0, "gnss", '{"battery.level": 80}')
    types = [
        *("int8", "timestamptz", "timestamptz", "float8", "float8", "float8", "float8"),
        *("float8", "float8", "text", "jsonb"),
    ]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bench_copy")
        connection.execute(
            "CREATE TABLE bench_copy (device_id int8, measured_at timestamptz,"
            " received_at timestamptz, lon float8, lat float8, altitude_m float8,"
            " accuracy_m float8, speed_mps float8, course_deg float8, method text,"
            " readings jsonb, PRIMARY KEY (device_id, measured_at))"
        )
        began = time.perf_counter()
        statement = "COPY bench_copy FROM STDIN (FORMAT binary)"
        for first in range(0, rows, commit_every):
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                copy.set_types(types)
                for number in range(first, first + commit_every):
                    copy.write_row((number, *row[1:]))
        took_s = time.perf_counter() - began
        connection.execute("DROP TABLE bench_copy")
    return rows / took_s
