"""Recorded tracks down the road in any order; and what late facts do to what was recorded."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Organisation
from assets.models import Asset
from billing.models import UsageHour
from core.observation import Fix, Observation
from geofence.actions import draw_geofence
from tests.builders import MORNING, NINE, NOON, device_on
from tests.laws import examples
from tests.road.scenes import (
    away_from_depot,
    crossings_of,
    deliver,
    forget_memory,
    inside,
    latest_of,
    outside,
    positions_of,
    presence_of,
    square,
)

FIXTURES = Path(__file__).parents[2] / "fixtures" / "tracks"
SHUFFLES = examples(10, by_night=200)
pytestmark = pytest.mark.django_db


class Rollback(Exception):
    """Raised to leave no trace of an example."""


def track_of(name: str, device: str) -> list[Observation]:
    """Return a recorded track as if it had begun this morning, with accuracies as they occur."""
    rows = json.loads((FIXTURES / f"{name}.json").read_text())["rows"]
    began = datetime.fromisoformat(rows[0][3])
    accuracies = (None, 4.0, 12.0, 35.0, 90.0)
    return [
        Observation(
            device=device,
            measured_at=MORNING + (datetime.fromisoformat(at) - began),
            fix=Fix(
                lon_deg=lon,
                lat_deg=lat,
                altitude_m=altitude,
                accuracy_m=accuracies[number % len(accuracies)],
            ),
        )
        for number, (lon, lat, altitude, at) in enumerate(rows)
    ]


def lay_geofences(organisation: Organisation, track: Sequence[Observation]) -> None:
    """Draw geofences of all kinds of judging across the track."""
    judgings: list[dict[str, Any]] = [
        {},
        {"persist_fixes": 2, "persist_s": 20.0},
        {"judges_pass_through": True, "max_gap_s": 900.0},
        {"max_accuracy_m": 20.0},
        {"judges_pass_through": True, "max_accuracy_m": 50.0, "accuracy_cap_m": 5.0},
        {"ceiling_m": 250.0},
    ]
    for number, observation in enumerate(track[:: max(len(track) // 12, 1)]):
        assert observation.fix is not None, "recorded tracks have fixes"
        draw_geofence(
            organisation=organisation,
            name=f"place {number}",
            shape={
                "type": "circle",
                "center": [observation.fix.lon_deg, observation.fix.lat_deg],
                "radius_m": (40.0, 120.0, 400.0)[number % 3],
            },
            valid_from=MORNING if number % 2 else track[len(track) // 3].measured_at,
            **judgings[number % len(judgings)],
        )


def outcome_of(
    north: Organisation, van: Asset, batches: Sequence[Sequence[Observation]]
) -> dict[str, Any]:
    """Return what the batches end in, in a world of their own that is then undone."""
    outcome: dict[str, Any] = {}
    forget_memory()
    with pytest.raises(Rollback), transaction.atomic():  # noqa: PT012
        for batch in batches:
            deliver(north, batch)
        outcome = {
            "crossings": crossings_of(van),
            "presence": presence_of(van),
            "positions": positions_of(van),
            "latest": latest_of(van),
            "usage": list(UsageHour.objects.order_by("hour").values_list("hour")),
        }
        raise Rollback
    return outcome


def shuffled(track: Sequence[Observation], dice: random.Random) -> list[list[Observation]]:
    """Return the track in any order, some of it twice, in batches of any size."""
    order = [*track, *dice.sample(track, len(track) // 10)]
    dice.shuffle(order)
    batches = []
    while order:
        size = dice.choice((1, 5, 30, 200))
        batches.append(order[:size])
        order = order[size:]
    return batches


@pytest.mark.law(1)
@pytest.mark.fault("F-050")
@pytest.mark.parametrize("name", ["car-drive", "lake-outing"])
def test_a_recorded_track_in_any_order_ends_in_the_same(north, van, name):
    track = track_of(name, device_on(van).identifier)
    lay_geofences(north, track)

    in_order = outcome_of(north, van, [[one] for one in track])

    assert len(in_order["crossings"]) > 10
    for seed in range(SHUFFLES):
        batches = shuffled(track, random.Random(seed))
        assert outcome_of(north, van, batches) == in_order, f"seed {seed}"


@pytest.mark.law(5)
@pytest.mark.parametrize("name", ["car-drive", "lake-outing"])
def test_a_recorded_track_at_once_gives_what_its_fixes_give_one_by_one(north, van, name):
    track = track_of(name, device_on(van).identifier)
    lay_geofences(north, track)

    assert outcome_of(north, van, [track]) == outcome_of(north, van, [[one] for one in track])


# --- what was stored and comes after a fresh one --------------------------------------------------


@pytest.fixture
def depot(north):
    return draw_geofence(
        organisation=north, name="depot", shape=square(), valid_from=MORNING
    ).versions.get()


@pytest.mark.fault("F-049")
def test_500_stored_fixes_after_a_fresh_one_end_as_if_they_had_come_in_order(north, van, depot):
    dice = random.Random(49)
    stored = [
        dice.choice((inside, outside))(van, NINE + timedelta(seconds=n * 14)) for n in range(500)
    ]
    fresh = outside(van, NOON)

    in_order = outcome_of(north, van, [[*stored, fresh]])
    late = outcome_of(north, van, [[fresh], *(stored[n : n + 100] for n in range(0, 500, 100))])

    assert late == in_order
    assert len(in_order["crossings"]) > 200
    assert late["latest"]["measured_at"] == NOON


def stored_drive(device: str, count: int) -> list[Observation]:
    """Return what a tracker kept while it drove back and forth past the depot."""
    dice = random.Random(10)
    stored = []
    for number in range(count):
        lon, lat = away_from_depot(600 * math.sin(number / 40) + dice.gauss(0, 8))
        fix = Fix(lon_deg=lon, lat_deg=lat, accuracy_m=dice.choice((None, 5.0, 15.0, 40.0)))
        at = MORNING + timedelta(seconds=number * 5)
        stored.append(Observation(device=device, measured_at=at, fix=fix))
    return stored


@pytest.mark.slow
@pytest.mark.law(1)
def test_a_dump_of_10000_stored_observations_in_any_order_is_judged_right(north, van, depot):
    draw_geofence(
        organisation=north,
        name="patient",
        shape=square(200),
        valid_from=NINE,
        persist_fixes=3,
        judges_pass_through=True,
        max_accuracy_m=20.0,
    )
    stored = stored_drive(device_on(van).identifier, 10_000)
    dump = random.Random(7).sample(stored, len(stored))

    in_order = outcome_of(north, van, [stored])
    in_any = outcome_of(north, van, [dump[n : n + 1000] for n in range(0, 10_000, 1000)])

    assert len(in_order["crossings"]) > 200
    assert in_any == in_order
