"""Law 1 for facts that people change: the past ends as if all had been known from the start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organisation
from assets.actions import assign_device, change_asset
from assets.models import Asset, Device
from billing.models import UsageHour
from core.observation import Fix, Observation
from geofence.actions import delete_geofence, draw_geofence, redraw_geofence
from geofence.models import Crossing, Geofence, Presence
from tests import builders
from tests.builders import MORNING
from tests.laws import examples
from tests.road.scenes import away_from_depot, deliver, forget_memory, latest_of, square
from tracker import rejudging

EXAMPLES = examples(40)

pytestmark = [pytest.mark.django_db, pytest.mark.law(1)]


def usage_of(asset: Asset) -> list[datetime]:
    return list(
        UsageHour.objects.filter(asset=asset).order_by("hour").values_list("hour", flat=True)
    )


class Rollback(Exception):
    """Raised to leave no trace of an example."""


Change = tuple[Any, ...]
Steps = list[Callable[[], Any]]
moments = st.integers(0, 40).map(lambda n: MORNING + timedelta(seconds=n * 100))
sizes = st.sampled_from([60.0, 100.0, 150.0])
options = st.sampled_from(
    [
        {},
        {"persist_fixes": 2},
        {"judges_pass_through": True, "max_gap_s": 1_500.0},
        {"max_accuracy_m": 30.0},
        {"tags": ["cold"]},
    ]
)
names = st.sampled_from(["one", "two"])
changes = st.lists(
    st.one_of(
        st.tuples(st.just("draw"), names, moments, sizes, options),
        st.tuples(st.just("redraw"), names, moments, sizes, options),
        st.tuples(st.just("delete"), names, moments),
        st.tuples(st.just("assign"), st.integers(0, 1), st.sampled_from(["van", "cold"]), moments),
        st.tuples(
            st.just("tag"),
            st.sampled_from(["van", "cold"]),
            st.sampled_from([[], ["cold"], ["cold", "large"]]),
        ),
    ),
    max_size=6,
)
fixes = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.sampled_from([0.0, 50.0, 95.0, 105.0, 140.0, 400.0, -90.0, -400.0]),
        st.sampled_from([None, 3.0, 20.0, 200.0]),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=20,
)


def make(north: Organisation, change: Change) -> None:
    """Make a change if it is possible then: in both worlds the same ones are."""
    match change:
        case "assign", number, asset, since:
            device = Device.objects.get(identifier=f"device-{number}")
            if not device.assignments.filter(during__startswith__gte=since).exists():
                assign_device(device=device, asset=Asset.objects.get(name=asset), since=since)
        case "tag", name, tags:
            change_asset(asset=Asset.objects.get(name=name), tags=tags)
        case "draw", name, since, metres, judging_options:
            if not Geofence.objects.filter(name=name, deleted_at=None).exists():
                draw_geofence(
                    organisation=north,
                    name=name,
                    shape=square(metres),
                    valid_from=since,
                    **judging_options,
                )
        case kind, name, *rest:
            if geofence := Geofence.objects.filter(name=name, deleted_at=None).first():
                change_geofence(kind, geofence, *rest)


def change_geofence(kind: str, geofence: Geofence, moment: datetime, *rest: Any) -> None:
    if kind == "delete":
        delete_geofence(geofence=geofence, at=moment)
        return
    metres, judging_options = rest
    redraw_geofence(geofence=geofence, shape=square(metres), valid_from=moment, **judging_options)


def world_of(north: Organisation) -> dict[str, Any]:
    """Return all that follows from the facts, without row ids of geofences."""
    assets = Asset.objects.filter(organisation=north).order_by("pk")
    crossings = Crossing.objects.filter(withdrawn_at=None).values_list(
        "asset__name", "geofence__name", "version__valid_from", "kind", "at", "not_before",
        "not_after", "estimate", "left_estimate", "confirmed_at", "device_id",
    )  # fmt: skip
    presence = Presence.objects.values_list("asset__name", "geofence__name", "since", "not_before")
    return {
        "crossings": sorted(crossings, key=repr),
        "presence": sorted(presence, key=repr),
        "latest": [latest_of(asset) for asset in assets if hasattr(asset, "state")],
        "usage": [usage_of(asset) for asset in assets],
    }


def run(north: Organisation, steps: Steps) -> dict[str, Any]:
    outcome: dict[str, Any] = {}
    forget_memory(checkpoint_every=4)
    with pytest.raises(Rollback), transaction.atomic():  # noqa: PT012
        for step in steps:
            step()
        rejudging.continue_rejudgings()
        outcome = world_of(north)
        raise Rollback
    return outcome


def observation_of(fix: tuple[int, float, float | None, int]) -> Observation:
    second, metres, accuracy_m, device = fix
    lon, lat = away_from_depot(metres)
    return Observation(
        device=f"device-{device}",
        measured_at=MORNING + timedelta(seconds=second * 10),
        fix=Fix(lon_deg=lon, lat_deg=lat, accuracy_m=accuracy_m),
    )


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_facts_learned_late_end_as_if_they_had_been_known_from_the_start(
    north: Organisation, data: st.DataObject
) -> None:
    made, track = data.draw(changes), data.draw(fixes)
    batches = [[observation_of(fix)] for fix in track]
    in_order = sorted(batches, key=lambda batch: batch[0].measured_at)
    known_first: Steps = [partial(make, north, change) for change in made]
    known_first += [partial(deliver, north, batch) for batch in in_order]
    # The same, where changes come at any time among fixes in any order.
    learned_late: Steps = [partial(deliver, north, batch) for batch in batches]
    places = sorted(data.draw(st.integers(0, len(batches))) for _ in made)
    for place, change in reversed(list(zip(places, made, strict=True))):
        learned_late.insert(place, partial(make, north, change))
    if data.draw(st.booleans()):
        learned_late.insert(
            data.draw(st.integers(0, len(learned_late))), rejudging.continue_rejudgings
        )
    with pytest.raises(Rollback), transaction.atomic():  # noqa: PT012
        for name, tags in (("van", []), ("cold", ["cold"])):
            builders.make_asset(north, name, tags=tags)
        for number, asset in enumerate(("van", "cold")):
            device = builders.make_device(north, f"device-{number}")
            builders.assign(device, Asset.objects.get(name=asset))
        outcomes = run(north, known_first), run(north, learned_late)
        raise Rollback
    assert outcomes[0] == outcomes[1]
