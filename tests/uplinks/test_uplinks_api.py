"""The inspector: what was set aside, why, and who may see it."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest

from tests.builders import MORNING, NINE, TEN, make_source, make_van
from tests.ingest.senders import arrive, in_base64, observation, owntracks, waiting
from tests.positions.scenes import without_request_id
from tracker.ingest.replies import reply_of
from wire.registry import FORMATS

UPLINKS = "/api/v1/uplinks/"
UNKNOWN = 987_654_321


@pytest.fixture
def otto(api, operator):
    return api(operator)


@pytest.fixture
def gateway(north):
    """Return a source whose sender is never refused what it sent."""
    return make_source(north, "owntracks", name="gateway")[0]


@pytest.fixture
def set_aside(gateway):
    """Return the id of an uplink of a device that nobody registered."""
    arrive(gateway, owntracks("stray", NINE))
    return waiting(gateway.organisation)[0].pk


def ids(client, **query):
    return [row["id"] for row in client.get(UPLINKS, query).json()["results"]]


@pytest.mark.fault("F-161")
def test_an_unknown_device_of_a_good_source_is_set_aside_for_its_people_to_see(otto, north):
    hook, _ = make_source(north, "chirpstack", name="network server")
    body = orjson.dumps(
        {
            "deviceInfo": {"devEui": "0102030405060708"},
            "time": NINE.isoformat(),
            "fPort": 1,
            "object": {"latitude": 52.3759, "longitude": 9.7320},
        }
    )

    receipt = arrive(hook, body)

    assert reply_of(receipt, FORMATS["chirpstack"]).status == 202
    (row,) = otto.get(UPLINKS).json()["results"]
    assert row["reason"] == "unknown-device"
    assert row["device_identifier"] == "0102030405060708"


def test_a_row_says_whose_when_why_and_shows_the_beginning(otto, north, gateway, set_aside):
    (row,) = otto.get(UPLINKS).json()["results"]

    body = owntracks("stray", NINE)
    assert row == {
        "id": set_aside,
        "organisation": north.pk,
        "source": gateway.pk,
        "source_name": "gateway",
        "received_at": "2026-03-03T06:00:00.000000Z",
        "reason": "unknown-device",
        "detail": "",
        "device_identifier": "fleet/stray",
        "observations": 1,
        "content_type": "application/json",
        "size": len(body),
        "preview": body.decode(),
        "replayed_at": None,
    }


def test_the_preview_is_short_however_long_the_body(otto, gateway):
    arrive(gateway, owntracks("stray", NINE, note="x" * 5000))

    (row,) = otto.get(UPLINKS).json()["results"]

    assert len(row["preview"]) == 512
    assert row["size"] > 5000


def test_one_uplink_shows_its_whole_body(otto, set_aside):
    body = owntracks("stray", NINE)

    row = otto.get(f"{UPLINKS}{set_aside}/").json()

    assert (row["body_text"], row["body_base64"]) == (body.decode(), in_base64(body))


def test_the_list_is_narrowed_by_source_reason_device_and_state(otto, north, gateway, set_aside):
    other, _ = make_source(north)
    arrive(other, orjson.dumps(observation("SPARE-1", TEN)))
    second = waiting(north)[1].pk

    assert ids(otto) == [second, set_aside]
    assert ids(otto, source=gateway.pk) == [set_aside]
    assert ids(otto, device="spare-1") == [second]
    assert ids(otto, device="SPARE-1") == [second]
    assert ids(otto, reason="unreadable") == []
    assert ids(otto, replayed="false") == [second, set_aside]
    assert ids(otto, replayed="true") == []


def test_following_next_shows_each_uplink_once(otto, north, gateway):
    for_each = [arrive(gateway, owntracks(f"stray{number}", NINE)) for number in range(3)]
    first = otto.get(f"{UPLINKS}?page_size=2").json()

    rows = first["results"] + otto.get(first["next"]).json()["results"]

    assert len({row["id"] for row in rows}) == len(for_each) == 3


@pytest.mark.law(7)
@pytest.mark.parametrize("path", ["", "replay/"])
def test_a_foreign_uplink_is_answered_like_an_unknown_one(path, api, stranger, set_aside):
    client = api(stranger)
    ask = client.post if path else client.get

    foreign, unknown = ask(f"{UPLINKS}{set_aside}/{path}"), ask(f"{UPLINKS}{UNKNOWN}/{path}")

    assert foreign.status_code == 404
    assert without_request_id(foreign) == without_request_id(unknown)


@pytest.mark.law(7)
def test_a_stranger_sees_and_replays_none(api, stranger, north, set_aside):
    make_van(north, "newcomer", "fleet/stray")

    assert ids(api(stranger)) == []
    assert api(stranger).post(f"{UPLINKS}replay/").json()["tried"] == 0
    assert waiting(north).count() == 1


def test_to_a_viewer_there_are_none(api, viewer, set_aside):
    assert ids(api(viewer)) == []
    assert api(viewer).post(f"{UPLINKS}{set_aside}/replay/").status_code == 403


def test_nobody_gets_no_answer(anonymous):
    assert anonymous.get(UPLINKS).status_code == 401


@pytest.mark.fault("F-108")
@pytest.mark.parametrize("query", ["source=x", "page_size=0", "cursor=%00", "replayed=perhaps"])
def test_nonsense_is_refused_or_harmless(query, otto, set_aside):
    assert otto.get(f"{UPLINKS}?{query}").status_code in (200, 400)


@pytest.mark.parametrize("count", [1, 5])
def test_a_page_takes_as_many_queries_whatever_its_length(
    count, otto, gateway, django_assert_num_queries
):
    arrivals = [
        arrive(gateway, owntracks(f"stray{number}", MORNING + number * timedelta(hours=1)))
        for number in range(count)
    ]
    otto.get(UPLINKS)

    # the token, the page
    with django_assert_num_queries(2):
        assert len(ids(otto)) == len(arrivals)
