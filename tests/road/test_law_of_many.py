"""Law 5: a batch gives what its observations would give one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organisation
from assets.models import Asset, Source
from billing.models import UsageHour
from core.observation import Fix, Observation
from geofence.actions import draw_geofence
from tests import builders
from tests.builders import MORNING
from tests.laws import examples
from tests.road.scenes import (
    away_from_depot,
    crossings_of,
    forget_memory,
    latest_of,
    positions_of,
    presence_of,
    square,
)
from tracker import pipeline
from tracker.road.delivery import Delivery
from tracker.road.road_memory import memory_of_process
from uplinks.uplink_queries import books_of

EXAMPLES = examples(60)
DEVICES = ("device-0", "device-1", "nobodys", "unknown")

# Checkpoints so close that a short track has several.
SHORT = 4

pytestmark = [pytest.mark.law(5), pytest.mark.fault("F-020", "F-051")]


class Rollback(Exception):
    """Raised to leave no trace of an example."""


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    """Return what one of a few devices says of one of a few moments, repeats and all."""
    lon, lat = away_from_depot(draw(st.sampled_from([0.0, 60.0, 95.0, 105.0, 400.0, -400.0])))
    accuracy = draw(st.sampled_from([None, 3.0, 45.0]))
    fix = draw(st.sampled_from([Fix(lon_deg=lon, lat_deg=lat, accuracy_m=accuracy), None]))
    return Observation(
        device=draw(st.sampled_from(DEVICES)),
        measured_at=MORNING + timedelta(seconds=20 * draw(st.integers(0, 60))),
        fix=fix,
        readings=draw(st.sampled_from([{}, {"air.temperature": lat}, {"battery.level": 50}])),
        event_id=draw(st.sampled_from([None, None, None, "a", "b"])),
    )


def _world(north: Organisation) -> Source:
    van = builders.make_asset(north, "van")
    for name in DEVICES[:2]:
        builders.assign(builders.make_device(north, name), van)
    builders.make_device(north, DEVICES[2])
    draw_geofence(organisation=north, name="plain", shape=square(), valid_from=MORNING)
    draw_geofence(
        organisation=north,
        name="patient",
        shape=square(110.0),
        valid_from=MORNING,
        persist_fixes=2,
        persist_s=60.0,
        judges_pass_through=True,
        max_gap_s=1500.0,
    )
    return builders.make_source(north)[0]


def _delivery(source: Source, sent: Sequence[Observation]) -> Delivery:
    return Delivery(
        organisation_id=source.organisation_id,
        source_id=source.pk,
        received_at=MORNING + timedelta(days=1),
        observations=tuple(sent),
        indexes=tuple(range(len(sent))),
    )


def _outcome(source: Source, batches: Sequence[Sequence[Delivery]]) -> dict[str, Any]:
    """Return what batches of deliveries end in, in a world that is then undone."""
    outcome: dict[str, Any] = {}
    forget_memory(checkpoint_every=SHORT)
    with pytest.raises(Rollback), transaction.atomic():  # noqa: PT012
        receipts = [
            receipt for batch in batches for receipt in pipeline.receive(batch, memory_of_process())
        ]
        van = Asset.objects.get(name="van")
        hours = UsageHour.objects.order_by("hour").values_list("asset_id", "hour")
        outcome = {
            "receipts": [(o.disposition, o.code) for r in receipts for o in r.outcomes],
            "books": books_of(source).counts,
            "positions": positions_of(van),
            "crossings": crossings_of(van),
            "presence": presence_of(van),
            "latest": latest_of(van),
            "usage": list(hours),
        }
        raise Rollback
    return outcome


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sent=st.lists(observations(), min_size=1, max_size=24), at=st.integers(0, 24))
def test_a_batch_gives_what_its_observations_give_one_by_one(
    north: Organisation, sent: list[Observation], at: int
) -> None:
    outcomes: list[Any] = []
    # The van is on the map before, so that there is a latest state to compare.
    first = Observation(device=DEVICES[0], measured_at=MORNING - timedelta(hours=1))
    forget_memory(checkpoint_every=SHORT)
    with pytest.raises(Rollback), transaction.atomic():  # noqa: PT012
        source = _world(north)
        pipeline.receive([_delivery(source, [first])], memory_of_process())
        each = [_delivery(source, [one]) for one in sent]
        halves = [_delivery(source, half) for half in (sent[:at], sent[at:]) if half]
        outcomes = [
            _outcome(source, [[one] for one in each]),
            _outcome(source, [each]),
            _outcome(source, [[_delivery(source, sent)]]),
            _outcome(source, [halves]),
        ]
        raise Rollback
    assert outcomes[1:] == outcomes[:1] * 3
