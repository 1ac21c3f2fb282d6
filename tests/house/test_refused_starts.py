"""Nothing starts over a PostgreSQL that may forget what it has committed (promise P1, F-146)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from positions.durability import require_durable
from tests.ingest.hardships import Cluster
from tests.ingest.world import ROOT, Client, eventually, free_port

ENDS_WITHIN_S = 60
CELERY = ["-m", "celery", "--app", "tracker.celery"]
PROCESSES = {
    "web": ["-m", "daphne", "--port", "{port}", "tracker.asgi:application"],
    "ingest": ["-m", "tracker.ingest", "--port", "{port}"],
    "worker": [*CELERY, "worker", "--pool", "solo"],
    "beat": [*CELERY, "beat"],
    "migrate": ["manage.py", "migrate"],
    "bootstrap": ["manage.py", "bootstrap", "--json"],
}
SWITCHES_OFF = {
    "fsync of the server": "ALTER SYSTEM SET fsync = off",
    "full_page_writes of the server": "ALTER SYSTEM SET full_page_writes = off",
    "synchronous_commit of the server": "ALTER SYSTEM SET synchronous_commit = off",
    "synchronous_commit of the database": "ALTER DATABASE tracker SET synchronous_commit = off",
    "synchronous_commit of the role": "ALTER ROLE tracker SET synchronous_commit = off",
}
SWITCHES_BACK = (
    "ALTER SYSTEM RESET ALL",
    "ALTER DATABASE tracker RESET ALL",
    "ALTER ROLE tracker RESET ALL",
)


@dataclass
class Start:
    """A process of ours on its way up over a database."""

    database_url: str
    home: Path
    port: int = field(default_factory=free_port)

    @contextmanager
    def of(self, name: str) -> Iterator[subprocess.Popen[str]]:
        command = [part.format(port=self.port) for part in PROCESSES[name]]
        environment = os.environ | {
            "DATABASE_URL": self.database_url,
            "LOCAL_DIR": str(self.home),
            "SECRET_KEY": settings.SECRET_KEY,
            # Nobody listens there: refusing must not need Redis.
            "REDIS_URL": "redis://127.0.0.1:1/0",
        }
        pipe = subprocess.PIPE
        with subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environment, stdout=pipe, stderr=pipe,
            text=True,
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                process.kill()

    def of_one_that_ends(self, name: str) -> tuple[int, str, str]:
        """Return its exit status, standard output and standard error."""
        with self.of(name) as process:
            out, error = process.communicate(timeout=ENDS_WITHIN_S)
            return process.returncode, out, error


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    made = Cluster.make()
    try:
        made.start()
        yield made
    finally:
        made.discard()


@pytest.fixture
def cluster(own_cluster: Cluster) -> Iterator[Cluster]:
    """Return a PostgreSQL of the test's own, durable when the test begins."""
    own_cluster.start()
    yield own_cluster
    own_cluster.start()
    tell(own_cluster, *SWITCHES_BACK)


def tell(cluster: Cluster, *statements: str) -> None:
    """Change settings as an operator does who wants more speed than is good for him."""
    with cluster.as_admin.connect() as server:
        for statement in statements:
            server.execute(statement)
        server.execute("SELECT pg_reload_conf()")
    # The reload reaches sessions a moment later.
    eventually(lambda: is_durable(cluster) != any("off" in each for each in statements))


def is_durable(cluster: Cluster) -> bool:
    names = ("fsync", "full_page_writes", "synchronous_commit")
    with cluster.database.connect() as session:
        values = [session.execute(f"SHOW {name}").fetchone() for name in names]
    return ("off",) not in values


@pytest.fixture
def start(cluster: Cluster, tmp_path: Path) -> Start:
    return Start(cluster.database.url, tmp_path)


@pytest.mark.fault("F-146")
@pytest.mark.parametrize("setting", SWITCHES_OFF)
def test_a_setting_is_found_off_at_whatever_level(
    setting: str, cluster: Cluster, django_db_blocker: Any
) -> None:
    tell(cluster, SWITCHES_OFF[setting])

    with (
        django_db_blocker.unblock(),
        cluster.database.in_use(),
        pytest.raises(ImproperlyConfigured, match=f"{setting.split()[0]} switched off"),
    ):
        require_durable(connection)


@pytest.mark.fault("F-146")
def test_the_web_process_refuses_a_database_that_can_forget_in_one_line(
    cluster: Cluster, start: Start
) -> None:
    tell(cluster, SWITCHES_OFF["full_page_writes of the server"])

    status, out, error = start.of_one_that_ends("web")

    assert status == 1
    assert (out, len(error.splitlines())) == ("", 1)
    assert error.startswith("Refused to start: PostgreSQL has full_page_writes switched off")


@pytest.mark.slow
@pytest.mark.fault("F-146")
@pytest.mark.parametrize("name", [name for name in PROCESSES if name != "web"])
def test_no_other_process_starts_over_a_database_that_can_forget(
    name: str, cluster: Cluster, start: Start
) -> None:
    tell(cluster, SWITCHES_OFF["fsync of the server"])

    status, out, error = start.of_one_that_ends(name)

    assert status != 0
    assert "PostgreSQL has fsync" in error
    assert "Traceback" not in out + error


@pytest.mark.fault("F-146", "F-148")
def test_the_web_process_starts_without_its_database_and_says_that_it_is_not_ready(
    cluster: Cluster, start: Start
) -> None:
    cluster.kill()

    with start.of("web"):
        client = Client(start.port)
        eventually(lambda: answers(start.port), ENDS_WITHIN_S)
        alive, ready = client.ask("GET", "/healthz"), client.ask("GET", "/readyz")
        client.close()

    assert alive.status == 200
    assert (ready.status, ready.json()["errors"][0]["code"]) == (503, "unreachable")


@pytest.mark.slow
@pytest.mark.fault("F-146")
@pytest.mark.parametrize("name", ["worker", "beat"])
def test_who_waited_for_the_database_refuses_it_if_it_can_forget(
    name: str, cluster: Cluster, start: Start
) -> None:
    tell(cluster, SWITCHES_OFF["synchronous_commit of the role"])
    cluster.kill()
    with start.of(name) as process:
        wait_until_it_waits(process)

        cluster.start()
        _, error = process.communicate(timeout=ENDS_WITHIN_S)

    assert process.returncode != 0
    assert "Refused to start: PostgreSQL has synchronous_commit switched off" in error


def test_who_waits_for_the_database_can_be_told_to_end(cluster: Cluster, start: Start) -> None:
    cluster.kill()
    with start.of("worker") as process:
        wait_until_it_waits(process)

        process.send_signal(signal.SIGTERM)

        assert process.wait(10) != 0


def answers(port: int) -> bool:
    client = Client(port)
    try:
        return client.ask("GET", "/healthz").status == 200
    except OSError:
        return False
    finally:
        client.close()


def wait_until_it_waits(process: subprocess.Popen[str]) -> None:
    error = process.stderr
    assert error is not None, "a pipe was asked for"
    eventually(lambda: "does not answer" in error.readline(), ENDS_WITHIN_S)
