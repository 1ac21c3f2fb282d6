"""Passing through between two fixes, and altitude bands."""

from __future__ import annotations

import pytest
import shapely

from geofence.zone_index import ZoneIndex
from tests.geofence.walks import (
    SECOND,
    brief,
    crossed,
    judged,
    mark,
    place,
    square,
    walk,
    zone,
)

HOUR = 3600 * SECOND


def passable(area=None, number=1, **options):
    return zone(area, number, judges_pass_through=True, **{"max_gap_us": HOUR} | options)


def test_a_way_that_cuts_the_geofence_between_two_fixes_is_a_passing():
    (passing,) = judged(walk(500, -500, every_s=100), passable())

    assert (passing.kind, passing.is_inferred) == ("pass", True)
    assert (passing.not_before_us, passing.at_us, passing.not_after_us) == (
        0,
        100 * SECOND,
        100 * SECOND,
    )
    assert passing.estimate_us == pytest.approx(40 * SECOND, abs=SECOND / 10)
    assert passing.left_estimate_us == pytest.approx(60 * SECOND, abs=SECOND / 10)


def test_a_way_that_only_touches_the_geofence_is_no_passing():
    west, _, _, north = square().bounds
    start, end = mark(0, 0), mark(60, 0)
    corner = [
        type(start)(0, 1, west - 0.01, north - 0.01),
        type(end)(60 * SECOND, 1, west + 0.01, north + 0.01),
    ]

    assert judged(corner, passable()) == []


def test_fixes_too_far_apart_in_time_say_nothing_of_the_way():
    yard = passable(max_gap_us=60 * SECOND)

    assert brief(judged(walk(500, -500, every_s=60), yard)) == [("pass", 60)]
    assert brief(judged(walk(500, -500, every_s=61), yard)) == []


def test_each_geofence_counts_the_gap_by_itself():
    patient, hasty = passable(number=1), passable(number=2, max_gap_us=10 * SECOND)

    assert [one.geofence_id for one in judged(walk(500, -500), patient, hasty)] == [1]


def test_of_several_geofences_only_those_on_the_way_are_passed():
    zones = [
        passable(square(50, east_m=5_000), 1),
        passable(square(50, north_m=200), 2),
        passable(square(50, north_m=-200), 3),
        zone(square(50), 4),
    ]

    assert [one.geofence_id for one in judged(walk(500, -500), *zones)] == [2, 3]


def test_a_fix_inside_makes_it_an_entry_and_an_exit():
    assert brief(judged(walk(500, 0, -500), passable())) == [("enter", 60), ("exit", 120)]


def test_unsure_fixes_on_the_way_do_not_hide_the_passing():
    marks = [mark(0, 500, 5), mark(50, 95, 20), mark(100, -500, 5)]

    (passing,) = judged(marks, passable())

    assert (passing.not_before_us, passing.at_us) == (0, 100 * SECOND)


def test_too_coarse_fixes_on_the_way_do_not_hide_the_passing():
    marks = [mark(0, 500, 5), mark(50, 3_000, 900), mark(100, -500, 5)]

    assert brief(judged(marks, passable(max_accuracy_m=50.0))) == [("pass", 100)]


def test_a_coarse_fix_makes_no_passing():
    marks = [mark(0, 500, 5), mark(50, -500, 900), mark(100, 500, 5)]

    assert brief(judged(marks, passable(max_accuracy_m=50.0))) == []


def test_a_visit_too_short_to_be_confirmed_is_no_passing_either():
    assert crossed(judged(walk(500, 0, -500), passable(persist_fixes=2))) == []


def test_a_geofence_drawn_between_the_two_fixes_is_not_passed():
    assert judged(walk(500, -500), passable(valid_from_us=30 * SECOND)) == []


def test_the_way_over_the_antimeridian_is_the_short_one():
    strip = shapely.box(179.95, -1, 180, 1)
    far = shapely.box(-10, -1, 10, 1)
    start, end = mark(0, 0), mark(100, 0)
    marks = [
        type(start)(0, 1, 179.9, 0.0),
        type(end)(100 * SECOND, 1, -179.9, 0.0),
    ]

    (passing,) = judged(marks, passable(strip, 1), passable(far, 2))

    assert passing.geofence_id == 1
    assert passing.estimate_us == pytest.approx(25 * SECOND, abs=SECOND / 10)
    assert passing.left_estimate_us == pytest.approx(50 * SECOND, abs=SECOND / 10)


@pytest.mark.parametrize("lons", [(179.9, -179.9), (-179.9, 179.9)])
def test_the_only_geofence_beyond_the_antimeridian_is_passed(lons):
    index = ZoneIndex([passable(shapely.box(-179.95, -1, -179.93, 1))])

    assert len(index.passed((lons[0], 0.0), (lons[1], 0.0))) == 1
    assert index.passed((lons[0], 5.0), (lons[1], 5.0)) == []


# --- altitude ---------------------------------------------------------------------------


def test_flying_over_the_band_is_no_passing():
    low = passable(ceiling_m=100.0)
    over = [mark(0, 500, altitude_m=900.0), mark(60, -500, altitude_m=800.0)]
    through = [mark(0, 500, altitude_m=90.0), mark(60, -500, altitude_m=80.0)]

    assert judged(over, low) == []
    assert brief(judged(through, low)) == [("pass", 60)]


def test_climbing_through_the_band_above_the_geofence_is_a_passing():
    band = passable(floor_m=100.0, ceiling_m=200.0)
    marks = [mark(0, 0, altitude_m=0.0), mark(100, 0, altitude_m=400.0)]
    marks[1] = type(marks[1])(100 * SECOND, 1, *place(1), altitude_m=400.0)

    (passing,) = judged(marks, band)

    assert passing.estimate_us == pytest.approx(25 * SECOND, abs=SECOND / 10)
    assert passing.left_estimate_us == pytest.approx(50 * SECOND, abs=SECOND / 10)


def test_coming_down_into_the_band_is_an_entry_at_the_time_of_the_ceiling():
    hall = zone(ceiling_m=100.0)
    marks = [mark(0, 10, altitude_m=200.0), mark(100, 0, altitude_m=0.0)]

    (entry,) = judged(marks, hall)

    assert entry.kind == "enter"
    assert entry.estimate_us == pytest.approx(50 * SECOND, abs=SECOND / 10)


def test_an_altitude_known_at_one_end_holds_for_the_way():
    low = passable(ceiling_m=100.0)
    high_then_unknown = [mark(0, 500, altitude_m=900.0), mark(60, -500)]
    low_then_unknown = [mark(0, 500, altitude_m=50.0), mark(60, -500)]

    assert judged(high_then_unknown, low) == []
    assert brief(judged(low_then_unknown, low)) == [("pass", 60)]
