"""What an observation may say."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from core.observation import MAX_SCANNED, Beacon, Cell, Fix, Observation, Scans, clock_fault

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


@pytest.mark.fault("F-026")
@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("wifi", Beacon("00:14:22:01:23:45", -70)),
        ("bluetooth", Beacon("00:14:22:01:23:45")),
        ("cells", Cell(257, 2, 16, 2224)),
    ],
)
def test_scans_hold_a_bounded_number_of_each_kind(kind, seen):
    assert len(getattr(Scans(**{kind: (seen,) * MAX_SCANNED}), kind)) == MAX_SCANNED

    with pytest.raises(ValueError, match=f"at most {MAX_SCANNED}"):
        Scans(**{kind: (seen,) * (MAX_SCANNED + 1)})


@pytest.mark.field("S-26")
@pytest.mark.parametrize("weeks", [1024, 2048])
@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=6), timedelta(minutes=-4)])
def test_a_clock_that_lost_a_round_of_weeks_is_suspect(weeks, late):
    received_at = datetime(2026, 11, 28, 12, tzinfo=UTC)

    assert clock_fault(received_at - timedelta(weeks=weeks) - late, received_at) == "week-rollover"


@pytest.mark.parametrize("weeks", [512, 1023, 1026])
def test_an_old_time_that_is_no_round_of_weeks_is_none(weeks):
    received_at = datetime(2026, 11, 28, 12, tzinfo=UTC)

    assert clock_fault(received_at - timedelta(weeks=weeks), received_at) is None


def test_the_reason_of_other_suspect_clocks():
    received_at = datetime(2026, 11, 28, 12, tzinfo=UTC)

    assert clock_fault(received_at + timedelta(hours=1), received_at) == "ahead"
    assert clock_fault(datetime(1980, 1, 6, tzinfo=UTC), received_at) == "before-gnss"
