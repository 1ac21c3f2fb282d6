"""P9: within 10 s after any fault each view equals the database, and none goes backwards."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from accounts.models import Organisation, User
from assets.models import Asset
from core.broadcast import Publisher
from positions import latest_columns
from tests import builders
from tests.live.conftest import RedisServer, Socket, commit, eventually
from tests.live.world import by_id, moved

Open = Callable[..., Socket]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
WITHIN_S = 10.0


@pytest.fixture
def consoles(open_socket: Open, viewer: User) -> list[Socket]:
    """Return twenty viewers who see the same map."""
    token = builders.make_api_token(viewer)
    sockets = [open_socket(token) for _ in range(20)]
    for console in sockets:
        console.subscribe()
        console.until(lambda client: client.snapshots)
    return sockets


def all_equal_the_database(consoles: list[Socket], north: Organisation) -> None:
    """All of them read side by side, and have one deadline together."""
    truth = by_id(latest_columns.read_columns([north.pk]).as_lists())
    end = time.monotonic() + WITHIN_S
    while any(console.client.assets != truth for console in consoles):
        assert time.monotonic() < end, "a view does not equal the database in time"
        for console in consoles:
            console.take(0.005)


@pytest.mark.fault("F-093")
def test_views_recover_after_redis_was_killed_and_came_back_empty(
    consoles: list[Socket], van: Asset, north: Organisation, own_redis: RedisServer,
    publisher: Publisher,
) -> None:  # fmt: skip
    publisher.put([commit(van, 0)])
    all_equal_the_database(consoles, north)

    own_redis.kill()
    publisher.put([commit(van, 1)])
    own_redis.start()

    all_equal_the_database(consoles, north)


def test_views_recover_while_redis_is_away(
    consoles: list[Socket], van: Asset, north: Organisation, own_redis: RedisServer
) -> None:
    own_redis.kill()
    try:
        commit(van, 0)

        all_equal_the_database(consoles, north)
    finally:
        own_redis.start()


def test_views_recover_when_a_process_died_between_commit_and_frame(
    consoles: list[Socket], van: Asset, north: Organisation
) -> None:
    commit(van, 0)

    all_equal_the_database(consoles, north)


def test_a_dropped_frame_is_replaced(
    consoles: list[Socket], van: Asset, north: Organisation, publisher: Publisher
) -> None:
    publisher.put([commit(van, 0)])
    all_equal_the_database(consoles, north)

    with publisher._wake:
        publisher._number += 1
    commit(van, 5)
    publisher.put([moved(north.pk, {})])

    all_equal_the_database(consoles, north)


def test_the_publisher_neither_blocks_nor_raises_while_redis_is_away(
    own_redis: RedisServer, publisher: Publisher, caplog
) -> None:
    frame = [moved(1, {})]
    own_redis.kill()
    try:
        for _ in range(50):
            publisher.put(frame)
        eventually(lambda: "do not reach Redis" in caplog.text)
        broken = caplog.text.count("do not reach Redis")
    finally:
        own_redis.start()
    publisher.put(frame)

    eventually(lambda: not publisher._is_broken)
    assert broken == 1
