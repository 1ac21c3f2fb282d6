"""The columns that the database gives are those that the road sends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as some

from accounts.models import Organisation
from assets.models import Asset
from core.broadcast import Moved
from core.observation import Method, instant
from positions import latest_columns, store
from positions.latest_columns import LatestColumns
from positions.models import AssetState
from positions.store import StateRow
from tests import builders
from tests.builders import NOON
from tests.live.world import by_id, moved, state
from tracker.live.frames import columns_of
from tracker.road.batch_frames import frames_of


def put(asset: Asset, **members: object) -> None:
    """Write what the store would: the state of `asset`."""
    given = {
        "organisation_id": asset.organisation_id,
        "measured_at": NOON,
        "received_at": NOON,
    } | members
    AssetState.objects.update_or_create(asset=asset, defaults=given)


def read(organisation_ids: list[int] | None = None, **narrowed: float) -> dict[int, dict[str, Any]]:
    return by_id(latest_columns.read_columns(organisation_ids, **narrowed).as_lists())


def test_every_quantity_is_an_integer_of_its_unit(van: Asset) -> None:
    at = datetime(2026, 3, 2, 12, 0, 0, 123_999, tzinfo=UTC)
    put(
        van, fix_at=at, measured_at=at, lon_deg=9.7320001, lat_deg=-52.37590005, speed_mps=13.8889,
        course_deg=271.255, accuracy_m=12.34, method="wifi", readings={"battery.level": [81.5, 0]},
    )  # fmt: skip

    said = {
        "lon_e7": 97_320_001,
        "lat_e7": -523_759_000,
        "fix_at": 1_772_452_800_123,
        "measured_at": 1_772_452_800_123,
        "received_at": 1_772_452_800_000,
        "speed_mms": 13_889,
        "course_cdeg": 27_126,
        "accuracy_dm": 123,
        "method": "wifi",
        "battery": 82,
    }
    assert read()[van.pk].items() >= said.items()


def test_what_is_unknown_is_none_and_what_is_zero_is_zero(van: Asset) -> None:
    put(van, lon_deg=0.0, lat_deg=0.0, readings={"battery.level": ["full", 0]})

    row = read()[van.pk]

    assert (row["lon_e7"], row["lat_e7"]) == (0, 0)
    unknown = ("fix_at", "speed_mms", "course_cdeg", "accuracy_dm", "method", "battery")
    assert {row[name] for name in unknown} == {None}


@pytest.mark.parametrize("method", get_args(Method))
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
        assert len(latest_columns.read_columns()) == 1


def from_the_road(states: list[StateRow]) -> list[LatestColumns]:
    frames = frames_of(states, [], [])
    return [columns_of(frame) for frame in frames if isinstance(frame, Moved)]


def test_the_database_and_the_road_round_alike(van: Asset) -> None:
    put(
        van, fix_at=NOON, lon_deg=9.73200015, lat_deg=52.37590005, speed_mps=0.0125,
        course_deg=0.125, accuracy_m=2.25, method="ble", readings={"battery.level": [50.5, 0]},
    )  # fmt: skip
    with transaction.atomic():
        states = list(store.lock_states([van.pk]).values())

    [rows] = from_the_road(states)

    assert rows.as_lists() == latest_columns.read_columns().as_lists()


moments = some.integers(-2 * 10**15, 4 * 10**15).map(instant)
levels = some.one_of(
    some.floats(-1e9, 1e9),
    some.integers(-(10**6), 10**6),
    some.booleans(),
    some.text(some.characters(codec="ascii", categories=["L"])),
)


def quantities(lowest: float, highest: float) -> some.SearchStrategy[float | None]:
    return some.none() | some.floats(lowest, highest)


fixes = some.fixed_dictionaries(
    {
        "measured_at": moments,
        "received_at": moments,
        "fix_at": some.none() | moments,
        "lon_deg": quantities(-180, 180),
        "lat_deg": quantities(-90, 90),
        "altitude_m": quantities(-1e4, 1e5),
        "accuracy_m": quantities(0, 1e6),
        "speed_mps": quantities(0, 1e5),
        "course_deg": quantities(0, 359.99),
        "method": some.none() | some.sampled_from(get_args(Method)),
        "readings": some.just({})
        | levels.map(lambda level: {"battery.level": [level, 0], "shock": [1.0, 0]}),
    }
)


@pytest.mark.django_db
class TestWhateverTheState:
    @given(given=some.lists(fixes, min_size=1, max_size=10))
    def test_the_database_and_the_road_say_the_same(self, given: list[dict[str, Any]]) -> None:
        organisation = builders.make_organisation()
        for members in given:
            put(builders.make_asset(organisation), **members)
        ids = Asset.objects.filter(organisation=organisation).values_list("pk", flat=True)
        states = list(store.lock_states(ids).values())

        [rows] = from_the_road(states)

        assert by_id(rows.as_lists()) == read([organisation.pk])


def test_a_frame_without_a_declared_column_is_refused() -> None:
    frame = moved(1, {7: state(1)})
    lacking = {name: values for name, values in frame.columns.items() if name != "battery"}

    with pytest.raises(ValueError, match="battery"):
        columns_of(Moved(organisation_id=1, id=[7], columns=lacking))


def test_a_frame_with_a_column_that_is_not_declared_is_refused() -> None:
    frame = moved(1, {7: state(1)})

    with pytest.raises(ValueError, match="mood"):
        columns_of(Moved(organisation_id=1, id=[7], columns=frame.columns | {"mood": [1]}))


@pytest.mark.parametrize("code", [0, -1, len(get_args(Method)) + 1])
def test_a_frame_with_a_code_that_stands_for_no_choice_is_refused(code: int) -> None:
    frame = moved(1, {7: state(1)})

    with pytest.raises(ValueError, match="method"):
        columns_of(Moved(organisation_id=1, id=[7], columns=frame.columns | {"method": [code]}))
