"""What is rare reaches a socket by the channel layer, at once, and in the end also without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
import redis

from accounts import actions
from accounts.models import ApiToken, Membership, Organisation, User
from alerts.changed_alerts import ChangedAlert
from alerts.models import AlertChange
from assets.models import Asset
from core import broadcast
from core.socket_groups import organisation_group
from geofence.models import Geofence
from tests import builders
from tests.alerts.scenes import crossing_of, judge, make_geofence, make_rule
from tests.live.conftest import (
    Daphne,
    RedisServer,
    Socket,
    close_code,
    commit,
    eventually,
    start_daphne,
    stop_daphne,
    subscribed,
)  # fmt: skip

Open = Callable[..., Socket]
CHANGED = {"type": "changed", "what": "alerts"}

pytestmark = pytest.mark.django_db(transaction=True)

# Sooner than the hub would find it by itself: it checks access every 3 s and alerts every 5 s.
AT_ONCE_S = 1.5


@pytest.fixture
def daphne(django_db_setup: None, own_redis: RedisServer) -> Iterator[Daphne]:
    """Return a web process of each test's own: numbers of alerts begin anew with its database."""
    server = start_daphne(own_redis.url)
    yield server
    stop_daphne(server)


@pytest.fixture(autouse=True)
def same_layer(settings: Any, own_redis: RedisServer) -> None:
    """Let what is sent here reach the web process of these tests."""
    layers = deepcopy(settings.CHANNEL_LAYERS)
    layers["default"]["CONFIG"]["hosts"][0]["address"] = own_redis.url
    settings.CHANNEL_LAYERS = layers


@pytest.fixture(autouse=True)
def something_to_see(van: Asset) -> None:
    """Let there be a first frame that these consoles acknowledge."""
    commit(van, 0)


@pytest.fixture
def redis_away(own_redis: RedisServer) -> Iterator[RedisServer]:
    own_redis.kill()
    yield own_redis
    if own_redis.process is None:
        own_redis.start()


def alerted(van: Asset) -> ChangedAlert:
    """Raise an alert, and return what the road hears of it."""
    depot = make_geofence(van.organisation)
    make_rule(depot)
    (raised,) = judge(crossing_of(van, depot))
    return raised


def publish(raised: ChangedAlert) -> None:
    broadcast.publish(
        [broadcast.Alerted(organisation_id=raised.organisation_id, number=raised.number)]
    )


def numbers(console: Socket) -> list[int]:
    return [frame["number"] for frame in console.client.others if frame["type"] == "alert"]


def test_a_raised_alert_is_sent_at_once_to_who_may_see_it(
    open_socket: Open, token: str, stranger: User, dispatcher: User, van: Asset
) -> None:
    ours = subscribed(open_socket, token)
    theirs = subscribed(open_socket, builders.make_api_token(stranger))
    of_provider = subscribed(open_socket, builders.make_api_token(dispatcher))

    raised = alerted(van)
    publish(raised)

    ours.until(lambda client: numbers(ours) == [raised.number], AT_ONCE_S)
    of_provider.until(lambda client: numbers(of_provider) == [raised.number], AT_ONCE_S)
    theirs.take(0.5)
    assert numbers(theirs) == []


def test_an_alert_whose_nudge_was_lost_is_found_in_the_database(
    open_socket: Open, token: str, van: Asset
) -> None:
    console = subscribed(open_socket, token)

    raised = alerted(van)

    console.until(lambda client: numbers(console) == [raised.number])


@pytest.mark.fault("F-089")
def test_a_removed_member_sees_nothing_more_at_once(
    open_socket: Open, viewer: User, token: str, van: Asset, north: Organisation
) -> None:
    console = subscribed(open_socket, token)
    membership = Membership.objects.get(user=viewer, organisation=north)

    actions.remove_member(membership=membership)

    console.until(lambda client: not client.assets, AT_ONCE_S)


@pytest.mark.fault("F-089")
def test_a_revoked_token_closes_its_sockets_at_once(open_socket: Open, token: str) -> None:
    console = subscribed(open_socket, token)

    actions.revoke_api_token(token=ApiToken.objects.get())

    assert close_code(console, AT_ONCE_S) == 4401


def test_a_new_member_is_nudged_about_the_new_organisation(
    open_socket: Open, viewer: User, token: str, south: Organisation
) -> None:
    console = subscribed(open_socket, token)

    actions.add_member(organisation=south, role=Membership.Role.VIEWER, user=viewer)
    console.until(lambda client: client.snapshots == 2, AT_ONCE_S)
    raised = alerted(builders.make_van(south))
    publish(raised)

    console.until(lambda client: numbers(console) == [raised.number], AT_ONCE_S)


@pytest.mark.fault("F-093")
def test_a_socket_opens_while_redis_is_away(
    open_socket: Open, token: str, van: Asset, redis_away: RedisServer
) -> None:
    console = subscribed(open_socket, token)

    raised = alerted(van)

    console.until(lambda client: numbers(console) == [raised.number])


@pytest.mark.fault("F-093")
def test_open_sockets_are_nudged_again_once_redis_is_back(
    open_socket: Open, token: str, north: Organisation, own_redis: RedisServer
) -> None:
    subscribed(open_socket, token)
    own_redis.kill()
    own_redis.start()

    group = f"asgi__group__{organisation_group(north.pk)}"
    with redis.Redis.from_url(own_redis.url) as client:
        eventually(lambda: client.pubsub_numsub(group) == [(group.encode(), 1)], within_s=20.0)


@pytest.mark.field("H-15")
def test_a_console_that_knows_later_numbers_than_the_database_hears_of_new_alerts(
    open_socket: Open, token: str, van: Asset
) -> None:
    console = open_socket(token)

    console.say('{"type":"subscribe","epoch":null,"seq":0,"alerts_after":9000}')
    console.until(lambda client: client.snapshots)
    console.until(lambda client: CHANGED in client.others)
    raised = alerted(van)

    console.until(lambda client: numbers(console) == [raised.number])


@pytest.mark.field("H-15")
def test_a_console_of_another_epoch_reads_the_list_again(open_socket: Open, token: str) -> None:
    console = open_socket(token)

    console.say('{"type":"subscribe","epoch":"another","seq":7,"alerts_after":0}')

    console.until(lambda client: CHANGED in client.others)


@pytest.mark.field("H-15")
def test_an_open_console_begins_anew_when_the_database_goes_back(
    open_socket: Open, token: str, van: Asset
) -> None:
    console = subscribed(open_socket, token)
    first = alerted(van)
    console.until(lambda client: numbers(console) == [first.number])
    epoch = console.client.epoch

    AlertChange.objects.all().delete()
    console.until(lambda client: CHANGED in client.others, 15)
    console.until(lambda client: client.epoch != epoch)
    (again,) = judge(crossing_of(van, Geofence.objects.get(), kind="exit"))

    console.until(lambda client: numbers(console)[-1] == again.number)
