"""A long history is judged again in parts, and ends with the differences that one go would make."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organisation
from assets.models import Asset
from core.observation import Observation
from geofence.actions import draw_geofence, redraw_geofence
from geofence.models import Correction
from positions.models import Rejudging
from tests.builders import MORNING
from tests.laws import examples
from tests.road.scenes import (
    away_from_depot,
    crossings_of,
    deliver,
    forget_memory,
    inside,
    kinds_of,
    presence_of,
    seen,
    square,
)
from tracker import pipeline, rejudging
from tracker.road.road_memory import RoadMemory

EXAMPLES = examples(12, by_night=500)
MINUTE = timedelta(minutes=1)
REACH_US = 20 * 60 * 1_000_000

pytestmark = [pytest.mark.django_db, pytest.mark.law(1)]


class Rollback(Exception):
    """Raised to leave no trace of an example."""


class Crash(BaseException):
    """The process dies here."""


def small_parts(facts: int) -> None:
    """Let a checkpoint come each 4 facts, and a part end after so many."""
    forget_memory(checkpoint_every=4, facts_at_once=facts, reach_us=REACH_US)


def walk(asset: Asset, metres: list[float]) -> list[Observation]:
    """A fix each minute, so many metres from the depot."""
    return [
        seen(asset, MORNING + number * MINUTE, away_from_depot(north_m))
        for number, north_m in enumerate(metres)
    ]


def differences() -> list[tuple[Any, ...]]:
    rows = Correction.objects.values_list(
        "change", "crossing__kind", "crossing__at", "before", "after", "cause__reason"
    )
    return sorted(rows, key=repr)


def outcome_of(asset: Asset) -> dict[str, Any]:
    return {
        "crossings": crossings_of(asset),
        "presence": presence_of(asset),
        "differences": differences(),
    }


def work_through(monkeypatch: pytest.MonkeyPatch, crashes: list[bool], facts: int) -> int:
    """Work until nothing is open, dying before the commit of some parts; return how many."""
    judge_again, parts, doom = pipeline.judge_again, [0], iter(crashes)

    def judge_or_die(asset_id: int, memory: RoadMemory, **more: Any) -> Any:
        settled_until = judge_again(asset_id, memory, **more)
        if next(doom, False):
            raise Crash
        parts[0] += 1
        return settled_until

    with monkeypatch.context() as patch:
        patch.setattr(rejudging, "judge_again", judge_or_die)
        while True:
            try:
                rejudging.continue_rejudgings()
            except Crash:
                small_parts(facts)
                continue
            return parts[0]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 1 << 32),
    crashes=st.lists(st.booleans(), max_size=12),
    options=st.sampled_from(
        [{}, {"persist_fixes": 3}, {"judges_pass_through": True}, {"persist_s": 150.0}]
    ),
    north_m=st.sampled_from([30.0, 90.0, 150.0, 400.0]),
)
def test_parts_with_crashes_between_make_the_differences_of_a_single_judging(
    north: Organisation,
    van: Asset,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    crashes: list[bool],
    options: dict[str, Any],
    north_m: float,
) -> None:
    chance = random.Random(seed)
    metres, place = [], 0.0
    for _ in range(chance.randint(50, 110)):
        place = place * 0.9 + chance.gauss(0.0, 90.0)
        metres.append(place)
    outcomes, parts = [], []
    for fixes, doom in ((1 << 30, []), (8, crashes)):
        small_parts(fixes)
        with pytest.raises(Rollback), transaction.atomic():  # noqa: PT012
            depot = draw_geofence(
                organisation=north, name="depot", shape=square(), valid_from=MORNING
            )
            for step in range(0, len(metres), 20):
                deliver(north, walk(van, metres)[step : step + 20])
            rejudging.continue_rejudgings()
            Correction.objects.all().delete()
            shape = square()
            lat = away_from_depot(north_m)[1] - away_from_depot(0)[1]
            shape["coordinates"] = [[[x, y + lat] for x, y in shape["coordinates"][0]]]
            redraw_geofence(geofence=depot, shape=shape, valid_from=MORNING, **options)
            parts.append(work_through(monkeypatch, doom, fixes))
            outcomes.append(outcome_of(van))
            raise Rollback

    assert parts[0] == 1
    assert parts[1] > 1 or len(metres) < 70
    # A geofence has another id in each go.
    assert _without_ids(outcomes[1]) == _without_ids(outcomes[0])


def _without_ids(outcome: dict[str, Any]) -> dict[str, Any]:
    return outcome | {
        "crossings": [row[:2] + row[3:] for row in outcome["crossings"]],
        "presence": [row[1:] for row in outcome["presence"]],
    }


def test_between_two_parts_facts_come_in_and_nothing_is_lost(north, van, monkeypatch):
    # Four hours: at the depot for ten minutes, and away for ten.
    way = [5_000.0 if number // 10 % 2 else 0.0 for number in range(240)]
    small_parts(20)
    deliver(north, walk(van, way))
    rejudging.continue_rejudgings()
    draw_geofence(organisation=north, name="depot", shape=square(), valid_from=MORNING)
    for minute in (5, 75, 140, 239):
        rejudging._judge_next_part(set())
        deliver(north, [inside(van, MORNING + minute * MINUTE + timedelta(seconds=30))])
    (under_way,) = Rejudging.objects.filter(finished_at=None)
    work_through(monkeypatch, [], 20)
    in_parts = crossings_of(van)
    Rejudging.objects.filter(pk=under_way.pk).update(finished_at=None, after_asset_id=0)

    rejudging.continue_rejudgings()

    assert under_way.current_asset_id == van.pk
    assert crossings_of(van) == in_parts
    assert len(kinds_of(van)) > 20


def test_a_late_fact_with_a_long_effect_is_settled_in_the_background(north, van, monkeypatch):
    small_parts(20)
    deliver(north, walk(van, [0.0] * 239 + [5_000.0]))
    rejudging.continue_rejudgings()
    # Drawn, but not judged yet: no late fact meets a recorded state that knows the geofence.
    draw_geofence(organisation=north, name="depot", shape=square(), valid_from=MORNING)
    Rejudging.objects.update(finished_at=MORNING)
    for second in (30, 40):
        deliver(north, [inside(van, MORNING + timedelta(seconds=second))])
    asked = list(Rejudging.objects.filter(finished_at=None))
    so_far = [kind for kind, _ in kinds_of(van)]
    work_through(monkeypatch, [], 20)

    assert [(work.reason, work.asset_ids) for work in asked] == [("late observations", [van.pk])]
    assert so_far == ["found"]
    assert [kind for kind, _ in kinds_of(van)] == ["found", "exit"]
