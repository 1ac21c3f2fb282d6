"""Several ingest processes behind one port: one door, whoever of them answers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from tests.builders import MORNING
from tests.ingest.world import (
    Ingest,
    Sender,
    assert_books_balance,
    eventually,
    make_sender,
    running,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def two(database, tmp_path) -> Iterator[Ingest]:
    with running(Ingest(database.url, tmp_path / "spool", workers=2)) as ingest:
        yield ingest


def children(ingest: Ingest) -> set[int]:
    text = Path(f"/proc/{ingest.pid}/task/{ingest.pid}/children").read_text()
    return {int(pid) for pid in text.split()}


def know_both(ingest: Ingest, sender: Sender) -> None:
    """Wait until whoever answers knows the sender: so many times in a row it is not one alone."""
    eventually(lambda: all(ingest.ask("DELETE", sender.path).status == 405 for _ in range(16)))


def is_running(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_what_either_takes_is_stored_once_and_counted_for_both(two):
    sender = make_sender()
    know_both(two, sender)
    said = [sender.says(MORNING + timedelta(minutes=n)) for n in range(40)]

    # A connection each: they come to either.
    answers = [two.post(sender.path, one) for one in said + said]

    assert {answer.status for answer in answers} == {200}
    assert sender.books() == {"received": 80, "stored": 40, "duplicate": 40}
    assert_books_balance(sender)
    eventually(lambda: two.metric("observations_total") == 80, why="one counts for itself")


def test_one_that_dies_is_replaced_and_the_door_stays_open(two):
    sender = make_sender()
    before = children(two)
    os.kill(min(before), signal.SIGKILL)

    eventually(lambda: len(children(two) - before) == 1, why="nobody took its place")

    know_both(two, sender)
    assert two.post(sender.path, sender.says()).status in (200, 202)


def test_what_one_counted_before_it_died_stays_counted(two):
    sender = make_sender()
    know_both(two, sender)
    two.post(sender.path, sender.says())
    eventually(lambda: two.metric("observations_total") == 1)
    before = children(two)

    for pid in before:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: len(children(two) - before) == 2, why="nobody took their place")

    eventually(two.is_up)
    assert two.metric("observations_total") == 1
    assert two.metric("waiting_observations") == 0


def test_all_end_when_the_first_is_told_to(two):
    pids = children(two)

    assert two.stop() == 0

    assert not any(is_running(pid) for pid in pids)


def test_none_outlives_a_parent_that_was_killed(two):
    pids = children(two)

    two.kill()

    eventually(lambda: not any(is_running(pid) for pid in pids), 30.0, "one is left behind")
