"""The columns that the database gives are those that the road sends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Organisation
from assets.models import Asset
from core.broadcast import Moved, ms, scaled
from positions import latest, store
from positions.models import AssetState
from tests import builders
from tests.builders import NOON
from tests.live.world import by_id
from tracker.live.frames import columns_of
from tracker.road.frames import frames_of


def put(asset: Asset, **members: object) -> None:
    """Write what the store would: the state of `asset`."""
    given = {
        "organisation_id": asset.organisation_id,
        "measured_at": NOON,
        "received_at": NOON,
    } | members
    AssetState.objects.update_or_create(asset=asset, defaults=given)


def read(organisation_ids: list[int] | None = None, **narrowed: float) -> dict[int, dict[str, Any]]:
    return by_id(latest.columns(organisation_ids, **narrowed).as_lists())


def test_every_quantity_is_an_integer_of_its_unit(van: Asset) -> None:
    at = NOON + timedelta(microseconds=123_999)
    put(
        van, fix_at=at, measured_at=at, lon_deg=9.7320001, lat_deg=-52.37590005, speed_mps=13.8889,
        course_deg=271.255, accuracy_m=12.34, method="wifi", readings={"battery.level": [81.5, 0]},
    )  # fmt: skip

    assert read()[van.pk] == {
        "lon_e7": scaled(9.7320001, 1e7),
        "lat_e7": scaled(-52.37590005, 1e7),
        "fix_at": ms(at),
        "measured_at": ms(at),
        "received_at": ms(NOON),
        "speed_mms": 13889,
        "course_cdeg": scaled(271.255, 100),
        "accuracy_dm": 123,
        "method": "wifi",
        "battery": 82,
    }


def test_what_is_unknown_is_none_and_what_is_zero_is_zero(van: Asset) -> None:
    put(van, lon_deg=0.0, lat_deg=0.0, readings={"battery.level": ["full", 0]})

    row = read()[van.pk]

    assert (row["lon_e7"], row["lat_e7"]) == (0, 0)
    assert [name for name, value in row.items() if value is None] == [
        "fix_at", "speed_mms", "course_cdeg", "accuracy_dm", "method", "battery",
    ]  # fmt: skip


@pytest.mark.parametrize("method", latest.METHODS)
def test_methods_keep_their_names(van: Asset, method: str) -> None:
    put(van, method=method)

    assert read()[van.pk]["method"] == method


def test_an_asset_that_was_never_heard_of_is_left_out(van: Asset) -> None:
    put(van, measured_at=None)

    assert read() == {}


def test_an_archived_asset_is_left_out(van: Asset) -> None:
    put(van)
    Asset.objects.update(archived_at=NOON)

    assert read() == {}


def test_organisations_narrow_what_is_read(
    van: Asset, north: Organisation, south: Organisation
) -> None:
    foreign = builders.make_van(south)
    put(van)
    put(foreign)

    assert list(read([north.pk])) == [van.pk]
    assert read([]) == {}


def test_what_arrived_lately_can_be_read_alone(van: Asset) -> None:
    put(van)

    assert read(received_within_s=60.0) == {}


def test_a_battery_is_never_fuller_than_full(van: Asset) -> None:
    put(van, readings={"battery.level": [180, 0]})

    assert read()[van.pk]["battery"] == 100


def test_it_can_be_read_while_queries_are_counted(van: Asset, django_assert_num_queries) -> None:
    put(van)

    with django_assert_num_queries(0):
        assert len(latest.columns()) == 1


def test_the_database_and_the_road_say_the_same(van: Asset) -> None:
    put(
        van, fix_at=NOON, lon_deg=9.73200015, lat_deg=52.37590005, speed_mps=0.0125,
        course_deg=0.125, accuracy_m=2.25, method="ble", readings={"battery.level": [50.5, 0]},
    )  # fmt: skip
    with transaction.atomic():
        states = list(store.lock_states([van.pk]).values())

    [frame] = frames_of(states, [], [])

    assert isinstance(frame, Moved)
    assert columns_of(frame).as_lists() == latest.columns().as_lists()
