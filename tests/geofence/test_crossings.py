"""The fold: which fixes decide, what they decide, and when it happened."""

from __future__ import annotations

import pytest

from core.dated_tags import always
from geofence.crossing_state import CrossingState, LinkedAsset
from geofence.zone_index import INSIDE, OUTSIDE, UNSURE, ZoneIndex
from tests.geofence.walks import SECOND, brief, crossed, judged, mark, square, walk, zone


def side(north_m: float, accuracy_m: float = 0.0, **options) -> int:
    yard = zone(**options)
    return ZoneIndex([yard]).side_of(yard, mark(0, north_m, accuracy_m))


# --- containment has three answers ------------------------------------------------------


@pytest.mark.parametrize(
    ("north_m", "expected"),
    [(0, INSIDE), (69.9, INSIDE), (70.1, UNSURE), (100, UNSURE), (129.9, UNSURE), (130.1, OUTSIDE)],
)
def test_a_fix_is_unsure_while_the_edge_is_nearer_than_its_accuracy(north_m, expected):
    assert side(north_m, accuracy_m=30.0) == expected


@pytest.mark.parametrize(("north_m", "expected"), [(99.9, INSIDE), (100.1, OUTSIDE)])
def test_a_fix_of_unknown_accuracy_is_always_sure(north_m, expected):
    assert side(north_m) == expected


def test_a_fix_on_the_edge_is_inside():
    yard = zone()
    west, south, _, _ = yard.area.bounds
    corner = mark(0, 0)
    corner = type(corner)(0, 1, west, south)

    assert ZoneIndex([yard]).side_of(yard, corner) == INSIDE


@pytest.mark.parametrize(
    ("north_m", "expected"), [(49, INSIDE), (51, UNSURE), (149, UNSURE), (151, OUTSIDE)]
)
def test_accuracy_counts_up_to_the_cap_of_the_geofence(north_m, expected):
    assert side(north_m, accuracy_m=5_000.0, accuracy_cap_m=50.0) == expected


@pytest.mark.parametrize("north_m", [0, 100, 50_000])
def test_a_fix_coarser_than_the_geofence_admits_is_unsure_everywhere(north_m):
    assert side(north_m, accuracy_m=51.0, max_accuracy_m=50.0) == UNSURE


@pytest.mark.parametrize(
    ("altitude_m", "expected"), [(None, INSIDE), (49, OUTSIDE), (50, INSIDE), (81, OUTSIDE)]
)
def test_only_a_known_altitude_outside_of_the_band_is_outside(altitude_m, expected):
    hall = zone(floor_m=50.0, ceiling_m=80.0)

    assert ZoneIndex([hall]).side_of(hall, mark(0, 0, altitude_m=altitude_m)) == expected


@pytest.mark.fault("F-067")
def test_the_edge_of_a_hole_is_inside_and_the_hole_is_not():
    ring = square(100).difference(square(50))
    yard, west = zone(ring), square(50).bounds[0]
    index = ZoneIndex([yard])
    on_line = type(mark(0, 0))(0, 1, west, mark(0, 0).lat_deg)

    assert index.side_of(yard, mark(0, 0)) == OUTSIDE
    assert index.side_of(yard, on_line) == INSIDE
    assert index.side_of(yard, mark(0, 75)) == INSIDE


# --- the first sure fix -----------------------------------------------------------------


def test_the_first_sure_fix_inside_is_no_entry():
    assert brief(judged(walk(0, 10), zone())) == [("found", 0)]


def test_an_unsure_fix_is_not_the_first():
    marks = [mark(0, 95, 30), mark(60, 0, 30)]

    assert brief(judged(marks, zone())) == [("found", 60)]


def test_an_asset_that_never_comes_near_has_no_crossings():
    fold = CrossingState()

    assert judged(walk(500, 600, 700), zone(), fold=fold) == []
    assert fold.zones == {}


# --- crossings --------------------------------------------------------------------------


@pytest.mark.fault("F-072")
def test_entering_and_leaving_in_one_batch_are_two_crossings_in_this_order():
    found = judged(walk(500, 0, 500), zone())

    assert brief(found) == [("enter", 60), ("exit", 120)]


@pytest.mark.fault("F-072")
def test_geofences_are_judged_each_by_itself():
    yard, town = zone(square(100), 1), zone(square(1_000), 2)

    found = judged(walk(5_000, 500, 0, 500, 5_000), yard, town)

    assert [(one.geofence_id, one.kind, one.at_us // SECOND) for one in found] == [
        (2, "enter", 60),
        (1, "enter", 120),
        (1, "exit", 180),
        (2, "exit", 240),
    ]


def test_two_geofences_entered_by_one_fix_are_ordered_by_their_ids():
    yard, town = zone(square(100), 2), zone(square(200), 1)

    assert [one.geofence_id for one in judged(walk(5_000, 0), yard, town)] == [1, 2]


def test_a_crossing_lies_between_the_last_sure_fix_there_and_the_first_here():
    marks = [mark(0, 500), mark(60, 110, 30), mark(120, 90, 30), mark(180, 0, 30), mark(240, 0)]

    (entry,) = judged(marks, zone())

    assert (entry.not_before_us, entry.at_us, entry.not_after_us) == (
        0,
        180 * SECOND,
        180 * SECOND,
    )
    assert entry.confirmed.at_us == 180 * SECOND


def test_the_estimate_is_where_the_straight_way_meets_the_edge():
    entry, leaving = judged(walk(300, 0, 400, every_s=300), zone())

    assert entry.estimate_us == pytest.approx(200 * SECOND, abs=SECOND / 10)
    assert leaving.estimate_us == pytest.approx(375 * SECOND, abs=SECOND / 10)


def test_the_estimate_of_an_entry_is_the_last_of_several():
    two = square(50, north_m=300).union(square(50))

    (entry,) = judged(walk(500, 0, every_s=500), zone(two))

    assert entry.estimate_us == pytest.approx(450 * SECOND, abs=SECOND / 10)


def test_unsure_fixes_neither_confirm_nor_cancel():
    marks = [mark(0, 500), mark(60, 0), mark(120, 105, 20), mark(180, 0), mark(240, 0)]

    (entry,) = judged(marks, zone(persist_fixes=3))

    assert (entry.at_us, entry.confirmed.at_us) == (60 * SECOND, 240 * SECOND)


@pytest.mark.parametrize("gap", [0, 1, 5])
def test_a_crossing_is_found_however_many_unsure_fixes_lie_between_the_sure_ones(gap):
    coarse = [mark(60 + n, 0, 300) for n in range(gap)]
    marks = [mark(0, 500), *coarse, mark(900, 0)]

    (entry,) = judged(marks, zone(max_accuracy_m=100.0))

    assert (entry.not_before_us, entry.at_us) == (0, 900 * SECOND)


def test_a_coarse_fix_does_not_hide_the_last_sure_one_outside():
    marks = [mark(0, 5_000, 10), mark(60, 5_000, 300), mark(120, 0, 10)]

    (entry,) = judged(marks, zone(max_accuracy_m=100.0), zone(number=2, max_accuracy_m=5.0))

    assert (entry.geofence_id, entry.not_before_us) == (1, 0)


# --- persistence ------------------------------------------------------------------------


def test_a_crossing_needs_as_many_fixes_as_the_geofence_asks_for():
    yard = zone(persist_fixes=3)

    assert brief(judged(walk(500, 0, 0), yard)) == []
    assert brief(judged(walk(500, 0, 0, 0), yard)) == [("enter", 60)]


def test_a_crossing_needs_as_many_seconds_as_the_geofence_asks_for():
    yard = zone(persist_us=120 * SECOND)

    assert brief(judged(walk(500, 0, 0), yard)) == []
    assert brief(judged(walk(500, 0, 0, 0), yard)) == [("enter", 60)]


def test_a_sure_fix_back_cancels_what_was_not_confirmed():
    assert crossed(judged(walk(500, 0, 500, 0, 500, 0), zone(persist_fixes=2))) == []


def test_the_window_of_a_confirmed_crossing_begins_after_the_last_cancelled_try():
    (entry,) = judged(walk(500, 0, 500, 0, 0), zone(persist_fixes=2))

    assert (entry.not_before_us, entry.at_us) == (120 * SECOND, 180 * SECOND)


def test_leaving_persists_by_the_same_rule():
    found = judged(walk(0, 0, 500, 0, 500, 500), zone(persist_fixes=2))

    assert brief(found) == [("found", 0), ("exit", 240)]


@pytest.mark.fault("F-074")
def test_driving_by_without_a_fix_inside_is_nothing_unless_asked_for():
    assert judged(walk(500, -500), zone()) == []


# --- linked to some assets --------------------------------------------------------------


def test_a_geofence_of_other_assets_is_not_there():
    of_seven = zone(asset_ids=frozenset({7}))

    assert judged(walk(500, 0), of_seven, scope=LinkedAsset(8)) == []
    assert crossed(judged(walk(500, 0), of_seven, scope=LinkedAsset(7))) == [("enter", 60)]


def test_a_geofence_is_linked_by_id_or_by_any_tag():
    cold = zone(asset_ids=frozenset({7}), tags=frozenset({"cold", "frozen"}))

    assert crossed(judged(walk(500, 0), cold, scope=LinkedAsset(8, always("frozen"))))
    assert crossed(judged(walk(500, 0), cold, scope=LinkedAsset(7)))
    assert not judged(walk(500, 0), cold, scope=LinkedAsset(8, always("dry")))


def test_a_geofence_that_lets_go_of_an_asset_loses_it_without_a_crossing():
    fold, yard = CrossingState(), zone(tags=frozenset({"cold"}))
    judged(walk(500, 0), yard, scope=LinkedAsset(1, always("cold")), fold=fold)

    assert brief(judged([mark(600, 0)], yard, scope=LinkedAsset(1), fold=fold)) == [("lost", 600)]


def test_a_geofence_linked_to_an_asset_that_stands_inside_finds_it_without_a_crossing():
    fold, yard = CrossingState(), zone(tags=frozenset({"cold"}))
    judged(walk(0, 0), yard, scope=LinkedAsset(1), fold=fold)

    scope = LinkedAsset(1, always("cold"))
    assert brief(judged([mark(600, 0)], yard, scope=scope, fold=fold)) == [("found", 600)]
