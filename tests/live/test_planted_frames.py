"""Frames in Redis as no publisher of ours writes them: each is left out alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import redis

from accounts.models import Organisation, User
from assets.models import Asset
from core.broadcast import channel
from positions.live_columns import NAMES
from tests import builders
from tests.builders import NOON
from tests.live.conftest import RedisServer, Socket
from tests.live.test_impossible_rows import poison
from tests.live.test_latest import put

Open = Callable[..., Socket]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def publish(own_redis: RedisServer, *frames: Any) -> None:
    body = msgspec.msgpack.encode({"publisher": "planted", "number": 1, "frames": frames})
    with redis.Redis.from_url(own_redis.url) as client:
        client.publish(channel(), body)


def crossed(crossing: dict[str, Any], organisation_id: int = 1) -> dict[str, Any]:
    return {"type": "crossed", "organisation_id": organisation_id, "crossing": crossing}


def moved_rows(ids: list[int], **columns: list[int]) -> dict[str, Any]:
    given = {name: [None] for name in NAMES} | columns
    return {"type": "moved", "organisation_id": 1, "id": ids, "columns": given}


@pytest.fixture
def console(open_socket: Open, viewer: User) -> Socket:
    socket = open_socket(builders.make_api_token(viewer))
    socket.subscribe()
    socket.until(lambda client: client.snapshots)
    return socket


@pytest.mark.field("H-1")
@pytest.mark.parametrize(
    "planted",
    [
        pytest.param("text", id="no object"),
        pytest.param({"type": "moved"}, id="no members"),
        pytest.param({"type": "told", "organisation_id": 1}, id="unknown type"),
        pytest.param(crossed({"at": b"bytes"}), id="no JSON"),
        pytest.param(crossed({"n": msgspec.msgpack.Ext(5, b"x")}), id="unknown extension"),
        pytest.param(moved_rows([2**63]), id="id beyond 64 bits"),
        pytest.param(moved_rows([1], speed_mms=[10**17]), id="speed beyond 32 bits"),
        pytest.param(moved_rows([1, 2]), id="unequal columns"),
    ],
)
def test_a_planted_frame_is_left_out_and_its_neighbour_arrives(
    console: Socket, own_redis: RedisServer, north: Organisation, planted: Any
) -> None:
    publish(own_redis, planted, crossed({"id": 7}, north.pk))

    console.until(lambda client: {"id": 7} in [f.get("crossing") for f in client.others])


@pytest.mark.field("H-1")
def test_the_hub_reconciles_beside_an_impossible_row(
    console: Socket, own_redis: RedisServer, van: Asset, south: Organisation
) -> None:
    foreign = builders.make_van(south)
    put(foreign)
    poison(foreign, "accuracy_m = 1e30")
    put(van, speed_mps=2.5, received_at=NOON + timedelta(minutes=1))

    # A loss, after which the hub reads all rows.
    publish(own_redis, "text")

    console.until(lambda client: client.assets.get(van.pk, {}).get("speed_mms") == 2500)
