"""One viewer's pace: what it gets when it keeps up, lags, hides and comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.live.world import Client, rows, state
from tracker.live.connection import CROSSINGS_KEPT, Allowance, ViewerConnection
from tracker.live.frames import Subscribe
from tracker.live.table import Table

NORTH, VAN = 10, 1


@pytest.fixture
def table() -> Table:
    table = Table()
    table.correct(rows(NORTH, {VAN: state(1)}), read_at=0, complete_for=None)
    return table


@pytest.fixture
def connection(table: Table) -> ViewerConnection:
    """Return a viewer that subscribed and acknowledged its snapshot at second 0."""
    connection = ViewerConnection(table, frozenset({NORTH}), tick_s=0.25, allowance=Allowance())
    connection.subscribe(Subscribe(), now=0.0)
    heard(connection, 0.0)
    connection.ack(connection.seq, now=0.0)
    return connection


def heard(connection: ViewerConnection, now: float) -> list[dict[str, Any]]:
    return [json.loads(text) for text in connection.frames(now=now, server_time=7)]


def types(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in frames]


def move(table: Table, second: int) -> None:
    table.tick([rows(NORTH, {VAN: state(second)})])


def test_nothing_is_said_before_the_subscription(table: Table) -> None:
    connection = ViewerConnection(table, None, tick_s=0.25, allowance=Allowance())

    assert heard(connection, 100.0) == []


def test_no_snapshot_is_sent_before_the_database_was_read() -> None:
    connection = ViewerConnection(Table(), None, tick_s=0.25, allowance=Allowance())
    connection.subscribe(Subscribe(), now=0.0)

    assert heard(connection, 1.0) == []


def test_a_change_is_sent_at_the_next_tick(table: Table, connection: ViewerConnection) -> None:
    move(table, 2)

    assert types(heard(connection, 0.25)) == ["delta"]


def test_a_viewer_is_sent_changes_at_most_once_a_tick(
    table: Table, connection: ViewerConnection
) -> None:
    move(table, 2)
    heard(connection, 0.25)
    move(table, 3)

    assert heard(connection, 0.35) == []


def test_when_nothing_moves_there_is_a_heartbeat(connection: ViewerConnection) -> None:
    assert heard(connection, 8.0) == []
    assert heard(connection, 9.5) == [{"type": "heartbeat", "server_time": 7}]


@pytest.mark.fault("F-092")
def test_a_viewer_that_does_not_acknowledge_gets_nothing_after_two_seconds(
    table: Table, connection: ViewerConnection
) -> None:
    sent = 0
    for quarter in range(1, 241):
        move(table, quarter)
        sent += types(heard(connection, quarter / 4)).count("delta")

    assert sent <= 8


@pytest.mark.fault("F-092")
def test_what_it_missed_comes_as_one_frame_with_the_newest_row(
    table: Table, connection: ViewerConnection
) -> None:
    move(table, 2)
    heard(connection, 0.25)
    for second in range(3, 60):
        move(table, second)
        heard(connection, float(second))

    connection.ack(connection.seq, now=61.0)

    frames = [frame for frame in heard(connection, 70.0) if frame["type"] == "delta"]
    assert [frame["assets"]["measured_at"] for frame in frames] == [[59_000]]


def test_lagging_slows_the_tick_and_keeping_up_restores_it(
    table: Table, connection: ViewerConnection
) -> None:
    move(table, 2)
    heard(connection, 0.25)
    move(table, 3)
    heard(connection, 3.0)
    connection.ack(connection.seq, now=3.0)
    [slow] = heard(connection, 4.0)
    connection.ack(connection.seq, now=4.1)
    move(table, 4)
    [fast] = heard(connection, 5.0)

    assert (slow["tick_ms"], fast["tick_ms"]) == (500, 250)


def test_a_hidden_tab_is_sent_only_heartbeats(table: Table, connection: ViewerConnection) -> None:
    connection.is_paused = True
    move(table, 2)

    assert types(heard(connection, 20.0)) == ["heartbeat"]


@pytest.mark.fault("F-094")
def test_coming_back_with_the_last_number_brings_only_what_was_missed(
    table: Table, connection: ViewerConnection
) -> None:
    move(table, 2)
    again = ViewerConnection(table, frozenset({NORTH}), tick_s=0.25, allowance=Allowance())

    again.subscribe(Subscribe(epoch=connection.epoch, seq=connection.seq), now=1.0)

    [frame] = heard(again, 1.0)
    assert (frame["type"], frame["prev"]) == ("delta", connection.seq)


@pytest.mark.parametrize(("epoch", "seq"), [("another", 1), (None, 1), ("same", 999), ("same", -1)])
def test_coming_back_from_anywhere_else_brings_a_snapshot(
    connection: ViewerConnection, table: Table, epoch: str | None, seq: int
) -> None:
    epoch = connection.epoch if epoch == "same" else epoch
    again = ViewerConnection(table, frozenset({NORTH}), tick_s=0.25, allowance=Allowance())

    again.subscribe(Subscribe(epoch=epoch, seq=seq), now=1.0)

    assert types(heard(again, 1.0)) == ["snapshot"]


@pytest.mark.fault("F-089")
def test_other_rights_bring_another_snapshot_and_word_to_read_all_lists_again(
    connection: ViewerConnection,
) -> None:
    client = Client()

    connection.permit(frozenset({20}))
    for text in connection.frames(now=1.0, server_time=0):
        client.take(text)

    assert client.assets == {}
    assert {frame["what"] for frame in client.others} == {
        "alerts", "assets", "crossings", "geofences",
    }  # fmt: skip


def test_after_too_many_crossings_the_list_must_be_read_again(
    connection: ViewerConnection,
) -> None:
    connection.is_paused = True
    for number in range(CROSSINGS_KEPT + 5):
        connection.add_crossing(json.dumps({"type": "crossing", "crossing": number}))
    connection.is_paused = False

    frames = heard(connection, 1.0)

    assert frames[0] == {"type": "changed", "what": "crossings"}
    assert [frame["crossing"] for frame in frames[1:]] == [101, 102, 103, 104]


def test_snapshots_wait_for_their_turn_when_many_are_due(table: Table) -> None:
    allowance = Allowance(per_tick=1, left=1)
    first, second = (
        ViewerConnection(table, None, tick_s=0.25, allowance=allowance) for _ in range(2)
    )
    first.subscribe(Subscribe(), now=0.0)
    second.subscribe(Subscribe(), now=0.0)

    assert types(heard(first, 0.0)) == ["snapshot"]
    assert heard(second, 0.0) == []
