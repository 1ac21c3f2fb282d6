"""The last uplinks of a source and of a device, as owners and operators see them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command

from core.broadcast import connect
from tests.builders import MORNING, device_on, make_device, make_source
from uplinks.recent import KEPT, RecentUplink, RecentUplinks

RECENT = "/api/v1/uplinks/recent/"
UNKNOWN = 987_654_321

Keep = Callable[..., None]


@pytest.fixture
def network(north):
    return make_source(north, "chirpstack", name="network server")[0]


@pytest.fixture
def keep(network):
    """Return a function that keeps so many uplinks of the network server, a minute apart."""
    with connect() as client:
        client.delete(*(client.keys("uplinks:*") or ["none"]))

    def kept(device: str = "stray", count: int = 1, **members: Any) -> None:
        queue = RecentUplinks()
        for number in range(count):
            uplink = RecentUplink(
                organisation_id=network.organisation_id,
                source_id=network.pk,
                received_at=MORNING + timedelta(minutes=number),
                wire_format="chirpstack",
                message="join",
                size=number,
                devices=(device,),
                **members,
            )
            queue.put((uplink, [device]))
        queue.close(within_s=5.0)

    return kept


@pytest.fixture
def otto(api, operator):
    return api(operator)


def test_a_source_shows_its_last_uplinks_with_what_was_noted(otto, network, keep):
    keep(notes={"dev_addr": "00189440"}, dispositions={"stored": 1}, codes=("a-code",))

    (row,) = otto.get(RECENT, {"source": network.pk}).json()

    assert row == {
        "source": network.pk,
        "received_at": "2026-03-02T06:00:00.000000Z",
        "wire_format": "chirpstack",
        "message": "join",
        "size": 0,
        "devices": ["stray"],
        "dispositions": {"stored": 1},
        "codes": ["a-code"],
        "notes": {"dev_addr": "00189440"},
    }


def test_of_a_source_the_last_fifty_are_kept_the_newest_first(otto, network, keep):
    keep(count=KEPT + 20)

    rows = otto.get(RECENT, {"source": network.pk}).json()

    assert [row["size"] for row in rows] == list(range(KEPT + 19, 19, -1))


def test_a_device_shows_its_own_under_any_spelling(otto, north, keep):
    make_device(north, "0102030405060708")
    keep("0102030405060708")
    keep("another")

    rows = otto.get(RECENT, {"device": "01-02-03-04-05-06-07-08"}).json()

    assert [row["devices"] for row in rows] == [["0102030405060708"]]


def test_they_are_forgotten_some_days_after_the_last(network, keep, settings):
    settings.RECENT_UPLINKS_DAYS = 3
    keep()

    with connect() as client:
        left_s = [client.ttl(key) for key in client.keys("uplinks:*")]

    assert len(left_s) == 2
    assert all(3 * 86_400 - 60 < each <= 3 * 86_400 for each in left_s)


def test_who_never_sent_has_none(otto, network, van, keep):
    assert otto.get(RECENT, {"source": network.pk}).json() == []
    assert otto.get(RECENT, {"device": device_on(van).identifier}).json() == []


@pytest.mark.law(7)
@pytest.mark.parametrize("role", ["viewer", "stranger"])
def test_who_does_not_operate_it_is_answered_as_if_it_did_not_exist(
    role, request, api, network, van, keep
):
    client = api(request.getfixturevalue(role))
    identifier = device_on(van).identifier
    keep(identifier)

    answers = [
        client.get(RECENT, query)
        for query in (
            {"source": network.pk}, {"source": UNKNOWN}, {"device": identifier}, {"device": "none"},
        )
    ]  # fmt: skip

    assert {answer.status_code for answer in answers} == {404}


@pytest.mark.law(7)
def test_a_namesake_of_another_organisation_shows_nothing_of_it(api, stranger, south, van, keep):
    identifier = device_on(van).identifier
    make_device(south, identifier)
    keep(identifier)

    assert api(stranger).get(RECENT, {"device": identifier}).json() == []


@pytest.mark.parametrize("query", ["", "source=1&device=x", "source=x", "device="])
def test_one_source_or_one_device_must_be_named(otto, query):
    assert otto.get(f"{RECENT}?{query}").status_code == 400


@pytest.mark.parametrize("which", ["source", "device"])
def test_the_command_prints_one_a_line(which, network, van, keep, capsys):
    identifier = device_on(van).identifier
    keep(identifier, count=2)
    named = {"source": str(network.pk), "device": identifier}

    call_command("recent_uplinks", f"--{which}", named[which])

    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["message"] for line in lines] == ["join", "join"]


@pytest.mark.fault("F-151")
def test_without_redis_they_are_not_at_hand(otto, network, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    answer = otto.get(RECENT, {"source": network.pk})

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
