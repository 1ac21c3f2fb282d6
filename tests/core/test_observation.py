"""What an observation may say."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from core.observation import Fix, Observation

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lon_deg", 180.1),
        ("lon_deg", math.nan),
        ("lat_deg", -90.1),
        ("lat_deg", math.nan),
        ("accuracy_m", -1.0),
        ("accuracy_m", math.inf),
        ("speed_mps", -0.1),
        ("speed_mps", math.nan),
        ("course_deg", 360.0),
        ("altitude_m", math.inf),
    ],
)
def test_a_fix_has_no_impossible_value(field, value):
    with pytest.raises(ValueError, match="is not a"):
        Fix(**{"lon_deg": 9.0, "lat_deg": 52.0, field: value})


@pytest.mark.parametrize("field", ["measured_at", "reported_at"])
@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=2))])
def test_the_times_of_an_observation_are_in_utc(field, zone):
    times: dict[str, Any] = {"measured_at": NOON, field: NOON.replace(tzinfo=zone)}

    with pytest.raises(ValueError, match=f"{field} must be aware and in UTC"):
        Observation(device="a1", **times)


def test_an_observation_is_of_a_device():
    with pytest.raises(ValueError, match="needs a device"):
        Observation(device="", measured_at=NOON)
