"""The promises of every intake log: the contract of its adapters."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Unavailable
from tests.intake import logs
from tests.intake.logs import ADAPTERS, PLENTY, Adapter, delivery, numbers
from tracker.intake.intake_log import IntakeLog
from tracker.road.delivery import Delivery

Open = Callable[..., IntakeLog]


@pytest.fixture(params=ADAPTERS.values(), ids=str)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    found: Adapter = request.param
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def log(adapter: Adapter, folder: Path) -> IntakeLog:
    return adapter.open(folder, PLENTY)


def successor(adapter: Adapter, folder: Path, deed: Callable[[IntakeLog], None]) -> IntakeLog:
    """Let another process do a deed to a log, kill it, and return who comes after it."""
    with logs.process(adapter, folder, deed.__name__) as other:
        logs.said(other)
        other.kill()
    return adapter.open(folder, PLENTY)


def taken(log: IntakeLog, at_most: int = 1000) -> list[Delivery]:
    """Take a batch, be done with it, and return what was in it."""
    batch = log.take(at_most)
    if batch is None:
        return []
    batch.done()
    return list(batch.deliveries)


def all_taken(log: IntakeLog) -> list[Delivery]:
    found: list[Delivery] = []
    while more := taken(log):
        found += more
    return found


def appended_until_full(log: IntakeLog) -> int:
    """Append deliveries until one is refused; return how many were not."""
    for number in count():
        try:
            log.append([delivery(number)])
        except Unavailable:
            return number
    raise AssertionError("it is never full")


def test_what_is_appended_is_given_as_it_was(log):
    sent = [delivery(1), delivery(2, observations=3), delivery(3, observations=0)]

    log.append(sent)

    assert taken(log) == sent
    assert log.take(1000) is None


def test_nothing_waits_in_an_empty_log(log):
    assert log.take(1000) is None
    assert log.waiting_bytes() == 0


@pytest.mark.field("H-26")
def test_many_small_parts_come_as_one_batch(log):
    for number in range(5):
        log.append([delivery(number, observations=2)])

    batches = [numbers(taken(log, at_most=6)) for _ in range(3)]

    assert batches == [[0, 1, 2], [3, 4], []]


def test_a_part_that_is_larger_than_a_batch_comes_whole_and_alone(log):
    log.append([delivery(1)])
    log.append([delivery(2, observations=9), delivery(3)])

    assert [numbers(taken(log, at_most=4)) for _ in range(2)] == [[1], [2, 3]]


def test_what_is_not_done_is_given_again_and_what_is_done_is_not(log):
    for number in range(3):
        log.append([delivery(number)])

    first, again = log.take(2), log.take(2)

    assert first is not None
    assert again is not None
    assert numbers(again.deliveries) == numbers(first.deliveries) == [0, 1]
    again.done()
    assert numbers(all_taken(log)) == [2]


def test_what_waits_is_counted_until_it_is_done(log):
    log.append([delivery(1)])
    batch = log.take(1000)

    waiting = log.waiting_bytes()
    batch.done()

    assert (waiting > 100, log.waiting_bytes()) == (True, 0)


def test_what_comes_while_a_batch_is_out_waits_for_the_next(log):
    log.append([delivery(1)])
    batch = log.take(1000)

    log.append([delivery(2)])
    batch.done()

    assert numbers(all_taken(log)) == [2]


def test_unstorable_deliveries_are_quarantined_and_not_taken_again(adapter, folder, log):
    log.append([delivery(1), delivery(2)])
    batch = log.take(1000)

    batch.done(unstorable=[batch.deliveries[1]])

    assert log.take(1000) is None
    assert log.waiting_bytes() == 0
    (kept,) = adapter.quarantined(folder)
    assert b"van-2" in kept
    assert b"van-1" not in kept


@pytest.mark.law(2)
@pytest.mark.fault("F-148")
def test_what_was_appended_is_there_though_its_process_was_killed(adapter, folder):
    log = successor(adapter, folder, logs.append_three)

    assert numbers(all_taken(log)) == [0, 1, 2]


@pytest.mark.law(2)
@pytest.mark.fault("F-148")
def test_a_process_killed_between_take_and_done_leaves_all_of_it(adapter, folder):
    log = successor(adapter, folder, logs.take_two_of_three)

    assert numbers(all_taken(log)) == [0, 1, 2]


def test_a_full_log_refuses_keeps_nothing_of_it_and_has_room_again_later(adapter, folder):
    log = adapter.open(folder, 2_000)
    acknowledged = appended_until_full(log)

    before = numbers(all_taken(log))
    log.append([delivery(99)])

    assert before == list(range(acknowledged))
    assert acknowledged > 2
    assert numbers(all_taken(log)) == [99]


@pytest.mark.fault("F-148")
def test_a_full_disk_costs_nothing_that_was_acknowledged(adapter, folder):
    with logs.process(adapter, folder, logs.fill_a_small_disk.__name__) as other:
        acknowledged = logs.said(other)
        other.kill()

    found = numbers(all_taken(adapter.open(folder, PLENTY)))

    assert acknowledged > 10
    assert sorted(found) == list(range(acknowledged))


def test_a_damaged_record_is_quarantined_and_the_others_are_taken(adapter, folder, log):
    for number in range(3):
        log.append([delivery(number)])
    adapter.damage(folder)

    found = numbers(all_taken(log))

    assert found == [0, 2]
    assert len(adapter.quarantined(folder)) == 1
    assert log.waiting_bytes() == 0


def test_all_who_append_at_once_are_kept(log):
    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(lambda number: log.append([delivery(number)]), range(80)))

    assert sorted(numbers(all_taken(log))) == list(range(80))


@settings(max_examples=40, deadline=None)
@given(
    deeds=st.lists(
        st.one_of(
            st.lists(st.integers(0, 5), min_size=1, max_size=3),
            st.sampled_from(["take", "take and done"]),
        ),
        max_size=12,
    ),
    at_most=st.integers(1, 8),
)
@pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=str)
def test_whatever_the_order_each_part_is_done_once(adapter, tmp_path_factory, deeds, at_most):
    log = adapter.open(tmp_path_factory.mktemp("log") / "log", PLENTY)
    names, done = count(), []
    appended = 0
    for deed in deeds:
        if isinstance(deed, list):
            log.append([delivery(next(names), observations=size) for size in deed])
            appended += len(deed)
        elif deed == "take":
            log.take(at_most)
        else:
            done += numbers(taken(log, at_most))

    done += numbers(all_taken(log))

    assert sorted(done) == list(range(appended))
    assert log.waiting_bytes() == 0
