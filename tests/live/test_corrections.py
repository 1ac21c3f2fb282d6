"""What the road finds reaches a real socket, corrections with old and new times."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from accounts.models import Organisation
from assets.models import Asset
from geofence.actions import draw_geofence
from tests.builders import MORNING, NINE, NOON, TEN
from tests.live.conftest import RedisServer, Socket, subscribed
from tests.road.scenes import deliver, inside, outside, square

Open = Callable[..., Socket]

pytestmark = pytest.mark.django_db(transaction=True)


class RoadsRedis(RedisServer):
    """The Redis through which the road in this process speaks."""

    @property
    def url(self) -> str:
        return str(settings.REDIS_URL)


@pytest.fixture(scope="module")
def own_redis() -> RedisServer:
    return RoadsRedis(port=0)


@pytest.fixture
def console(open_socket: Open, token: str, north: Organisation, van: Asset) -> Socket:
    """Return a console that looks at north, where a depot wants two fixes for an entry."""
    draw_geofence(
        organisation=north, name="depot", shape=square(), valid_from=MORNING, persist_fixes=2
    )
    return subscribed(open_socket, token)


def crossings(console: Socket) -> list[dict[str, Any]]:
    return [frame["crossing"] for frame in console.client.others if frame["type"] == "crossing"]


def told(console: Socket, count: int) -> dict[str, Any]:
    """Wait for the crossing of that number, and return what was said of it."""
    console.until(lambda _: len(crossings(console)) >= count, within_s=5.0)
    return crossings(console)[count - 1]


def test_an_entry_its_move_and_its_withdrawal_are_published_once_each(north, van, console):
    half = timedelta(minutes=30)
    deliver(north, [outside(van, NINE), inside(van, NOON), inside(van, NOON + half)])
    entry = told(console, 1)
    deliver(north, [inside(van, TEN)])
    moved = told(console, 2)
    deliver(north, [outside(van, TEN + half), outside(van, NOON + half / 2)])
    withdrawn = told(console, 3)

    assert (entry["kind"], entry["correction"], entry["before"]) == ("enter", None, None)
    assert (moved["id"], moved["correction"]) == (entry["id"], "moved")
    assert (moved["at"], moved["before"]["at"]) == (iso(TEN), NOON.isoformat())
    assert moved["before"]["not_before"] == NINE.isoformat()
    assert (withdrawn["id"], withdrawn["correction"]) == (entry["id"], "withdrawn")
    assert withdrawn["before"]["at"] == TEN.isoformat()
    assert len(crossings(console)) == 3


def test_a_late_visit_is_published_as_added(north, van, console):
    later = NOON + timedelta(minutes=1)
    deliver(north, [outside(van, NINE), outside(van, NOON), outside(van, later)])

    deliver(north, [inside(van, TEN), inside(van, TEN + timedelta(minutes=1))])

    added = [told(console, 1), told(console, 2)]
    assert [(one["kind"], one["correction"]) for one in added] == [
        ("enter", "added"),
        ("exit", "added"),
    ]


def iso(at: Any) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"
