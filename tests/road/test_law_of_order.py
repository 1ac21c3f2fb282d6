"""Law 1: any order, repetition and batching of the same observations ends in the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organisation
from assets.actions import change_asset
from assets.models import Asset
from billing.models import UsageHour
from core.observation import Fix, Observation
from geofence.actions import draw_geofence
from tests import builders
from tests.alerts.scenes import make_rule
from tests.builders import MORNING
from tests.judging.toy_folds import SilenceFold, WarmFold
from tests.laws import examples
from tests.road.scenes import (
    alerts_of,
    away_from_depot,
    crossings_of,
    deliver,
    forget_memory,
    latest_of,
    occurrences_of,
    positions_of,
    presence_of,
    square,
)
from tracker.road.interval_ledger import IntervalLedger

EXAMPLES = examples(60)

# Checkpoints so close that a short track has several.
SHORT = 4
# More folds than the product has: one looks at readings and at the side, one at the clock.
TOYS = (IntervalLedger(WarmFold()), IntervalLedger(SilenceFold()))

pytestmark = [pytest.mark.law(1), pytest.mark.fault("F-050")]


class Rollback(Exception):
    """Raised to leave no trace of an example."""


@st.composite
def tracks(draw: st.DrawFn) -> list[tuple[int, float, float | None, int, str]]:
    """Return fixes as (seconds, metres from the depot, accuracy, device, method)."""
    n = draw(st.integers(2, 24))
    seconds = draw(st.lists(st.integers(0, 400), min_size=n, max_size=n))
    fixes = []
    for second in seconds:
        metres = draw(st.sampled_from([0.0, 60.0, 95.0, 105.0, 140.0, 400.0, -90.0, -400.0]))
        accuracy = draw(st.sampled_from([None, 3.0, 20.0, 45.0, 200.0]))
        device = draw(st.integers(0, 1))
        method = draw(st.sampled_from(["gnss", "gnss", "gnss", "wifi", "gateway"]))
        fixes.append((second * 10, metres, accuracy, device, method))
    return fixes


@st.composite
def arrivals(draw: st.DrawFn, n: int) -> list[list[int]]:
    """Return batches of indexes: each of n at least once, in any order, some repeated."""
    order = draw(st.permutations(range(n)))
    order += draw(st.lists(st.integers(0, n - 1), max_size=6))
    batches, rest = [], list(order)
    while rest:
        size = draw(st.integers(1, len(rest)))
        batches.append(rest[:size])
        rest = rest[size:]
    return batches


def _world(north: Organisation) -> tuple[Asset, list[str]]:
    van = builders.make_asset(north, "van")
    devices = [builders.make_device(north, f"device-{number}") for number in range(2)]
    for device in devices:
        builders.assign(device, van)
    plain = draw_geofence(organisation=north, name="plain", shape=square(), valid_from=MORNING)
    make_rule(plain, "anna@north.example", "boris@north.example", name="all")
    make_rule(plain, "anna@north.example", name="cold", trigger="enter", tags=["cold"])
    # It carries the tag in the middle of the track.
    change_asset(asset=van, tags=["cold"], tags_from=MORNING + timedelta(seconds=1_000))
    change_asset(asset=van, tags=[], tags_from=MORNING + timedelta(seconds=2_500))
    draw_geofence(
        organisation=north,
        name="patient",
        shape=square(110.0),
        valid_from=MORNING + timedelta(seconds=600),
        persist_fixes=2,
        persist_s=60.0,
        max_accuracy_m=50.0,
    )
    draw_geofence(
        organisation=north,
        name="passable",
        shape=square(80.0),
        valid_from=MORNING,
        judges_pass_through=True,
        max_gap_s=1500.0,
    )
    return van, [device.identifier for device in devices]


def _observation(fix: tuple[int, float, float | None, int, str], names: list[str]) -> Observation:
    second, metres, accuracy, device, method = fix
    lon, lat = away_from_depot(metres)
    return Observation(
        device=names[device],
        measured_at=MORNING + timedelta(seconds=second),
        fix=Fix(lon_deg=lon, lat_deg=lat, accuracy_m=accuracy, method=method),  # type: ignore[arg-type]
        readings={"air.temperature": 10.0 - metres / 100},
    )


def _outcome(north: Organisation, observations: list[Observation], batches: list[list[int]]) -> Any:
    """Return what the batches end in, in a world of their own that is then undone."""
    outcome: dict[str, Any] = {}
    forget_memory(checkpoint_every=SHORT, more_ledgers=TOYS)
    with pytest.raises(Rollback), transaction.atomic():  # noqa: PT012
        for batch in batches:
            deliver(north, [observations[number] for number in batch])
        van = Asset.objects.get(name="van")
        outcome = {
            "positions": positions_of(van),
            "crossings": crossings_of(van),
            "presence": presence_of(van),
            "occurrences": occurrences_of(van),
            "alerts": alerts_of(van),
            "latest": latest_of(van),
            "usage": list(UsageHour.objects.order_by("hour").values_list("hour", flat=True)),
        }
        raise Rollback
    return outcome


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_order_repetition_and_batching_ends_in_the_same(
    north: Organisation, data: st.DataObject
) -> None:
    track = data.draw(tracks())
    batches = data.draw(arrivals(len(track)))
    outcomes: list[Any] = []
    forget_memory(checkpoint_every=SHORT, more_ledgers=TOYS)
    with pytest.raises(Rollback), transaction.atomic():  # noqa: PT012
        _, names = _world(north)
        observations = [_observation(fix, names) for fix in track]
        in_order = sorted(range(len(track)), key=lambda n: track[n][0])
        outcomes = [
            _outcome(north, observations, [[number] for number in in_order]),
            _outcome(north, observations, batches),
        ]
        raise Rollback
    assert outcomes[0] == outcomes[1]
