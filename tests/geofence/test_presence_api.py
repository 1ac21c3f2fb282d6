"""Presence, stock in the past, visits, and the list of crossings with its corrections."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from geofence.crossing_changes import CrossingChange
from geofence.crossing_rows import crossing_row
from geofence.models import Geofence
from tests.builders import ELEVEN, NINE, NOON, TEN, make_asset
from tests.geofence.builders import (
    make_correction,
    make_crossing,
    make_geofence,
    make_presence,
)

pytestmark = pytest.mark.django_db

CROSSINGS = "/api/v1/crossings/"
MINUTES = timedelta(minutes=1)


@pytest.fixture
def otto(api, operator):
    return api(operator)


@pytest.fixture
def depot(north):
    return make_geofence(north)


@pytest.fixture
def lorry(north):
    return make_asset(north, "lorry")


def stock(client: APIClient, depot: Geofence, at: datetime) -> list[str]:
    rows = client.get(f"/api/v1/geofences/{depot.pk}/presence/", {"at": at.isoformat()}).json()
    return sorted(row["asset_name"] for row in rows["results"])


def visits(client: APIClient, depot: Geofence, **query: Any) -> Any:
    return client.get(f"/api/v1/geofences/{depot.pk}/visits/", query).json()["results"]


def crossings(client: APIClient, **query: Any) -> Any:
    return client.get(CROSSINGS, query).json()["results"]


def test_presence_says_who_is_inside_and_for_how_long(otto, depot, van):
    make_presence(van, depot, timezone.now() - 90 * MINUTES)

    (row,) = otto.get(f"/api/v1/geofences/{depot.pk}/presence/").json()["results"]

    assert (row["asset"], row["asset_name"]) == (van.pk, "van")
    assert row["for_s"] == pytest.approx(5400, abs=60)
    assert row["not_before"] is None


def test_stock_at_a_past_moment_follows_the_crossings(otto, depot, van, lorry):
    make_crossing(lorry, depot, "found", NINE)
    make_crossing(van, depot, "enter", TEN)
    make_crossing(lorry, depot, "lost", ELEVEN)
    make_crossing(van, depot, "exit", NOON)

    assert stock(otto, depot, NINE - MINUTES) == []
    assert stock(otto, depot, NINE) == ["lorry"]
    assert stock(otto, depot, TEN) == ["lorry", "van"]
    assert stock(otto, depot, ELEVEN) == ["van"]
    assert stock(otto, depot, NOON) == []


def test_stock_leaves_out_what_was_withdrawn(otto, depot, van):
    make_crossing(van, depot, "enter", TEN, withdrawn_at=NOON)

    assert stock(otto, depot, ELEVEN) == []


def test_a_visit_pairs_an_entry_with_the_exit_that_followed(otto, depot, van):
    make_crossing(van, depot, "enter", NINE)
    make_crossing(van, depot, "exit", TEN)
    make_crossing(van, depot, "enter", ELEVEN)

    later, earlier = visits(otto, depot)

    assert (earlier["entered_at"][11:16], earlier["left_at"][11:16]) == ("09:00", "10:00")
    assert (later["entered_at"][11:16], later["left_at"]) == ("11:00", None)


def test_the_dwell_of_a_visit_is_known_between_bounds_when_reports_are_sparse(otto, depot, van):
    make_crossing(van, depot, "enter", NINE, not_before=NINE - 6 * MINUTES)
    make_crossing(van, depot, "exit", TEN, not_before=TEN - 18 * MINUTES)

    (visit,) = visits(otto, depot)

    assert (visit["dwell_min_s"], visit["dwell_max_s"]) == (42 * 60, 66 * 60)


def test_a_visit_that_began_before_our_knowledge_has_no_longest_dwell(otto, depot, van):
    make_crossing(van, depot, "found", NINE)
    make_crossing(van, depot, "exit", TEN, not_before=TEN)

    (visit,) = visits(otto, depot)

    assert (visit["entry"], visit["dwell_min_s"], visit["dwell_max_s"]) == ("found", 3600, None)


def test_a_visit_that_a_late_fact_changed_says_so(otto, depot, van, lorry):
    make_crossing(van, depot, "enter", NINE)
    make_correction(make_crossing(van, depot, "exit", TEN), "moved")
    make_crossing(lorry, depot, "enter", ELEVEN)

    assert [visit["is_corrected"] for visit in visits(otto, depot)] == [False, True]


def test_visits_are_narrowed_by_asset_and_time(otto, depot, van, lorry):
    make_crossing(van, depot, "enter", NINE)
    make_crossing(lorry, depot, "enter", TEN)

    assert [visit["asset"] for visit in visits(otto, depot, asset=van.pk)] == [van.pk]
    assert [visit["asset"] for visit in visits(otto, depot, **{"from": TEN.isoformat()})] == [
        lorry.pk
    ]


def test_visits_are_paged(otto, depot, van):
    for day in range(3):
        make_crossing(van, depot, "enter", NINE + timedelta(days=day))
        make_crossing(van, depot, "exit", TEN + timedelta(days=day))

    page = otto.get(f"/api/v1/geofences/{depot.pk}/visits/?page_size=2").json()
    rest = otto.get(page["next"]).json()

    days = [visit["entered_at"][8:10] for visit in page["results"] + rest["results"]]
    assert days == ["04", "03", "02"]


@pytest.mark.parametrize("count", [1, 6])
@pytest.mark.parametrize(
    ("path", "queries"),
    [("presence/", 3), ("presence/?at=2026-03-02T12:00:00Z", 3), ("visits/", 5)],
)
def test_presence_and_visits_take_as_many_queries_for_many_as_for_one(
    otto, north, depot, path, queries, count, django_assert_num_queries
):
    for _ in range(count):
        asset = make_asset(north)
        make_presence(asset, depot, NINE)
        make_crossing(asset, depot, "found", NINE)
        make_crossing(asset, depot, "exit", NOON + 5 * MINUTES)
    otto.get("/api/v1/geofences/")

    with django_assert_num_queries(queries):
        answer = otto.get(f"/api/v1/geofences/{depot.pk}/{path}")
    assert len(answer.json()["results"]) == count


# --- crossings -------------------------------------------------------------------------


def test_a_crossing_is_listed_with_names_and_window(otto, depot, van):
    crossing = make_crossing(van, depot, "enter", TEN, not_before=NINE)

    (row,) = crossings(otto)

    assert (row["id"], row["asset_name"], row["geofence_name"]) == (crossing.pk, "van", "depot")
    assert (row["kind"], row["inferred"], row["is_late"]) == ("enter", False, False)
    assert row["not_before"] == "2026-03-02T09:00:00.000000Z"
    assert (row["correction"], row["withdrawn_at"]) == (None, None)


def test_found_and_lost_are_shown_if_asked_for(otto, depot, van):
    make_crossing(van, depot, "found", NINE)
    make_crossing(van, depot, "exit", TEN)

    assert [row["kind"] for row in crossings(otto)] == ["exit"]
    assert [row["kind"] for row in crossings(otto, baselines="true")] == ["exit", "found"]


def test_withdrawn_crossings_are_shown_if_asked_for(otto, depot, van):
    crossing = make_crossing(van, depot, "enter", NINE, withdrawn_at=NOON)
    make_correction(crossing, "moved")
    make_correction(crossing, "withdrawn")

    assert crossings(otto) == []
    (row,) = crossings(otto, corrections="true")
    assert row["correction"] == "withdrawn"


def test_a_crossing_shows_each_of_its_corrections(otto, depot, van):
    crossing = make_crossing(van, depot, "enter", NINE, withdrawn_at=NOON)
    make_correction(crossing, "moved")
    make_correction(crossing, "withdrawn")

    row = otto.get(f"{CROSSINGS}{crossing.pk}/").json()

    assert [correction["change"] for correction in row["corrections"]] == ["moved", "withdrawn"]
    assert row["corrections"][0]["cause"] == {"why": "a late observation"}


def test_crossings_are_narrowed_by_asset_geofence_kind_and_time(otto, north, depot, van, lorry):
    yard = make_geofence(north, "yard")
    make_crossing(van, depot, "enter", NINE)
    make_crossing(van, yard, "exit", TEN)
    make_crossing(lorry, yard, "pass", ELEVEN)

    def kinds(**query: Any) -> list[str]:
        return sorted(row["kind"] for row in crossings(otto, **query))

    assert kinds(asset=van.pk) == ["enter", "exit"]
    assert kinds(geofence=yard.pk) == ["exit", "pass"]
    assert kinds(kind=["enter", "pass"]) == ["enter", "pass"]
    assert kinds(**{"from": TEN.isoformat(), "to": ELEVEN.isoformat()}) == ["exit"]


def test_crossings_are_points_in_geojson(otto, depot, van):
    make_crossing(van, depot, "enter", NINE)

    collection = otto.get(CROSSINGS, HTTP_ACCEPT="application/geo+json").json()

    (feature,) = collection["features"]
    assert feature["geometry"]["coordinates"] == [9.732, 52.3759]
    assert feature["properties"]["kind"] == "enter"


@pytest.mark.fault("F-099")
def test_a_foreign_crossing_is_answered_like_one_that_does_not_exist(api, stranger, depot, van):
    crossing = make_crossing(van, depot, "enter", NINE)
    stan = api(stranger)

    foreign = stan.get(f"{CROSSINGS}{crossing.pk}/")
    unknown = stan.get(f"{CROSSINGS}{crossing.pk + 999}/")

    assert foreign.status_code == unknown.status_code == 404
    assert {**foreign.json(), "instance": ""} == {**unknown.json(), "instance": ""}
    assert crossings(stan) == crossings(stan, asset=van.pk, corrections="true") == []


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_writes_crossings_by_hand(otto, depot, van, method):
    crossing = make_crossing(van, depot, "enter", NINE)

    assert getattr(otto, method)(f"{CROSSINGS}{crossing.pk}/").status_code == 405


@pytest.mark.parametrize("count", [1, 6])
def test_crossings_take_as_many_queries_for_many_as_for_one(
    otto, depot, van, count, django_assert_num_queries
):
    for number in range(count):
        make_crossing(van, depot, "enter", NINE + number * MINUTES)
    crossings(otto)

    with django_assert_num_queries(2):
        assert len(crossings(otto)) == count


def test_a_live_frame_carries_the_row_that_the_list_answers(otto, depot, van):
    crossing = make_crossing(van, depot, "enter", TEN, not_before=NINE)
    change = CrossingChange(
        change="new",
        crossing_id=crossing.pk,
        organisation_id=van.organisation_id,
        asset_id=van.pk,
        geofence_id=depot.pk,
        version_id=crossing.version_id,
        kind="enter",
        at=crossing.at,
        not_before=crossing.not_before,
        not_after=crossing.not_after,
        estimate=None,
        left_estimate=None,
        confirmed_at=crossing.confirmed_at,
        is_inferred=False,
        is_late=False,
        lon_deg=crossing.lon_deg,
        lat_deg=crossing.lat_deg,
    )

    (row,) = crossings(otto)
    frame = crossing_row(change, "van", "depot")

    assert list(frame) == list(row)
    assert {**frame, "recorded_at": ""} == {**row, "recorded_at": ""}
