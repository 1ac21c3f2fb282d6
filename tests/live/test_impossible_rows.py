"""A bad row of one organisation never takes the map from another: it alone is left out."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from assets.models import Asset
from tests import builders
from tests.live.test_latest import put, read

# What no door lets in any more, but a row may hold from before, or by a hand in the database.
IMPOSSIBLE = [
    "speed_mps = 1e17",
    "speed_mps = 1e308",
    "accuracy_m = 1e30",
    "accuracy_m = 'NaN'",
    "course_deg = '-Infinity'",
    "lon_deg = 1e9",
    "estimated_speed_mps = 'Infinity'",
    "fix_at = 'infinity'",
    "motion_since = '-infinity'",
    "method = 'guessed'",
    "readings = jsonb_build_object('battery.level', jsonb_build_array(1e400, 0))",
    "readings = '[1]'",
    "readings = '{\"battery.level\": 5}'",
]


def poison(asset: Asset, assignment: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE positions_assetstate SET {assignment} WHERE asset_id = %s", [asset.pk]
        )


@pytest.mark.field("H-1")
@pytest.mark.parametrize("assignment", IMPOSSIBLE)
def test_a_snapshot_leaves_out_an_impossible_value_alone(
    van: Asset, south: Organisation, dispatcher: User, api: Callable[[User], APIClient],
    assignment: str,
) -> None:  # fmt: skip
    good = builders.make_van(south)
    put(van, lon_deg=9.7, lat_deg=52.3)
    put(good, lon_deg=9.7, lat_deg=52.3, speed_mps=2.5)
    poison(van, assignment)

    answer = api(dispatcher).get("/api/v1/live/snapshot/")

    assert answer.status_code == 200
    assets = json.loads(answer.content)["assets"]
    assert set(assets["id"]) == {van.pk, good.pk}
    assert read()[good.pk]["speed_mms"] == 2500


@pytest.mark.field("H-1")
@pytest.mark.parametrize("column", ["measured_at", "received_at"])
def test_a_row_without_a_possible_time_is_left_out(
    van: Asset, south: Organisation, column: str
) -> None:
    good = builders.make_van(south)
    put(van)
    put(good)
    poison(van, f"{column} = 'infinity'")

    assert list(read()) == [good.pk]


@pytest.mark.field("H-1")
def test_the_log_names_the_assets_once(van: Asset, caplog: pytest.LogCaptureFixture) -> None:
    put(van)
    poison(van, "speed_mps = 1e17")

    read()
    read()

    assert caplog.text.count("hold impossible values") == 1
    assert str(van.pk) in caplog.text
