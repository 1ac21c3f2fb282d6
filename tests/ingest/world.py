"""A real ingest process over a database of its own, and senders that talk HTTP to it.

The database is a copy of the test database: what a process of its own is to see must be
committed, and no other test may meet it.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.conf import settings
from django.db import connection

from accounts.models import Organisation
from assets.models import Asset, Device, Source
from positions.models import Position
from tests import builders
from tests.builders import DEPOT_LONLAT_DEG, NINE
from uplinks.models import SetAside, SourceCount

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_S = 60.0
ANSWERS_WITHIN_S = 10.0

_numbers = itertools.count(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(claim: Callable[[], object], within_s: float = 10.0, why: str = "") -> None:
    """Wait until `claim` holds; fail when it does not in time."""
    until = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < until, why or "it never came true"
        time.sleep(0.02)


# --- the database -------------------------------------------------------------


@dataclass(frozen=True)
class Database:
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    name: str

    @property
    def url(self) -> str:
        return self.url_by_way_of(self.port)

    def url_by_way_of(self, port: int) -> str:
        secret = quote(self.password, safe="")
        return f"postgis://{self.user}:{secret}@{self.host}:{port}/{self.name}"

    def connect(self, name: str = "") -> psycopg.Connection[Any]:
        """Open a session of its own, outside of Django."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            dbname=name or self.name,
            autocommit=True,
            connect_timeout=5,
        )

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Let Django's connection, and so builders and models, be one to this database."""
        former = dict(connection.settings_dict)
        mine = {"HOST": self.host, "PORT": str(self.port), "USER": self.user}
        connection.close()
        connection.settings_dict.update(mine | {"PASSWORD": self.password, "NAME": self.name})
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict.update(former)


def test_database() -> Database:
    given = settings.DATABASES["default"]
    return Database(
        host=given["HOST"] or "127.0.0.1",
        port=int(given["PORT"] or 5432),
        user=given["USER"],
        password=given["PASSWORD"],
        name=given["NAME"],
    )


test_database.__test__ = False  # type: ignore[attr-defined]


@contextlib.contextmanager
def copy_of(original: Database, suffix: str) -> Iterator[Database]:
    """Make a copy of a database to which nobody is connected, and drop it at the end."""
    name = f"{original.name}_{suffix}"
    with original.connect("postgres") as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{original.name}"')
        yield Database(original.host, original.port, original.user, original.password, name)
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


# --- the ingest process ---------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a problem document."""
        assert self.headers["content-type"] == "application/problem+json", self
        return str(self.json()["code"])


@dataclass
class Client:
    """A sender with one connection, which it keeps."""

    port: int
    wire: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWERS_WITHIN_S)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        self.wire.request(method, path, body, headers or {})
        answer = self.wire.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, names, answer.read())

    def post(self, path: str, body: Any, content_type: str = "application/json") -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", path, raw, {"Content-Type": content_type})

    def close(self) -> None:
        self.wire.close()


@dataclass
class Ingest:
    """`python -m tracker.ingest`, to be killed and started again on the same port."""

    database_url: str
    spool: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    workers: int = 1

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    @property
    def _log(self) -> Path:
        return self.spool.with_suffix(".log")

    @property
    def pid(self) -> int:
        assert self.process is not None, "it runs"
        return self.process.pid

    def launch(self, *before: str) -> None:
        """Start without waiting; `before` is a command that runs it, such as strace."""
        environment = os.environ | {
            "DATABASE_URL": self.database_url,
            "SPOOL_DIR": str(self.spool),
            "SECRET_KEY": settings.SECRET_KEY,
            "TOKEN_KEY": settings.TOKEN_KEY,
            # Nobody listens there: ingest needs only the database (promise P10).
            "REDIS_URL": "redis://127.0.0.1:1/0",
            # Waiting for a token to be known is guessing, too.
            "WRONG_TOKENS_PER_MINUTE": "1000000",
            **self.settings,
        }
        many = ["--workers", str(self.workers), "--port", str(self.port)]
        command = [*before, sys.executable, "-m", "tracker.ingest", *many]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)

    def start(self, *before: str) -> None:
        self.launch(*before)
        eventually(self.is_up, STARTS_WITHIN_S, "ingest did not start")

    def is_up(self) -> bool:
        assert self.process is not None, "it was launched"
        assert self.process.poll() is None, f"ingest ended by itself: {self.log[-2000:]}"
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.ask("GET", "/healthz").status == 200
        return False

    def ask(self, method: str, path: str, *more: Any) -> Answer:
        """Ask once, over a connection of its own."""
        with contextlib.closing(Client(self.port)) as client:
            return client.ask(method, path, *more)

    def post(self, path: str, body: Any, content_type: str = "application/json") -> Answer:
        with contextlib.closing(Client(self.port)) as client:
            return client.post(path, body, content_type)

    def metric(self, name: str) -> int:
        text = self.ask("GET", "/ingest/metrics").body.decode()
        rows = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
        return int(float(rows[f"tracker_ingest_{name}"]))

    def is_drained(self) -> bool:
        return not list(self.spool.glob("*.spool"))

    def stop(self) -> int:
        """End it as a supervisor does; return its exit status."""
        assert self.process is not None, "it runs"
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(30)
        self.kill()
        raise AssertionError("it does not stop")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def running(ingest: Ingest) -> Iterator[Ingest]:
    ingest.start()
    try:
        yield ingest
    finally:
        ingest.kill()


# --- who sends --------------------------------------------------------------------


@dataclass(frozen=True)
class Sender:
    """A source with its token, and the van whose device it reports."""

    organisation: Organisation
    source: Source
    token: str
    van: Asset
    device: Device

    @property
    def path(self) -> str:
        return f"/ingest/{self.source.wire_format}/{self.token}"

    def says(self, at: datetime = NINE, **members: Any) -> dict[str, Any]:
        """Return an observation at the depot, in our own JSON."""
        lon, lat = DEPOT_LONLAT_DEG
        place = {"lat": lat, "lon": lon}
        return {"device": self.device.identifier, "measured_at": at.isoformat(), **place, **members}

    def positions(self) -> list[Position]:
        rows = Position.objects.filter(device__organisation=self.organisation)
        return list(rows.order_by("measured_at", "device_id"))

    def set_aside(self) -> list[SetAside]:
        return list(SetAside.objects.filter(source=self.source).order_by("pk"))

    def books(self) -> dict[str, int]:
        """Return the books of the source, without the zeros."""
        names = ("received", "stored", "duplicate", "set_aside", "refused")
        rows = SourceCount.objects.filter(source=self.source).values(*names)
        sums = {name: sum(row[name] for row in rows) for name in names}
        return {name: number for name, number in sums.items() if number}


def make_sender(wire_format: str = "json", **source: Any) -> Sender:
    """Return a sender of an organisation of its own."""
    organisation = builders.make_organisation(f"Haulier of test {os.getpid()}-{next(_numbers)}")
    van = builders.make_van(organisation)
    made, token = builders.make_source(organisation, wire_format, **source)
    return Sender(organisation, made, token, van, builders.device_on(van))


def know(ingest: Ingest, sender: Sender, *devices: str) -> None:
    """Register devices, and wait until the ingest process has heard of all so far."""
    for identifier in devices:
        builders.make_device(sender.organisation, identifier)
    # Whose token is good is told that no format is asked for in that way.
    eventually(lambda: ingest.ask("DELETE", sender.path).status == 405, why="still unknown")


def assert_books_balance(sender: Sender) -> None:
    """Received = stored + duplicate + set aside + refused, and the table agrees (G8, P19)."""
    books = sender.books()
    parts = sum(books.get(name, 0) for name in ("stored", "duplicate", "set_aside", "refused"))
    assert books.get("received", 0) == parts
    assert books.get("stored", 0) == len(sender.positions())


def verdict(promise: str, count: int, missing: int) -> None:
    """Print the one line that a proof leaves behind."""
    print(f"{promise}: {count} acknowledged, {missing} missing or twice:", end=" ")  # noqa: T201
    print("held" if not missing else "BROKEN")  # noqa: T201
