"""The machine for late facts, with any folds: order, batches and repeats change nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judging.motion import MotionFold
from tests.judging.history import MINUTE, SECOND, History, fact
from tests.judging.toy_folds import SilenceFold, WarmFold
from tests.laws import examples

EXAMPLES = examples(150)
HOUR_S = 3_600.0
COOL: dict[str, Any] = {"air.temperature": 5.0}
WARM: dict[str, Any] = {"air.temperature": 9.0}

facts = st.builds(
    fact,
    st.integers(0, 60).map(lambda n: n * 100.0),
    st.one_of(
        st.none(),
        st.tuples(st.just(9.7), st.sampled_from([52.0, 52.0001, 52.002, 52.01, 52.1])),
    ),
    message=st.integers(0, 1),
    **{"air.temperature": st.sampled_from([2.0, 7.0, 9.0, 12.0])},
)
tracks = st.lists(facts, min_size=1, max_size=24, unique_by=lambda each: each.key)


def batches_of(data: st.DataObject, count: int) -> list[list[int]]:
    order = data.draw(st.permutations(range(count)))
    order += data.draw(st.lists(st.integers(0, count - 1), max_size=4))
    batches, left = [], list(order)
    while left:
        size = data.draw(st.integers(1, len(left)))
        batches.append(left[:size])
        left = left[size:]
    return batches


def all_folds() -> History:
    return History(MotionFold(), WarmFold(), SilenceFold())


@pytest.mark.law(1)
@settings(max_examples=EXAMPLES, deadline=None)
@given(track=tracks, data=st.data())
def test_any_order_batching_and_repetition_ends_in_the_same(track, data):
    """With the clock anywhere between, and folds that look at readings, fixes and the clock."""
    ordered, shuffled = all_folds(), all_folds()
    ends_s = data.draw(st.sampled_from([0.0, 1 * HOUR_S, 2 * HOUR_S, 5 * HOUR_S]))

    for each in sorted(track, key=lambda each: each.key):
        ordered.learn([each], now_s=ends_s)
    for batch in batches_of(data, len(track)):
        now_s = data.draw(st.floats(0.0, ends_s)) if ends_s else 0.0
        shuffled.learn([track[number] for number in batch], now_s=now_s)
    shuffled.learn([], now_s=ends_s)

    assert shuffled.recorded_intervals() == ordered.recorded_intervals()


@settings(max_examples=EXAMPLES, deadline=None)
@given(track=tracks, data=st.data())
def test_each_fold_finds_what_it_finds_alone(track, data):
    combined = all_folds()
    alone = [History(MotionFold()), History(WarmFold()), History(SilenceFold())]

    for batch in batches_of(data, len(track)):
        for history in (combined, *alone):
            history.learn([track[number] for number in batch], now_s=2 * HOUR_S)

    assert combined.recorded_intervals() == sorted(
        each for history in alone for each in history.recorded_intervals()
    )


def test_a_deadline_without_a_further_fact_is_found_when_the_clock_passes_it():
    history = History(SilenceFold())
    history.learn([fact(0.0)], now_s=599.0)
    assert history.recorded_intervals() == []

    history.learn([], now_s=600.0)

    assert history.recorded_intervals() == [("silent", 600.0, None)]


def test_a_late_fact_that_shows_the_deadline_was_kept_withdraws_the_finding():
    history = History(SilenceFold())
    history.learn([fact(0.0)], now_s=900.0)
    assert history.recorded_intervals() == [("silent", 600.0, None)]

    history.learn([fact(500.0)], now_s=900.0)

    assert history.recorded_intervals() == []


def test_a_fact_measured_before_a_deadline_that_was_met_is_late_even_if_it_is_the_newest():
    history = History(SilenceFold(), checkpoint_every=100)
    history.learn([fact(0.0)], now_s=900.0)

    verdict = history.learn([fact(550.0)], now_s=900.0)

    assert verdict.windows
    assert history.recorded_intervals() == []


def test_a_late_fact_costs_a_few_stretches_however_long_the_history():
    short, long = (History(MotionFold(), WarmFold(), checkpoint_every=10) for _ in range(2))
    for history, minutes in ((short, 100), (long, 3_000)):
        for number in range(minutes):
            place = (9.7, 52.0 + (number // 7 % 5) * 0.01)
            history.learn([fact(number * 60.0, place, **COOL)])
        history.loaded = 0

        history.learn([fact(30.5 * 60.0, (9.7, 52.3), **COOL)])

    assert short.loaded == long.loaded
    assert 0 < long.loaded <= 40


def test_a_fold_that_is_new_begins_as_for_an_asset_never_judged():
    history = History(MotionFold())
    history.learn([fact(0.0, (9.7, 52.0), speed_mps=0.0)])
    history.machine = History(MotionFold(), WarmFold()).machine

    history.learn([fact(60.0, (9.7, 52.0), speed_mps=0.0, **WARM)])

    assert history.recorded_intervals() == [("resting", 0.0, None), ("warm", 60.0, None)]


def test_a_fold_that_asks_for_the_same_instant_again_is_a_bug_that_is_not_hidden():
    class Stuck(SilenceFold):
        def at_deadline(self, *args: object) -> None:
            """Forget to ask for a later one."""

    with pytest.raises(AssertionError, match="same instant"):
        History(Stuck()).learn([fact(0.0)], now_s=HOUR_S)


@pytest.mark.law(1)
@settings(max_examples=EXAMPLES, deadline=None)
@given(track=tracks, late=st.integers(0, 23))
def test_a_judging_that_stops_on_its_way_finds_in_parts_what_the_whole_finds(track, late):
    """Where parts end so early that several are needed; the reach as short as the track asks."""
    whole = all_folds()
    parts = History(MotionFold(), WarmFold(), SilenceFold(), facts_at_once=4, reach_us=5 * MINUTE)
    track = sorted(track, key=lambda each: each.key)
    delayed = track.pop(min(late, len(track) - 1))
    for history in (whole, parts):
        history.learn(track)
        verdict = history.learn([delayed])
        while verdict.settled_us is not None:
            verdict = history.judge_from(verdict.settled_us / SECOND)

    assert parts.recorded_intervals() == whole.recorded_intervals()
