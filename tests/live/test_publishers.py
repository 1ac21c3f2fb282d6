"""How a hub notices that frames were lost."""

from __future__ import annotations

import pytest

from core.broadcast import Changed, Message
from tracker.live.publishers import GRACE_S, SILENCE_S, Publishers

FRAME = Changed(organisation_id=1, what="assets")


def spoken(number: int) -> Message:
    return Message(publisher="ingest", number=number, frames=[FRAME])


def beat(number: int, *, is_resting: bool = False) -> Message:
    return Message(publisher="ingest", number=number, is_resting=is_resting)


@pytest.fixture
def publishers() -> Publishers:
    """Return what a hub knows that has listened since second 0 and heard message 5."""
    publishers = Publishers(now=0.0)
    publishers.record(spoken(5), now=1.0)
    return publishers


def test_the_next_number_is_no_loss(publishers: Publishers) -> None:
    assert not publishers.record(spoken(6), now=2.0)


def test_a_number_left_out_is_a_loss(publishers: Publishers) -> None:
    assert publishers.record(spoken(7), now=2.0)


def test_a_loss_is_reported_once(publishers: Publishers) -> None:
    publishers.record(spoken(7), now=2.0)

    assert not publishers.record(spoken(8), now=3.0)


def test_a_heartbeat_shows_that_the_last_message_was_lost(publishers: Publishers) -> None:
    assert publishers.record(beat(6), now=2.0)


def test_a_heartbeat_with_the_last_number_is_no_loss(publishers: Publishers) -> None:
    assert not publishers.record(beat(5), now=2.0)


def test_a_publisher_met_soon_after_listening_lost_nothing(publishers: Publishers) -> None:
    fresh = Publishers(now=0.0)

    assert not fresh.record(spoken(40), now=GRACE_S / 2)


def test_a_publisher_met_later_must_begin_with_its_first_message() -> None:
    assert not Publishers(now=0.0).record(spoken(1), now=100.0)
    assert Publishers(now=0.0).record(spoken(2), now=100.0)


def test_a_publisher_that_falls_silent_may_have_died_with_frames(publishers: Publishers) -> None:
    assert not publishers.drop_silent(now=1.0 + SILENCE_S)
    assert publishers.drop_silent(now=1.1 + SILENCE_S)
    assert not publishers.drop_silent(now=2.0 + SILENCE_S)


def test_a_publisher_that_said_goodbye_may_be_silent(publishers: Publishers) -> None:
    publishers.record(beat(5, is_resting=True), now=2.0)

    assert not publishers.drop_silent(now=1000.0)
