"""A geofence changes while assets stand or drive: the shape's move is no crossing."""

from __future__ import annotations

import pytest

from geofence.crossing_state import CrossingState
from tests.geofence.walks import SECOND, brief, judged, mark, square, walk, zone

NOON = 3_600 * SECOND
HERE, THERE = square(100), square(100, north_m=5_000)
pytestmark = pytest.mark.fault("F-071")


def redrawn(first, second, **options):
    return (
        zone(first, version=1, valid_to_us=NOON),
        zone(second, version=2, valid_from_us=NOON, **options),
    )


def hourly(*metres):
    """Fixes half an hour apart: two before noon, the third at noon."""
    return walk(*metres, every_s=1_800)


def test_a_geofence_drawn_around_a_parked_asset_is_no_entry():
    assert brief(judged(hourly(0, 0, 0, 0), zone(valid_from_us=NOON))) == [("found", 3_600)]


def test_a_shape_that_moves_over_a_parked_asset_is_no_entry():
    assert brief(judged(hourly(0, 0, 0, 0), *redrawn(THERE, HERE))) == [("found", 3_600)]


def test_a_shape_that_moves_away_from_a_parked_asset_is_no_exit():
    found = judged(hourly(0, 0, 0, 0), *redrawn(HERE, THERE))

    assert brief(found) == [("found", 0), ("lost", 3_600)]
    assert found[-1].version_id == 2


def test_a_shape_that_grows_around_an_asset_inside_says_nothing():
    assert brief(judged(hourly(500, 0, 0, 0), *redrawn(HERE, square(200)))) == [("enter", 1_800)]


def test_an_asset_that_enters_both_shapes_enters_even_if_one_was_redrawn_meanwhile():
    (entry,) = judged(hourly(900, 900, 0), *redrawn(HERE, square(200)))

    assert (entry.kind, entry.version_id) == ("enter", 2)
    assert (entry.not_before_us, entry.at_us) == (1_800 * SECOND, NOON)


def test_an_asset_that_leaves_both_shapes_leaves():
    found = judged(hourly(0, 0, 900), *redrawn(HERE, square(200)))

    assert brief(found) == [("found", 0), ("exit", 3_600)]


def test_an_asset_outside_of_the_old_and_inside_of_the_new_shape_has_not_moved_in():
    found = judged(hourly(150, 150, 150), *redrawn(HERE, square(200)))

    assert brief(found) == [("found", 3_600)]


def test_each_fix_is_judged_by_the_version_of_its_time():
    found = judged(hourly(900, 0, 0, 5_000), *redrawn(HERE, THERE))

    assert [(one.kind, one.version_id) for one in found] == [
        ("enter", 1),
        ("lost", 2),
        ("enter", 2),
    ]


def test_a_candidate_is_dropped_by_a_change_of_version():
    yard = redrawn(HERE, HERE, persist_fixes=2)
    first = zone(HERE, version=1, valid_to_us=NOON, persist_fixes=2)

    (entry,) = judged(hourly(900, 0, 0, 0), first, yard[1])

    assert (entry.at_us, entry.confirmed.at_us) == (NOON, NOON + 1_800 * SECOND)
    assert entry.not_before_us == 0


def test_a_geofence_that_ends_loses_the_assets_inside():
    assert brief(judged(hourly(900, 0, 0, 0), zone(valid_to_us=NOON))) == [
        ("enter", 1_800),
        ("lost", 3_600),
    ]


def test_a_geofence_that_ends_forgets_the_assets_outside():
    fold = CrossingState()

    judged([mark(0, 900), mark(60, 95, 20), mark(4_000, 900)], zone(valid_to_us=NOON), fold=fold)

    assert fold.zones == {}


def test_a_geofence_drawn_for_the_past_finds_no_entry_where_it_was_not_known_yet():
    fold = CrossingState()
    judged(walk(0, 0), fold=fold)

    # Drawn now for all time; re-judging has not come by yet.
    assert brief(judged([mark(600, 0)], zone(), fold=fold)) == [("found", 600)]


def test_unsure_fixes_after_a_change_leave_it_open_whether_the_asset_is_inside():
    marks = [mark(0, 0), mark(3_700, 4_905, 30), mark(3_800, 5_000, 30)]

    assert brief(judged(marks, *redrawn(HERE, THERE))) == [("found", 0)]
