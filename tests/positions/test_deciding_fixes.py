"""The same fixes decide in Python and in SQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.observation import CLOCK_TOLERANCE, EARLIEST_PLAUSIBLE, Fix, Method
from core.statements import rows
from positions.deciding_fixes import DECIDES, deciding_fix
from positions.store import finish_storing, send_facts
from positions.stored_fact import Fact
from tests.builders import NOON

SECOND = timedelta(seconds=1)
UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Each by itself, so that none completes another.
# Of no device that another test leaves positions of.
devices = count(1 << 40)

fixes = some.builds(
    Fix,
    lon_deg=some.floats(-180, 180),
    lat_deg=some.floats(-90, 90),
    method=some.sampled_from(get_args(Method)),
)
moments = some.sampled_from(
    [
        NOON,
        NOON + CLOCK_TOLERANCE,
        NOON + CLOCK_TOLERANCE + SECOND,
        EARLIEST_PLAUSIBLE,
        EARLIEST_PLAUSIBLE - SECOND,
        UNIX_EPOCH,
    ]
)


def fact(measured_at: datetime = NOON, fix: Fix | None = None) -> Fact:
    return Fact.of(
        device_id=next(devices),
        measured_at=measured_at,
        message=0,
        reported_at=None,
        received_at=NOON,
        time_source="device",
        fix=fix,
        readings={},
    )


facts = some.builds(fact, moments, some.none() | fixes)


@pytest.mark.parametrize("method", [m for m in get_args(Method) if m != "gateway"])
def test_a_fix_of_a_sane_clock_decides(method):
    fix = Fix(lon_deg=9.7, lat_deg=52.4, method=method)

    assert deciding_fix(fact(fix=fix)) == fix


@pytest.mark.fault("F-043")
def test_a_fix_of_a_doubted_clock_decides_nothing():
    ahead = NOON + CLOCK_TOLERANCE + SECOND

    assert deciding_fix(fact(ahead, Fix(lon_deg=9.7, lat_deg=52.4))) is None


def test_an_estimate_from_gateways_decides_nothing():
    assert deciding_fix(fact(fix=Fix(lon_deg=9.7, lat_deg=52.4, method="gateway"))) is None


def test_a_fact_without_a_fix_decides_nothing():
    assert deciding_fix(fact()) is None


@pytest.mark.django_db
class TestInTheDatabase:
    @given(given=some.lists(facts, min_size=1, max_size=30))
    def test_the_same_fixes_decide(self, given):
        finish_storing(send_facts(given))

        found = rows(
            f"SELECT p.device_id FROM positions_position p WHERE {DECIDES}"
            " AND p.device_id = ANY(%s::bigint[])",
            [[fact.device_id for fact in given]],
        )

        assert {device_id for (device_id,) in found} == {
            fact.device_id for fact in given if deciding_fix(fact)
        }
