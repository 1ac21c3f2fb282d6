"""The latest of an asset, and the geofences that it is in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from assets import actions
from geofence.actions import delete_geofence, draw_geofence
from tests.builders import MORNING, NINE, NOON, TEN, make_asset, make_van
from tests.road.scenes import deliver, inside, outside, seen, square

STATES = "/api/v1/states/"


@pytest.fixture
def vera(api, viewer):
    return api(viewer)


@pytest.fixture
def depot(north):
    return draw_geofence(
        organisation=north, name="depot", shape=square(), valid_from=MORNING - timedelta(days=1)
    )


def state(client, asset):
    return client.get(f"/api/v1/assets/{asset.pk}/state/").json()


def test_a_state_holds_the_newest_fix_each_newest_reading_and_presence(vera, north, van, depot):
    deliver(north, [outside(van, NINE), inside(van, TEN, accuracy_m=4.0)])
    deliver(north, [seen(van, NINE, readings={"light": 1, "air.temperature": 5.5})])
    deliver(north, [seen(van, NOON, readings={"light": 2})])

    assert state(vera, van) == {
        "asset": van.pk,
        "measured_at": "2026-03-02T12:00:00.000000Z",
        "received_at": "2026-03-03T06:00:00.000000Z",
        "fix": {
            "lon_deg": 9.7320,
            "lat_deg": 52.3759,
            "altitude_m": None,
            "accuracy_m": 4.0,
            "speed_mps": None,
            "course_deg": None,
            "method": "gnss",
            "at": "2026-03-02T10:00:00.000000Z",
        },
        "motion": "moving",
        "motion_since": "2026-03-02T09:00:00.000000Z",
        # 5 km in an hour.
        "estimated_speed_mps": pytest.approx(1.39, abs=0.01),
        "readings": {"light": 2, "air.temperature": 5.5},
        "readings_at": {
            "light": "2026-03-02T12:00:00.000000Z",
            "air.temperature": "2026-03-02T09:00:00.000000Z",
        },
        "presence": [
            {
                "geofence": depot.pk,
                "name": "depot",
                "since": "2026-03-02T10:00:00.000000Z",
                "not_before": "2026-03-02T09:00:00.000000Z",
            }
        ],
    }


def test_an_asset_never_heard_of_has_an_empty_state(vera, north):
    asset = make_asset(north)

    assert state(vera, asset) == {
        "asset": asset.pk,
        "measured_at": None,
        "received_at": None,
        "fix": None,
        "motion": None,
        "motion_since": None,
        "estimated_speed_mps": None,
        "readings": {},
        "readings_at": {},
        "presence": [],
    }


def motion(client, asset):
    document = state(client, asset)
    return document["motion"], document["motion_since"], document["estimated_speed_mps"]


def test_an_asset_that_stays_rests_since_its_first_fix_there(vera, north, van):
    deliver(north, [inside(van, NINE), inside(van, TEN)])

    assert motion(vera, van) == ("resting", "2026-03-02T09:00:00.000000Z", 0.0)


def test_of_a_single_fix_without_a_speed_nobody_can_say_whether_it_moves(vera, north, van):
    deliver(north, [inside(van, NINE)])

    assert motion(vera, van) == (None, None, None)


def test_a_speed_that_the_device_reports_is_not_estimated(vera, north, van):
    deliver(north, [outside(van, NINE), inside(van, TEN, speed_mps=12.0)])

    assert motion(vera, van) == ("moving", "2026-03-02T10:00:00.000000Z", None)


def test_presence_in_a_geofence_that_was_deleted_is_none(vera, north, van, depot):
    deliver(north, [outside(van, NINE), inside(van, TEN)])
    delete_geofence(geofence=depot)

    assert state(vera, van)["presence"] == []


def test_states_of_all_assets_come_at_once_the_newest_asset_first(vera, north, van):
    lorry = make_van(north, "lorry")
    deliver(north, [outside(van, NINE)])

    first, second = vera.get(STATES).json()["results"]

    assert (first["asset"], first["fix"]) == (lorry.pk, None)
    assert second == state(vera, van)


def test_an_archived_asset_is_left_out(vera, north, van):
    actions.archive_asset(asset=make_asset(north, "scrap"))

    assert [row["asset"] for row in vera.get(STATES).json()["results"]] == [van.pk]


def test_states_of_what_is_inside_a_geofence(vera, north, van, depot):
    make_van(north, "lorry")
    deliver(north, [outside(van, NINE), inside(van, TEN)])

    rows = vera.get(STATES, {"geofence": depot.pk}).json()["results"]

    assert [row["asset"] for row in rows] == [van.pk]


@pytest.mark.law(7)
def test_a_stranger_sees_no_state(api, stranger, north, van, depot):
    deliver(north, [outside(van, NINE), inside(van, TEN)])
    client = api(stranger)

    assert client.get(STATES).json()["results"] == []
    assert client.get(STATES, {"geofence": depot.pk}).json()["results"] == []
    assert client.get(STATES, {"organisation": north.pk}).json()["results"] == []


def test_nobody_gets_no_answer(anonymous):
    assert anonymous.get(STATES).status_code == 401


@pytest.mark.parametrize("count", [1, 10])
def test_states_take_as_many_queries_whatever_their_number(
    count, vera, north, depot, django_assert_num_queries
):
    vans = [make_van(north) for _ in range(count)]
    deliver(north, [inside(each, NINE) for each in vans])
    vera.get(STATES)

    # the token, the assets, their states, their presence
    with django_assert_num_queries(4):
        assert len(vera.get(STATES).json()["results"]) == count
