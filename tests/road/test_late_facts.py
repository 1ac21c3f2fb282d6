"""What a late fact changes is recorded as corrections: added, moved, withdrawn, with the cause."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.observation import Fix, Observation
from geofence.actions import draw_geofence, redraw_geofence
from geofence.models import Correction, Crossing
from tests import builders
from tests.builders import MORNING, NINE, NOON, TEN, device_on
from tests.road.scenes import (
    away_from_depot,
    deliver,
    inside,
    kinds_of,
    latest_of,
    observe,
    outside,
    presence_of,
    square,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def depot(north):
    return draw_geofence(
        organisation=north, name="depot", shape=square(), valid_from=MORNING
    ).versions.get()


def corrections() -> list[tuple[str, str, Any, Any]]:
    rows = Correction.objects.order_by("pk").select_related("crossing")
    return [(row.change, row.crossing.kind, at_of(row.before), at_of(row.after)) for row in rows]


def at_of(times: dict[str, str | None] | None) -> dict[str, str | None] | None:
    return times and {"at": times["at"]}


@pytest.mark.fault("F-075")
def test_a_late_fix_inside_adds_an_entry_and_an_exit(north, van, depot):
    observe(north, outside(van, NINE), outside(van, NOON))

    observe(north, inside(van, TEN))

    assert kinds_of(van) == [("enter", TEN), ("exit", NOON)]
    assert corrections() == [
        ("added", "enter", None, {"at": TEN.isoformat()}),
        ("added", "exit", None, {"at": NOON.isoformat()}),
    ]
    assert presence_of(van) == []


@pytest.mark.fault("F-075")
def test_a_late_fix_inside_moves_the_entry_and_not_the_present(north, van, depot):
    observe(north, outside(van, NINE), inside(van, NOON))

    observe(north, inside(van, TEN))

    assert kinds_of(van) == [("enter", TEN)]
    assert corrections() == [("moved", "enter", {"at": NOON.isoformat()}, {"at": TEN.isoformat()})]
    assert presence_of(van) == [(depot.geofence_id, TEN, NINE)]
    assert latest_of(van)["measured_at"] == NOON


@pytest.mark.fault("F-075")
def test_a_late_fix_that_undoes_an_entry_withdraws_it(north, van):
    draw_geofence(
        organisation=north, name="depot", shape=square(), valid_from=MORNING, persist_fixes=2
    )
    observe(north, outside(van, NINE), inside(van, TEN), inside(van, NOON))

    observe(north, outside(van, TEN + timedelta(hours=1)))

    assert kinds_of(van) == []
    assert corrections() == [("withdrawn", "enter", {"at": TEN.isoformat()}, None)]
    assert presence_of(van) == []


def test_a_correction_holds_the_whole_window_before_and_after(north, van, depot):
    half_past = NINE + timedelta(minutes=30)
    observe(north, outside(van, NINE), inside(van, TEN))

    observe(north, outside(van, half_past))

    correction: Any = Correction.objects.get()
    before, after = correction.before, correction.after
    assert before["at"] == after["at"] == TEN.isoformat()
    assert before["not_before"] == NINE.isoformat()
    assert after["not_before"] == half_past.isoformat()
    assert before["estimate"] < after["estimate"]
    assert datetime.fromisoformat(after["estimate"]) == Crossing.objects.get().estimate


def test_a_correction_names_the_late_observation_that_caused_it(north, van, depot):
    observe(north, outside(van, NINE), inside(van, NOON))

    observe(north, inside(van, TEN))

    cause = Correction.objects.get().cause
    assert cause["kind"] == "observations"
    assert cause["devices"] == [device_on(van).pk]
    assert cause["measured_at"] == [TEN.isoformat()]


def test_a_correction_names_nothing_of_another_asset_in_the_same_batch(north, van, depot):
    bus = builders.make_van(north, "bus")
    observe(north, outside(van, NINE), inside(van, NOON))

    deliver(north, [inside(van, TEN), inside(bus, NINE)])

    cause = Correction.objects.get().cause
    assert cause["devices"] == [device_on(van).pk]
    assert cause["measured_at"] == [TEN.isoformat()]


def test_the_same_late_fix_again_corrects_nothing_more(north, van, depot):
    observe(north, outside(van, NINE), inside(van, NOON), inside(van, TEN))

    observe(north, inside(van, TEN))

    assert Correction.objects.count() == 1


def test_what_comes_in_order_is_no_correction(north, van, depot):
    observe(north, outside(van, NINE), inside(van, TEN), outside(van, NOON))

    assert corrections() == []
    assert not Crossing.objects.filter(is_late=True).exists()


@pytest.mark.fault("F-049")
def test_late_crossings_are_marked_as_late(north, van, depot):
    observe(north, outside(van, NOON))

    deliver(north, [outside(van, NINE), inside(van, TEN)])

    assert list(Crossing.objects.values_list("kind", "is_late")) == [
        ("enter", True),
        ("exit", True),
    ]


@pytest.mark.fault("F-076")
def test_a_fix_of_a_doubtful_clock_crosses_nothing(north, van, depot):
    received_at = NOON
    observe(north, outside(van, NINE))

    deliver(north, [inside(van, NOON + timedelta(days=1))], received_at=received_at)
    deliver(north, [outside(van, TEN)], received_at=received_at)

    assert kinds_of(van) == []
    assert presence_of(van) == []
    assert latest_of(van)["measured_at"] == TEN


@pytest.mark.fault("F-076")
def test_what_was_set_aside_crosses_nothing(north, van, depot):
    stranger = Observation(
        device="nobody-knows-it",
        measured_at=TEN,
        fix=Fix(lon_deg=away_from_depot(0)[0], lat_deg=away_from_depot(0)[1]),
    )

    deliver(north, [outside(van, NINE), stranger, outside(van, NOON)])

    assert kinds_of(van) == []


def test_a_place_by_gateway_estimate_decides_nothing(north, van, depot):
    observe(north, outside(van, NINE), inside(van, TEN, method="gateway"), outside(van, NOON))

    assert kinds_of(van) == []


@pytest.mark.fault("F-071")
def test_each_fix_is_judged_by_the_version_of_its_time_whenever_it_arrives(north, van, depot):
    away = square()
    away["coordinates"] = [[[lon, lat + 1.0] for lon, lat in away["coordinates"][0]]]
    redraw_geofence(geofence=depot.geofence, shape=away, valid_from=TEN)
    before, after = TEN - timedelta(minutes=1), TEN + timedelta(minutes=1)

    observe(north, inside(van, after), outside(van, NINE), inside(van, before))

    assert kinds_of(van) == [("enter", before), ("lost", after)]
    versions = Crossing.objects.filter(withdrawn_at=None).order_by("at")
    assert [row.version_id for row in versions] == [
        depot.pk,
        depot.geofence.versions.get(valid_from=TEN).pk,
    ]
    assert presence_of(van) == []


def test_assets_do_not_disturb_each_other(north, van, depot):
    other = builders.make_van(north, "lorry")

    deliver(north, [outside(van, NINE), inside(other, NINE), inside(van, TEN), outside(other, TEN)])

    assert kinds_of(van) == [("enter", TEN)]
    assert kinds_of(other) == [("found", NINE), ("exit", TEN)]
