"""Whether an asset moves, rests, or nobody can say."""

from __future__ import annotations

from typing import Any

import pytest

from judging.motion import MotionFold, MotionState, distance_m
from tests.judging.history import History, fact

DEPOT = (9.7320, 52.3759)
KM_NORTH = 1 / 111.195


def at(km: float) -> tuple[float, float]:
    return DEPOT[0], DEPOT[1] + km * KM_NORTH


def state_of(history: History) -> MotionState:
    state: MotionState = history.head().states[MotionFold.name]
    return state


def driven(*points: tuple[float, float], **more: Any) -> History:
    """Return the history of an asset that was seen at (minute, kilometre) points."""
    history = History(MotionFold())
    history.learn([fact(minute * 60.0, at(km), **more) for minute, km in points])
    return history


def test_twenty_kilometres_between_two_fixes_without_a_speed_are_no_stop():
    history = driven((0, 0.0), (15, 20.0))

    assert history.recorded_intervals() == [("moving", 0.0, None)]
    assert state_of(history).speed_mps == pytest.approx(20_000 / 900, rel=0.01)


def test_after_a_single_fix_without_a_speed_motion_is_unknown():
    history = driven((0, 0.0))

    assert history.recorded_intervals() == []
    assert (state_of(history).motion, state_of(history).speed_mps) == ("unknown", None)


def test_a_reported_speed_decides_at_once():
    assert driven((0, 0.0), speed_mps=12.0).recorded_intervals() == [("moving", 0.0, None)]
    assert driven((0, 0.0), speed_mps=0.0).recorded_intervals() == [("resting", 0.0, None)]


def test_an_asset_that_keeps_its_place_for_three_minutes_rests_since_it_came():
    history = driven((0, 0.0), (1, 1.0), (2, 2.0), (3, 2.0), (4, 2.0), (5, 2.0), (6, 2.0))

    assert history.recorded_intervals() == [("moving", 0.0, 120.0), ("resting", 120.0, None)]
    assert state_of(history).speed_mps == 0.0


def test_a_halt_at_the_lights_is_no_rest():
    history = driven((0, 0.0), (1, 1.0), (2, 1.0), (3, 1.0), (4, 2.0))

    assert history.recorded_intervals() == [("moving", 0.0, None)]


def test_a_receiver_that_wanders_does_not_move():
    minutes = range(20)
    history = driven(*((n, 0.025 * (-1) ** n) for n in minutes))

    assert [kind for kind, _, _ in history.recorded_intervals()] == ["resting"]


def test_a_displacement_within_the_accuracy_is_no_movement():
    coarse = driven((0, 0.0), (10, 1.5), accuracy_m=1_000.0)
    fine = driven((0, 0.0), (10, 1.5), accuracy_m=5.0)

    assert [kind for kind, _, _ in coarse.recorded_intervals()] == ["resting"]
    assert [kind for kind, _, _ in fine.recorded_intervals()] == ["moving"]


def test_after_a_displacement_during_a_long_gap_motion_is_unknown():
    """10 km in a day: it moved, and may stand by now."""
    history = driven((0, 0.0), (10, 0.0), (24 * 60, 10.0))

    assert [kind for kind, _, _ in history.recorded_intervals()] == ["resting"]
    assert history.recorded_intervals()[0][2] is not None
    assert state_of(history).motion == "unknown"


def test_two_fixes_of_one_moment_are_no_speed():
    history = History(MotionFold())
    history.learn([fact(0.0, at(0.0), message=1), fact(0.0, at(5.0), message=2)])

    assert history.recorded_intervals() == []


def test_a_late_fix_on_the_way_moves_the_beginning_of_the_rest():
    history = driven((0, 0.0), (20, 20.0), (40, 20.0))
    assert history.recorded_intervals() == [("moving", 0.0, 1_200.0), ("resting", 1_200.0, None)]

    history.learn([fact(30 * 60.0, at(25.0))])

    assert history.recorded_intervals() == [("moving", 0.0, None)]


def test_distance_is_within_a_hundredth_of_the_geodesic():
    north = fact(0.0, at(0.0)).fix, fact(1.0, at(10.0)).fix

    assert all(north)
    assert distance_m(*north) == pytest.approx(10_000, rel=0.01)  # type: ignore[arg-type]


@pytest.mark.parametrize("lon_deg", [179.999, -179.999])
def test_the_antimeridian_is_no_journey_round_the_earth(lon_deg):
    history = History(MotionFold())
    history.learn([fact(0.0, (lon_deg, 0.0)), fact(600.0, (-lon_deg, 0.0), accuracy_m=200.0)])

    assert [kind for kind, _, _ in history.recorded_intervals()] == ["resting"]
