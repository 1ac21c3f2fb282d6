"""Facts that people change: the past is judged again, and ends as if all had been known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Organisation
from assets.actions import assign_device
from assets.models import Asset
from billing.models import UsageHour
from geofence.actions import delete_geofence, draw_geofence, redraw_geofence
from geofence.models import Correction, Crossing
from positions.models import Rejudging
from tests import builders
from tests.builders import MORNING, NINE, NOON, TEN, device_on
from tests.road.scenes import (
    away_from_depot,
    inside,
    kinds_of,
    latest_of,
    observe,
    outside,
    presence_of,
    seen,
    square,
)
from tracker import pipeline, rejudging
from tracker.road.road_memory import RoadMemory

ELEVEN = TEN + timedelta(hours=1)

pytestmark = pytest.mark.django_db


def draw(north: Organisation, name: str = "depot", since: datetime = MORNING, **more: Any):
    metres = more.pop("metres", 100.0)
    return draw_geofence(
        organisation=north, name=name, shape=square(metres), valid_from=since, **more
    )


def moved_square(metres_north: float) -> dict[str, Any]:
    shape = square()
    lat = away_from_depot(metres_north)[1] - away_from_depot(0)[1]
    shape["coordinates"] = [[[x, y + lat] for x, y in shape["coordinates"][0]]]
    return shape


# --- geofences --------------------------------------------------------------------------


def test_a_geofence_drawn_for_the_past_finds_the_past_crossings(north, van):
    observe(north, outside(van, NINE), inside(van, TEN), outside(van, NOON))

    draw(north)
    rejudging.continue_rejudgings()

    assert kinds_of(van) == [("enter", TEN), ("exit", NOON)]
    assert {row.cause["reason"] for row in Correction.objects.all()} == {"geofence drawn"}


def test_a_geofence_drawn_from_a_moment_in_the_past_finds_nothing_before_it(north, van):
    observe(north, outside(van, NINE), inside(van, TEN), outside(van, NOON))

    draw(north, since=ELEVEN)
    rejudging.continue_rejudgings()

    assert kinds_of(van) == []


def test_a_geofence_drawn_around_a_parked_asset_gives_presence_without_a_crossing(north, van):
    observe(north, inside(van, NINE), inside(van, TEN))

    geofence = draw(north, since=NINE + timedelta(minutes=30))
    rejudging.continue_rejudgings()

    assert kinds_of(van) == [("found", TEN)]
    assert presence_of(van) == [(geofence.pk, TEN, None)]


def test_a_fix_between_drawing_and_re_judging_is_no_phantom_entry(north, van):
    observe(north, inside(van, NINE))

    geofence = draw(north)
    observe(north, inside(van, TEN))
    before = kinds_of(van)
    rejudging.continue_rejudgings()

    assert before == [("found", TEN)]
    assert kinds_of(van) == [("found", NINE)]
    assert presence_of(van) == [(geofence.pk, NINE, None)]


@pytest.mark.fault("F-071")
def test_a_geofence_redrawn_for_the_past_moves_the_past(north, van):
    geofence = draw(north)
    observe(north, outside(van, NINE), inside(van, TEN), seen(van, ELEVEN, away_from_depot(900)))

    redraw_geofence(geofence=geofence, shape=moved_square(900), valid_from=MORNING)
    rejudging.continue_rejudgings()

    assert kinds_of(van) == [("enter", ELEVEN)]
    assert presence_of(van) == [(geofence.pk, ELEVEN, TEN)]
    changes = Correction.objects.values_list("change", "crossing__kind")
    assert sorted(changes) == [("moved", "enter"), ("withdrawn", "exit")]


@pytest.mark.fault("F-071")
def test_a_geofence_redrawn_keeps_what_was_before(north, van):
    geofence = draw(north)
    observe(north, outside(van, NINE), inside(van, TEN), inside(van, NOON))

    redraw_geofence(geofence=geofence, shape=moved_square(5_000), valid_from=ELEVEN)
    rejudging.continue_rejudgings()

    assert kinds_of(van) == [("enter", TEN), ("lost", NOON)]
    assert presence_of(van) == []


def test_a_deleted_geofence_keeps_its_crossings_and_loses_its_presence(north, van):
    geofence = draw(north)
    observe(north, outside(van, NINE), inside(van, TEN), inside(van, NOON))

    delete_geofence(geofence=geofence, at=ELEVEN)
    rejudging.continue_rejudgings()

    assert kinds_of(van) == [("enter", TEN), ("lost", NOON)]
    assert presence_of(van) == []


def test_a_geofence_linked_by_id_is_judged_for_that_asset_only(north, van):
    lorry = builders.make_van(north, "lorry")
    for asset in (van, lorry):
        observe(north, outside(asset, NINE), inside(asset, TEN))

    draw(north, asset_ids=[lorry.pk])
    rejudging.continue_rejudgings()

    assert (kinds_of(van), kinds_of(lorry)) == ([], [("enter", TEN)])


def test_a_geofence_linked_by_tag_is_judged_for_all_that_bear_it(north, van):
    cold = builders.make_asset(north, "cold", tags=["cold", "large"])
    builders.assign(builders.make_device(north), cold)
    for asset in (van, cold):
        observe(north, outside(asset, NINE), inside(asset, TEN))

    draw(north, tags=["cold"])
    rejudging.continue_rejudgings()

    assert (kinds_of(van), kinds_of(cold)) == ([], [("enter", TEN)])


def test_another_organisation_is_not_judged_again(north, south, van):
    stranger = builders.make_van(south)
    observe(south, outside(stranger, NINE), inside(stranger, TEN))

    draw(north)
    rejudging.continue_rejudgings()

    assert kinds_of(stranger) == []


# --- devices ----------------------------------------------------------------------------


@pytest.fixture
def lorry(north: Organisation) -> Asset:
    return builders.make_asset(north, "lorry")


def usage_of(asset: Asset) -> list[datetime]:
    return list(
        UsageHour.objects.filter(asset=asset).order_by("hour").values_list("hour", flat=True)
    )


def test_a_device_re_assigned_for_the_past_moves_crossings_state_and_usage(north, van, lorry):
    draw(north)
    observe(north, outside(van, NINE), inside(van, TEN), outside(van, NOON))

    assign_device(device=device_on(van), asset=lorry, since=NINE + timedelta(minutes=30))
    rejudging.continue_rejudgings()

    assert kinds_of(van) == []
    assert kinds_of(lorry) == [("found", TEN), ("exit", NOON)]
    assert latest_of(van)["measured_at"] == NINE
    assert latest_of(lorry)["measured_at"] == NOON
    assert usage_of(van) == [NINE]
    assert usage_of(lorry) == [TEN, NOON]


def test_a_device_re_assigned_takes_presence_along(north, van, lorry):
    geofence = draw(north)
    observe(north, outside(van, NINE), inside(van, TEN))

    assign_device(device=device_on(van), asset=lorry, since=MORNING)
    rejudging.continue_rejudgings()

    assert presence_of(van) == []
    assert presence_of(lorry) == [(geofence.pk, TEN, NINE)]


def test_a_second_device_for_the_past_fills_the_gaps_of_the_first(north, van, lorry):
    draw(north)
    spare = builders.make_device(north, "spare")
    builders.assign(spare, lorry)
    observe(north, outside(van, NINE), outside(van, NOON), inside(lorry, TEN))

    assign_device(device=spare, asset=van, since=MORNING)
    rejudging.continue_rejudgings()

    assert kinds_of(van) == [("enter", TEN), ("exit", NOON)]
    assert kinds_of(lorry) == []


# --- the work itself --------------------------------------------------------------------


class Crash(BaseException):
    """The process dies here."""


@contextmanager
def dying_after(monkeypatch: pytest.MonkeyPatch, assets: int) -> Iterator[None]:
    """Let the work die when it has judged one more asset after so many, before the commit."""
    judge_again, done = pipeline.judge_again, list[int]()

    def judge_or_die(asset_id: int, memory: RoadMemory, **more: Any) -> datetime | None:
        settled_until = judge_again(asset_id, memory, **more)
        if len(done) == assets:
            raise Crash
        done.append(asset_id)
        return settled_until

    with monkeypatch.context() as patch:
        patch.setattr(rejudging, "judge_again", judge_or_die)
        with pytest.raises(Crash):
            rejudging.continue_rejudgings()
        yield


@pytest.fixture
def fleet(north: Organisation) -> list[Asset]:
    """Return seven vans that have been at the depot, and a depot that is drawn afterwards."""
    vans = [builders.make_van(north) for _ in range(7)]
    for van in vans:
        observe(north, outside(van, NINE), inside(van, TEN))
    # Putting devices on the vans was a change, too.
    rejudging.continue_rejudgings()
    Rejudging.objects.all().delete()
    draw(north)
    return vans


def test_work_goes_on_where_a_crash_left_it(fleet, monkeypatch):
    with dying_after(monkeypatch, assets=5):
        (work,) = Rejudging.objects.all()
        # Five assets are done; the sixth died in its middle and left nothing.
        assert (work.assets_done, work.assets_total, work.finished_at) == (5, 7, None)
        assert Crossing.objects.count() == 5

    assert rejudging.continue_rejudgings() == 2
    assert [kinds_of(van) for van in fleet] == [[("enter", TEN)]] * 7
    assert Rejudging.objects.get().finished_at is not None


def test_work_that_is_done_is_not_done_again(fleet):
    assert rejudging.continue_rejudgings() == 7

    assert rejudging.continue_rejudgings() == 0
    assert Correction.objects.count() == 7


def test_work_that_is_done_twice_changes_nothing(fleet, north):
    rejudging.continue_rejudgings()
    Rejudging.objects.update(finished_at=None, after_asset_id=0, assets_done=0)

    rejudging.continue_rejudgings()

    assert Correction.objects.count() == 7
    assert [kinds_of(van) for van in fleet] == [[("enter", TEN)]] * 7


def test_progress_can_be_seen(fleet):
    rejudging.continue_rejudgings()

    work = Rejudging.objects.get()
    assert (work.assets_done, work.assets_total, work.reason) == (7, 7, "geofence drawn")
