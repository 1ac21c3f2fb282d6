"""Somebody sets the clock of the machine, ingest's and the database's, while senders send."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.hardships import Clock, Cluster, OpenLoop
from tests.ingest.world import (
    Database,
    Ingest,
    assert_books_balance,
    eventually,
    know,
    make_sender,
    running,
    verdict,
)

pytestmark = [pytest.mark.slow]
HOUR_S = 3600


@pytest.fixture
def machine(
    ingest_database: Database, django_db_blocker: Any, tmp_path: Path
) -> Iterator[tuple[Clock, Ingest]]:
    """Return a clock, and an ingest process that lives by it, as its PostgreSQL does."""
    cluster = Cluster.make()
    clock = Clock(cluster.home)
    cluster.environment = clock.environment
    with ExitStack() as stack:
        stack.callback(cluster.discard)
        cluster.start()
        cluster.copy_schema_of(ingest_database)
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(cluster.database.in_use())
        ingest = Ingest(cluster.database.url, tmp_path / "spool", clock.environment)
        yield clock, stack.enter_context(running(ingest))


@pytest.mark.fault("F-052")
def test_a_clock_that_is_set_under_load_holds_nobody_up_and_loses_nothing(
    machine: tuple[Clock, Ingest],
):
    clock, ingest = machine
    sender = make_sender()
    know(ingest, sender)

    with OpenLoop(sender, ingest.port, 20.0) as load:
        for ahead_s in (0, HOUR_S, -HOUR_S, 0):
            clock.set(ahead_s)
            time.sleep(2.0)
    eventually(ingest.is_drained, why="the spool is not drained")

    stored = {row.measured_at for row in sender.positions()}
    lost = len(set(load.acknowledged) - stored)
    verdict("clock set an hour forward and back", len(load.acknowledged), lost)
    assert all(one.is_acknowledged for one in load.sent)
    assert max(one.took_s for one in load.sent) < 5.0
    assert lost == 0
    assert_books_balance(sender)
    # It was not the true time that they lived by.
    received = [row.received_at for row in sender.positions()]
    assert max(received) - min(received) > timedelta(seconds=1.9 * HOUR_S)
