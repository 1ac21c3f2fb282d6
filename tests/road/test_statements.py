"""The road asks the database as often for a hundred observations as for a few."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation
from assets.models import Asset
from core.observation import Observation
from geofence.actions import draw_geofence
from tests import builders
from tests.builders import MORNING, NOON
from tests.road.scenes import away_from_depot, deliver, inside, outside, seen, square

SIZES = (4, 10, 100)
# What the busiest kind of batch takes; a new statement on the road is a decision.
MOST = 40

Track = Callable[[Asset, int], list[Observation]]


def _standing(asset: Asset, n: int) -> list[Observation]:
    return [outside(asset, NOON + timedelta(seconds=k + 1)) for k in range(n)]


def _crossing(asset: Asset, n: int) -> list[Observation]:
    places = (inside, outside)
    return [places[k % 2](asset, NOON + timedelta(minutes=k + 1)) for k in range(n)]


def _late(asset: Asset, n: int) -> list[Observation]:
    places = (inside, outside)
    return [places[k % 2](asset, MORNING + timedelta(minutes=k + 1)) for k in range(n)]


def _named(asset: Asset, n: int) -> list[Observation]:
    moments = [NOON + timedelta(seconds=k + 1) for k in range(n)]
    return [seen(asset, at, away_from_depot(0), event_id=f"{at:%H%M%S}") for at in moments]


@pytest.fixture
def depot(north: Organisation) -> None:
    draw_geofence(organisation=north, name="depot", shape=square(), valid_from=MORNING)


def statements(north: Organisation, sent: list[Observation], **more: Any) -> int:
    """Return how many statements a batch takes."""
    with CaptureQueriesContext(connection) as taken:
        receipt = deliver(north, sent, **more)
    assert not any(outcome.code for outcome in receipt.outcomes)
    return len(taken)


def _vans(north: Organisation, n: int) -> list[Asset]:
    """Return vans that have been seen at noon, away from the depot."""
    vans = [builders.make_van(north) for _ in range(n)]
    deliver(north, [outside(van, NOON) for van in vans])
    return vans


@pytest.mark.parametrize("track", [_standing, _crossing, _late, _named])
def test_a_long_track_takes_as_many_statements_as_a_short_one(north, depot, track: Track):
    vans = _vans(north, len(SIZES))

    counts = {statements(north, track(van, n)) for van, n in zip(vans, SIZES, strict=True)}

    assert len(counts) == 1, counts
    assert max(counts) <= MOST


def test_one_observation_takes_no_fewer_statements_than_a_hundred(north, depot):
    vans = _vans(north, 3)

    counts = {
        statements(north, _standing(van, n)) for van, n in zip(vans, (1, 10, 100), strict=True)
    }

    assert len(counts) == 1, counts


@pytest.mark.parametrize("track", [_standing, _crossing, _late])
def test_many_vans_take_as_many_statements_as_a_few(north, depot, track: Track):
    counts = set()
    for n in (1, 10, 60):
        vans = _vans(north, n)
        sent = [observation for van in vans for observation in track(van, 4)]
        counts.add(statements(north, sent))

    assert len(counts) == 1, counts


def test_repeats_take_as_many_statements_whatever_their_number(north, depot):
    vans = _vans(north, len(SIZES))
    for van, n in zip(vans, SIZES, strict=True):
        deliver(north, _standing(van, n))

    counts = {statements(north, _standing(van, n)) for van, n in zip(vans, SIZES, strict=True)}

    assert len(counts) == 1, counts


def test_the_books_take_as_many_statements_whatever_they_count(north, depot):
    first, *vans = _vans(north, 3)
    source, _ = builders.make_source(north)
    deliver(north, _standing(first, 1), source_id=source.pk)

    counts = [
        statements(north, _standing(van, n), source_id=source.pk)
        for van, n in zip(vans, (10, 100), strict=True)
    ]

    assert len(set(counts)) == 1, counts
