"""Law 2: what was acknowledged is there, once, whatever is killed, stopped or hung.

A process kill proves nothing about power loss; that the log is flushed for each
acknowledgement is counted besides. Each proof prints one line: promise, count, verdict.
"""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders import MORNING, NINE
from tests.ingest.hardships import Cluster, OpenLoop
from tests.ingest.world import (
    Ingest,
    Sender,
    assert_books_balance,
    eventually,
    know,
    make_sender,
    verdict,
)

pytestmark = [pytest.mark.slow]

CYCLES = int(os.environ.get("KILL_CYCLES", "10"))
OUTAGE_S = float(os.environ.get("OUTAGE_S", "60"))


def missing(sender: Sender, load: OpenLoop) -> int:
    """Return how many acknowledged observations are not in the table; twice it cannot hold one."""
    stored = {row.measured_at for row in sender.positions()}
    return len(set(load.acknowledged) - stored)


def settle(ingest: Ingest, within_s: float = 30.0) -> None:
    """Wait until nothing is spooled and nothing waits."""
    eventually(ingest.is_drained, within_s, "the spool is not drained")
    eventually(lambda: ingest.metric("waiting_observations") == 0)


def not_acknowledged(load: OpenLoop) -> list[Any]:
    return [one.status for one in load.sent if not one.is_acknowledged]


@pytest.mark.law(2)
@pytest.mark.fault("F-148", "F-001")
def test_nothing_acknowledged_is_lost_when_everything_is_killed(
    cluster: Cluster, frail_ingest: Ingest
):
    chance = random.Random(2)
    senders = [make_sender() for _ in range(4)]
    know(frail_ingest, senders[-1])

    with ExitStack() as stack:
        loads = [
            stack.enter_context(OpenLoop(sender, frail_ingest.port, 40.0)) for sender in senders
        ]
        for _ in range(CYCLES):
            time.sleep(chance.uniform(0.5, 2.0))
            victims = [frail_ingest.kill, cluster.kill]
            chance.shuffle(victims)
            for kill in victims:
                kill()
                time.sleep(chance.choice([0.0, 0.0, 0.2, 1.0, 3.0]))
            cluster.start()
            frail_ingest.start()
        time.sleep(1.0)

    settle(frail_ingest)
    lost = sum(missing(sender, load) for sender, load in zip(senders, loads, strict=True))
    total = sum(len(load.acknowledged) for load in loads)
    verdict(f"P1, P2: killed {CYCLES} times", total, lost)
    assert lost == 0
    assert total > 20 * CYCLES
    for sender in senders:
        assert_books_balance(sender)


@pytest.mark.law(2)
@pytest.mark.fault("F-001")
def test_one_fix_survives_that_all_is_killed_right_after_its_answer(
    cluster: Cluster, frail_ingest: Ingest
):
    sender = make_sender()
    know(frail_ingest, sender)

    answer = frail_ingest.post(sender.path, sender.says())
    cluster.kill()
    frail_ingest.kill()

    cluster.start()
    assert answer.json()["disposition"] == "stored"
    assert [row.measured_at for row in sender.positions()] == [NINE]
    assert sender.books() == {"received": 1, "stored": 1}


@pytest.mark.law(2)
@pytest.mark.fault("F-148", "F-166")
def test_a_sender_that_never_repeats_loses_nothing_while_the_database_is_down(
    cluster: Cluster, frail_ingest: Ingest
):
    sender = make_sender()
    know(frail_ingest, sender)

    with OpenLoop(sender, frail_ingest.port, 20.0) as load:
        time.sleep(2.0)
        cluster.kill()
        time.sleep(OUTAGE_S)
        cluster.start()
        eventually(lambda: frail_ingest.ask("GET", "/readyz").status == 200, 10.0, "still down")
        time.sleep(1.0)

    settle(frail_ingest)
    lost = missing(sender, load)
    verdict(f"P11: database down for {OUTAGE_S:g} s", len(load.acknowledged), lost)
    assert not_acknowledged(load) == []
    assert lost == 0
    assert len(sender.positions()) == len(load.sent)
    assert_books_balance(sender)


@pytest.mark.law(2)
@pytest.mark.fault("F-150", "F-166")
def test_a_database_that_hangs_holds_nobody_up(cluster: Cluster, frail_ingest: Ingest):
    sender = make_sender()
    know(frail_ingest, sender)
    descriptors = Path(f"/proc/{frail_ingest.pid}/fd")
    most = 0

    with OpenLoop(sender, frail_ingest.port, 20.0) as load:
        time.sleep(1.0)
        cluster.freeze()
        until = time.monotonic() + 20.0
        while time.monotonic() < until:
            most = max(most, len(list(descriptors.iterdir())))
            time.sleep(0.5)
        cluster.thaw()
        eventually(lambda: frail_ingest.ask("GET", "/readyz").status == 200, 10.0, "still down")
        time.sleep(1.0)

    settle(frail_ingest)
    lost = missing(sender, load)
    verdict("P11: database hung for 20 s", len(load.acknowledged), lost)
    assert not_acknowledged(load) == []
    assert lost == 0
    assert most < 250
    assert_books_balance(sender)


@pytest.mark.law(2)
@pytest.mark.fault("F-144")
def test_nothing_acknowledged_is_lost_when_it_is_told_to_end(start):
    ingest = start()
    sender = make_sender()
    know(ingest, sender)

    with OpenLoop(sender, ingest.port, 400.0) as load:
        eventually(lambda: len(load.sent) > 100)
        status = ingest.stop()

    lost = missing(sender, load)
    verdict("F-144: told to end under load", len(load.acknowledged), lost)
    assert status in (0, -signal.SIGTERM)
    assert {one.status for one in load.sent} <= {200, 202, 503, None}
    assert lost == 0
    assert_books_balance(sender)


@pytest.mark.law(2)
@pytest.mark.fault("F-149")
def test_each_acknowledgement_has_flushed_the_log(cluster: Cluster, frail_ingest: Ingest):
    sender = make_sender()
    know(frail_ingest, sender)
    frail_ingest.post(sender.path, sender.says(MORNING))
    # Sessions report what they flushed at their end at the latest.
    frail_ingest.stop()
    before = flushes(cluster)
    frail_ingest.start()

    for n in range(1, 101):
        frail_ingest.post(sender.path, sender.says(MORNING + timedelta(seconds=n)))

    frail_ingest.stop()
    made = flushes(cluster) - before
    verdict(f"P1: {made} flushes", 100, max(0, 100 - made))
    assert made >= 100
    assert len(sender.positions()) == 101


def flushes(cluster: Cluster) -> int:
    """Return how often PostgreSQL has synchronised its log with the disk."""
    with cluster.database.connect() as session:
        row = session.execute(
            "SELECT wal_sync FROM pg_stat_wal WHERE current_setting('fsync')::bool"
        ).fetchone()
    assert row is not None, "the cluster flushes"
    return int(row[0])
