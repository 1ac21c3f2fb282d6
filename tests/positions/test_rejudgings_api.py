"""`rejudgings`: whoever changes a fact can see how far it is with judging the past again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from positions.models import Rejudging
from tests import builders
from tests.builders import MORNING, NINE, TEN
from tests.road.scenes import deliver, forget_memory, inside, observe, outside, square
from tracker import rejudging

pytestmark = pytest.mark.django_db


@pytest.fixture
def drawn(api, operator, north, van):
    """Return the address of the re-judging after an operator drew a depot for the past."""
    observe(north, outside(van, NINE), inside(van, TEN))
    rejudging.continue_rejudgings()
    Rejudging.objects.all().delete()
    geofence = {
        "organisation": north.pk,
        "name": "depot",
        "shape": square(),
        "valid_from": MORNING.isoformat(),
    }
    assert api(operator).post("/api/v1/geofences/", geofence, format="json").status_code == 201
    return f"/api/v1/rejudgings/{Rejudging.objects.get().pk}/"


def test_a_change_waits_with_its_cause_and_who_made_it(api, viewer, operator, north, drawn):
    (row,) = api(viewer).get("/api/v1/rejudgings/").json()["results"]

    assert (row["state"], row["assets_done"], row["assets_total"]) == ("waiting", 0, None)
    assert (row["reason"], row["asked_by_name"]) == ("geofence drawn", operator.get_full_name())
    assert (datetime.fromisoformat(row["since"]), row["organisation"]) == (MORNING, north.pk)
    assert (row["started_at"], row["finished_at"], row["current"]) == (None, None, None)


def test_a_change_that_is_done_says_so(api, viewer, drawn):
    rejudging.continue_rejudgings()

    row = api(viewer).get(drawn).json()
    assert (row["state"], row["assets_done"], row["assets_total"]) == ("finished", 1, 1)
    assert row["created_at"] <= row["started_at"] <= row["finished_at"]


def test_a_long_history_shows_how_far_it_is(api, viewer, north, van, drawn):
    forget_memory(checkpoint_every=4, facts_at_once=8)
    hours = [inside(van, NINE + timedelta(hours=number)) for number in range(2, 80)]
    deliver(north, hours, received_at=NINE + timedelta(days=9))

    rejudging._judge_next_part(set())

    row = api(viewer).get(drawn).json()
    current = row["current"]
    assert (row["state"], row["assets_done"]) == ("running", 0)
    assert (current["asset"], current["asset_name"]) == (van.pk, "van")
    assert row["since"] < current["settled_until"] < current["measured_at"]


def test_a_device_on_another_asset_names_who_put_it_there(api, operator, north, van):
    lorry = builders.make_asset(north, "lorry")
    device = builders.device_on(van)
    rejudging.continue_rejudgings()
    Rejudging.objects.all().delete()
    body = {"device": device.pk, "asset": lorry.pk, "since": TEN.isoformat()}

    assert api(operator).post("/api/v1/assignments/", body, format="json").status_code == 201
    rejudging.continue_rejudgings()

    rows = api(operator).get("/api/v1/rejudgings/?finished=true").json()["results"]
    assert {row["asked_by_name"] for row in rows} == {operator.get_full_name()}
    assert {row["reason"] for row in rows} == {
        f"history moved to or from asset {asset.pk}" for asset in (van, lorry)
    }


@pytest.mark.law(7)
def test_another_organisation_sees_nothing_of_it(api, stranger, drawn):
    unknown = api(stranger).get("/api/v1/rejudgings/999999/")

    assert api(stranger).get("/api/v1/rejudgings/").json()["results"] == []
    assert api(stranger).get(drawn).status_code == unknown.status_code == 404


def test_nobody_changes_it(api, operator, drawn):
    assert api(operator).delete(drawn).status_code == 405
    assert api(operator).patch(drawn, {}, format="json").status_code == 405
