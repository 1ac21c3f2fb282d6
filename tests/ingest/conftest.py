"""One ingest process for all tests that need no settings of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import setup_databases

from tests.ingest.hardships import Cluster, Wire
from tests.ingest.world import (
    Database,
    Ingest,
    Sender,
    copy_of,
    eventually,
    know,
    make_sender,
    running,
)
from tests.ingest.world import test_database as the_test_database
from tracker.intake.spool import QUARANTINED


@pytest.fixture(scope="session")
def ingest_database(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any
) -> Iterator[Database]:
    """Return a database whose rows are committed, apart from that of the other tests."""
    with django_db_blocker.unblock():
        if not connection.settings_dict["NAME"].startswith("test_"):
            # None of the tests of this run asks for the database of the others.
            keeps = not request.config.getvalue("create_db")
            setup_databases(
                0, False, keepdb=keeps, aliases={"default": None}, serialized_aliases=[]
            )
        connection.close()
    with copy_of(the_test_database(), "ingest") as database:
        yield database


@pytest.fixture
def database(ingest_database: Database, django_db_blocker: Any) -> Iterator[Database]:
    """Let builders and models work on the database of the ingest process."""
    with django_db_blocker.unblock(), ingest_database.in_use():
        yield ingest_database


@pytest.fixture(scope="session")
def shared_ingest(
    ingest_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ingest]:
    spool = tmp_path_factory.mktemp("ingest") / "spool"
    with running(Ingest(ingest_database.url, spool)) as ingest:
        yield ingest
        # Whatever the tests of this session sent it: nothing of it was our fault (F-026).
        assert "Traceback" not in ingest.log


@pytest.fixture
def ingest(shared_ingest: Ingest, database: Database) -> Ingest:
    """Return a running ingest process that nobody may disturb."""
    return shared_ingest


@pytest.fixture
def start(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Ingest]]:
    """Return a function that starts an ingest process with settings of its own."""
    with ExitStack() as stack:

        def started(**settings: str) -> Ingest:
            spool = tmp_path_factory.mktemp("own") / "spool"
            return stack.enter_context(running(Ingest(database.url, spool, settings)))

        yield started


@pytest.fixture(scope="session")
def strangers() -> list[Sender]:
    """Return senders of our own JSON whom the ingest process knows, and whom no test has had."""
    return []


@pytest.fixture
def sender(ingest: Ingest, strangers: list[Sender]) -> Sender:
    """Return a sender of our own JSON whom the ingest process knows."""
    if not strangers:
        # Many at once: it takes the process half a second to hear of them.
        strangers += [make_sender() for _ in range(20)]
        know(ingest, strangers[-1])
    return strangers.pop()


@pytest.fixture(scope="module")
def own_wire(ingest_database: Database) -> Iterator[Wire]:
    made = Wire(ingest_database)
    made.open()
    yield made
    made.close()


@pytest.fixture
def wire(own_wire: Wire, database: Database) -> Iterator[Wire]:
    """Return a wire to the database of the ingest processes, to be cut."""
    yield own_wire
    own_wire.mend()


@pytest.fixture(scope="module")
def own_far_ingest(own_wire: Wire, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    made = Ingest(own_wire.url, tmp_path_factory.mktemp("far") / "spool")
    yield made
    made.kill()


@pytest.fixture
def far_ingest(own_far_ingest: Ingest, wire: Wire) -> Iterator[Ingest]:
    """Return an ingest process at the end of that wire, which may be killed."""
    if not own_far_ingest.is_running:
        own_far_ingest.start()
    yield own_far_ingest
    wire.mend()
    if own_far_ingest.is_running:
        eventually(own_far_ingest.is_drained)
    for quarantined in own_far_ingest.spool.glob(f"*{QUARANTINED}"):
        quarantined.unlink()


@pytest.fixture(scope="session")
def own_cluster(ingest_database: Database) -> Iterator[Cluster]:
    made = Cluster.make()
    try:
        made.start()
        made.copy_schema_of(ingest_database)
        yield made
    finally:
        made.discard()


@pytest.fixture
def cluster(own_cluster: Cluster, django_db_blocker: Any) -> Iterator[Cluster]:
    """Return a PostgreSQL that may be killed; builders and models work on its database."""
    own_cluster.start()
    with django_db_blocker.unblock(), own_cluster.database.in_use():
        yield own_cluster
    own_cluster.thaw()


@pytest.fixture
def frail_ingest(cluster: Cluster, tmp_path: Path) -> Iterator[Ingest]:
    """Return an ingest process over the PostgreSQL that may be killed."""
    with running(Ingest(cluster.database.url, tmp_path / "spool")) as ingest:
        yield ingest
