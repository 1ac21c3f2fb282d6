"""Group C of the fault catalogue at the hot door: clocks, and times out of order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from positions.models import AssetState
from tests.builders import MORNING, NINE, NOON, TEN
from tests.ingest.world import Sender, assert_books_balance, know, make_sender


def latest(sender: Sender) -> Any:
    return AssetState.objects.get(asset=sender.van)


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.mark.fault("F-042")
def test_a_clock_a_little_ahead_is_believed(ingest, sender):
    ahead = now() + timedelta(minutes=4)

    ingest.post(sender.path, sender.says(ahead))

    assert latest(sender).measured_at == ahead
    assert [row.is_clock_suspect for row in sender.positions()] == [False]


@pytest.mark.fault("F-043")
def test_a_clock_a_day_ahead_does_not_freeze_the_van(ingest, sender):
    ingest.post(sender.path, sender.says(now() + timedelta(days=1)))
    right = now()

    ingest.post(sender.path, sender.says(right))

    assert latest(sender).measured_at == right
    assert [row.is_clock_suspect for row in sender.positions()] == [False, True]


@pytest.mark.fault("F-044", "F-045")
@pytest.mark.parametrize(
    "at",
    [
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "1980-01-06T00:00:00Z",
        "2000-01-01T00:00:00Z",
        "2041-09-08T00:00:00Z",
        "2099-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ],
)
def test_a_time_of_no_sane_clock_is_kept_and_doubted(ingest, sender, at):
    answer = ingest.post(sender.path, sender.says() | {"measured_at": at})

    assert answer.status == 200
    assert [row.is_clock_suspect for row in sender.positions()] == [True]
    assert not AssetState.objects.filter(asset=sender.van, measured_at__isnull=False).exists()


@pytest.mark.fault("F-048")
@pytest.mark.parametrize(
    ("sent", "hour"),
    [("14:45:00+05:45", 9), ("09:00:00-00:00", 9), ("09:00:00Z", 9), ("23:00:00+14:00", 9)],
)
def test_an_offset_gives_the_right_instant(ingest, sender, sent, hour):
    ingest.post(sender.path, sender.says() | {"measured_at": f"2026-03-02T{sent}"})

    assert [row.measured_at for row in sender.positions()] == [NINE.replace(hour=hour)]


@pytest.mark.fault("F-047")
@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000])
def test_a_phones_count_is_read_by_its_unit(ingest, unit):
    phone = make_sender("osmand")
    know(ingest, phone)
    count = int(NINE.timestamp()) * unit

    ingest.ask("GET", f"{phone.path}?id={phone.device.identifier}&lat=52&lon=9&timestamp={count}")

    assert [row.measured_at for row in phone.positions()] == [NINE]


@pytest.mark.fault("F-046")
def test_a_phones_time_without_zone_is_utc_where_its_format_says_so(ingest):
    phone = make_sender("osmand")
    know(ingest, phone)
    said = "2026-03-02%2009:00:00"

    ingest.ask("GET", f"{phone.path}?id={phone.device.identifier}&lat=52&lon=9&timestamp={said}")

    assert [row.measured_at for row in phone.positions()] == [NINE]


@pytest.mark.fault("F-049", "F-054")
def test_five_hundred_stored_fixes_after_a_fresh_one_do_not_move_the_van_back(ingest, sender):
    ingest.post(sender.path, sender.says(NOON, lat=52.5))
    stored = [sender.says(TEN + timedelta(seconds=n), lat=52.0) for n in range(500)]

    answer = ingest.post(sender.path, stored)

    assert answer.json()["stored"] == 500
    assert (latest(sender).measured_at, latest(sender).lat_deg) == (NOON, 52.5)
    assert [row.measured_at for row in sender.positions()][:2] == [TEN, TEN + timedelta(seconds=1)]
    assert_books_balance(sender)


@pytest.mark.fault("F-051")
@pytest.mark.parametrize("turn", [1, -1], ids=["in order", "turned round"])
def test_two_halves_of_a_moment_are_two_facts_that_every_reader_joins(ingest, sender, turn):
    whole = sender.says(MORNING, altitude_m=40)
    rest = {"device": whole["device"], "measured_at": whole["measured_at"]}

    for half in [whole, rest | {"readings": {"battery.level": 70}}][::turn]:
        ingest.post(sender.path, half)

    assert len(sender.positions()) == 2
    state = latest(sender)
    assert (state.lat_deg, state.altitude_m) == (52.3759, 40)
    assert state.readings["battery.level"][0] == 70
