"""Tags are facts with a date: what happened is judged by those of its time."""

from __future__ import annotations

from datetime import datetime

import pytest

from alerts.models import Alert
from assets.actions import change_asset
from assets.models import TagPeriod
from geofence.actions import draw_geofence
from tests import builders
from tests.alerts.scenes import make_rule
from tests.builders import ELEVEN, MORNING, NINE, NOON, TEN
from tests.road.scenes import inside, kinds_of, observe, outside, square
from tracker import rejudging

pytestmark = pytest.mark.django_db
ANNA = "anna@north.example"


@pytest.fixture
def depot(north):
    return draw_geofence(organisation=north, name="depot", shape=square(), valid_from=MORNING)


def standing() -> list[tuple[str, datetime]]:
    rows = Alert.objects.exclude(state="withdrawn").order_by("at")
    return [(row.kind, row.at) for row in rows]


def tag(van, *tags: str, since: datetime) -> None:
    change_asset(asset=van, tags=list(tags), tags_from=since)
    rejudging.continue_rejudgings()


@pytest.mark.law(1)
def test_an_entry_from_before_the_tag_alerts_nobody_however_late_it_comes(north, van, depot):
    make_rule(depot, ANNA, tags=["cold"])
    tag(van, "cold", since=NOON)

    observe(north, outside(van, NINE), inside(van, TEN), outside(van, ELEVEN))

    assert kinds_of(van) == [("enter", TEN), ("exit", ELEVEN)]
    assert standing() == []


@pytest.mark.law(1)
def test_a_tag_that_is_recorded_late_raises_what_it_would_have_raised(north, van, depot):
    make_rule(depot, ANNA, tags=["cold"])
    observe(north, outside(van, NINE), inside(van, TEN))
    assert standing() == []

    tag(van, "cold", since=NINE)

    assert standing() == [("enter", TEN)]


@pytest.mark.law(1)
def test_a_tag_that_is_taken_back_for_the_past_withdraws_what_it_raised(north, van, depot):
    make_rule(depot, ANNA, tags=["cold"])
    tag(van, "cold", since=MORNING)
    observe(north, outside(van, NINE), inside(van, TEN), outside(van, NOON))
    assert standing() == [("enter", TEN), ("exit", NOON)]

    tag(van, since=ELEVEN)

    assert standing() == [("enter", TEN)]


def test_a_geofence_is_linked_by_tag_from_when_the_tag_holds(north, van):
    draw_geofence(
        organisation=north, name="cold hall", shape=square(), valid_from=MORNING, tags=["cold"]
    )
    observe(north, outside(van, NINE), inside(van, TEN), outside(van, ELEVEN), inside(van, NOON))
    assert kinds_of(van) == []

    tag(van, "cold", since=TEN)

    assert kinds_of(van) == [("found", TEN), ("exit", ELEVEN), ("enter", NOON)]


def test_a_new_asset_has_always_carried_the_tags_that_it_comes_with(north):
    van = builders.make_asset(north, tags=["cold"])

    (period,) = TagPeriod.objects.filter(asset=van)
    assert (period.tags, period.valid_to) == (["cold"], None)
    assert period.valid_from < MORNING


def test_other_tags_for_the_past_replace_what_was_recorded_of_that_time(van):
    tag(van, "cold", since=NINE)
    tag(van, "hot", since=NOON)

    tag(van, "wet", since=TEN)

    periods = TagPeriod.objects.filter(asset=van).order_by("valid_from")
    recorded = [(row.tags, row.valid_from, row.valid_to) for row in periods]
    assert recorded == [(["cold"], NINE, TEN), (["wet"], TEN, None)]


def test_the_same_tags_again_are_no_change(van):
    change_asset(asset=van, tags=["cold"])
    change_asset(asset=van, tags=["cold"])

    assert TagPeriod.objects.filter(asset=van).count() == 1


def test_the_api_takes_the_time_from_which_tags_hold(api, operator, van):
    answer = api(operator).patch(
        f"/api/v1/assets/{van.pk}/", {"tags": ["cold"], "tags_from": TEN.isoformat()}
    )

    assert (answer.status_code, answer.json()["tags"]) == (200, ["cold"])
    assert TagPeriod.objects.get(asset=van).valid_from == TEN
