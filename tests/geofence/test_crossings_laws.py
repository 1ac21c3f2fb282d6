"""The fold as laws: however it is cut up, and against a judge that never forgets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import msgpack

from core.judged_fact import DecidingFix
from geofence.crossing_state import CrossingState, LinkedAsset
from geofence.crossings import find_crossings
from geofence.zone import Zone
from geofence.zone_index import INSIDE, OUTSIDE, UNSURE, ZoneIndex
from tests.geofence.walks import SECOND, brief, crossed, judged, mark, square, zone
from tests.laws import examples

EXAMPLES = examples(200)
TURN = 1_500 * SECOND

ZONES = (
    zone(square(100), 1),
    zone(square(110), 2, persist_fixes=2, persist_us=60 * SECOND, max_accuracy_m=50.0),
    zone(square(80), 3, judges_pass_through=True, max_gap_us=900 * SECOND),
    zone(square(80, 300), 4, judges_pass_through=True, max_accuracy_m=30.0, max_gap_us=TURN),
    zone(square(200), 5, version=50, valid_to_us=TURN, accuracy_cap_m=10.0),
    zone(square(120, 300), 5, version=51, valid_from_us=TURN, persist_fixes=2),
    zone(square(100), 6, valid_from_us=TURN // 2, valid_to_us=2 * TURN),
    zone(square(150), 7, floor_m=10.0, ceiling_m=60.0, judges_pass_through=True),
)
INDEX = ZoneIndex(ZONES)


def _moment(fix: DecidingFix) -> tuple[int, int]:
    return fix.at_us, fix.device_id


metres = st.sampled_from([0.0, 60.0, 95.0, 105.0, 140.0, 290.0, 400.0, -90.0, -400.0, 9e3])
marks = st.builds(
    mark,
    st.integers(0, 300).map(lambda n: n * 10),
    metres,
    st.sampled_from([0.0, 3.0, 20.0, 45.0, 200.0]),
    device_id=st.integers(1, 2),
    altitude_m=st.sampled_from([None, 0.0, 30.0, 90.0]),
)
tracks = st.lists(marks, min_size=1, max_size=30, unique_by=_moment).map(
    lambda track: sorted(track, key=_moment)
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(track=tracks, cuts=st.sets(st.integers(0, 30)))
def test_any_cutting_of_a_track_into_batches_finds_what_the_whole_does(track, cuts):
    whole = CrossingState()
    expected = find_crossings(whole, track, INDEX)

    fold, found = CrossingState(), []
    bounds = [0, *sorted(cut for cut in cuts if cut < len(track)), len(track)]
    for low, high in pairwise(bounds):
        # Between batches the state lies in the database.
        fold = msgpack.decode(msgpack.encode(fold), type=CrossingState)
        found += find_crossings(fold, track[low:high], INDEX)

    assert found == expected
    assert fold == whole


@settings(max_examples=EXAMPLES, deadline=None)
@given(past=tracks, other_past=tracks, future=tracks)
def test_states_that_meet_are_judged_alike_ever_after(past, other_past, future):
    after = [_later(one, 4_000) for one in future]
    last = mark(3_500, 0.0)
    one, other = CrossingState(), CrossingState()
    find_crossings(one, [*past, last], INDEX)
    find_crossings(other, [*other_past, last], INDEX)

    if one == other:
        assert find_crossings(one, after, INDEX) == find_crossings(other, after, INDEX)


@settings(max_examples=EXAMPLES, deadline=None)
@given(track=tracks, other=tracks)
def test_different_pasts_meet_once_an_asset_was_surely_far_away(track, other):
    one, two = CrossingState(), CrossingState()
    far = [mark(4_000 + n * 60, 50_000.0) for n in range(3)]
    find_crossings(one, [*track, *far], INDEX)
    find_crossings(two, [*other, *far], INDEX)

    assert one == two
    assert one.zones == {}


@settings(max_examples=EXAMPLES, deadline=None)
@given(track=tracks)
def test_the_fold_agrees_with_a_judge_that_never_forgets(track):
    found = find_crossings(CrossingState(), track, INDEX)

    for one in ZONES[:4]:
        own = [f for f in found if f.geofence_id == one.geofence_id and f.kind != "found"]
        assert [
            (f.kind, f.not_before_us, f.at_us, f.confirmed.at_us) for f in own
        ] == _crossings_by_rote(one, track)


@settings(max_examples=EXAMPLES, deadline=None)
@given(track=tracks)
def test_entries_and_exits_alternate_and_lie_in_their_windows(track):
    found = find_crossings(CrossingState(), track, INDEX)

    for geofence_id in {one.geofence_id for one in found}:
        edges = [f for f in found if f.geofence_id == geofence_id and f.kind != "pass"]
        came = [f.kind in ("enter", "found") for f in edges]
        assert came == [n % 2 == 0 for n in range(len(came))]
    for one in found:
        assert (one.not_before_us or 0) <= one.at_us <= one.confirmed.at_us
        if one.estimate_us is not None and one.not_before_us is not None:
            assert one.not_before_us <= one.estimate_us <= one.not_after_us
            assert one.estimate_us <= (one.left_estimate_us or one.estimate_us)


@pytest.mark.fault("F-073")
@settings(max_examples=EXAMPLES, deadline=None)
@given(
    jitter=st.lists(st.floats(-10, 10), min_size=60, max_size=60),
    accuracy_m=st.sampled_from([0.0, 10.0]),
)
def test_sixty_fixes_jittering_around_the_line_are_one_entry_at_the_most(jitter, accuracy_m):
    came = [mark(-60, 5_000.0)]
    track = came + [mark(n * 10, 100 + m, accuracy_m) for n, m in enumerate(jitter)]

    entries = crossed(judged(track, zone(persist_us=600 * SECOND)))

    assert len(entries) <= 1


@pytest.mark.fault("F-073")
@given(jitter=st.lists(st.floats(-10, 10), min_size=60, max_size=60))
def test_jitter_within_the_accuracy_never_crosses(jitter):
    track = [mark(n * 10, 100 + m, 10.01) for n, m in enumerate(jitter)]

    assert brief(judged(track, zone())) == []


def _later(one: DecidingFix, seconds: int) -> DecidingFix:
    return DecidingFix(
        one.at_us + seconds * SECOND,
        one.device_id,
        one.lon_deg,
        one.lat_deg,
        one.accuracy_m,
        one.altitude_m,
    )


def _crossings_by_rote(yard: Zone, track: Sequence[DecidingFix]) -> list[tuple[object, ...]]:
    """Keep every sure fix, and read the rules off them one by one."""
    index = ZoneIndex([yard])
    sure = [(one, side) for one in track if (side := index.side_of(yard, one)) != UNSURE]
    found: list[tuple[object, ...]] = []
    standing, tries, last = UNSURE, list[DecidingFix](), track[0]
    for one, side in sure:
        if standing == UNSURE:
            standing, last = side, one
        elif side == standing:
            if side == OUTSIDE and not tries and _is_passed(yard, last, one):
                found.append(("pass", last.at_us, one.at_us, one.at_us))
            tries, last = [], one
        else:
            tries.append(one)
            held_us = one.at_us - tries[0].at_us
            if len(tries) >= yard.persist_fixes and held_us >= yard.persist_us:
                kind = "enter" if side == INSIDE else "exit"
                found.append((kind, last.at_us, tries[0].at_us, one.at_us))
                standing, tries, last = side, [], one
    return found


def _is_passed(yard: Zone, last: DecidingFix, one: DecidingFix) -> bool:
    if not yard.judges_pass_through or one.at_us - last.at_us > yard.max_gap_us:
        return False
    way = shapely.LineString([last.lonlat_deg, one.lonlat_deg])
    return shapely.intersection(way, yard.area).length > 1e-8


def test_the_scope_of_an_unknown_asset_sees_what_is_linked_to_nobody():
    assert LinkedAsset().is_judged_by(ZONES[0], 0)
