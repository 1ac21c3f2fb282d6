"""Quiet hours follow the wall clock of the rule's zone, also on days on which that is changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest

from alerts.models import Alert, RuleVersion
from alerts.quiet_hours import QuietHours
from tests.alerts.scenes import crossing_of, judge, make_rule
from tests.builders import MORNING

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
BERLIN, SAO_PAULO = "Europe/Berlin", "America/Sao_Paulo"
# São Paulo's clock was changed at midnight, until 2019; Lord Howe's by half an hour; the one of
# St. John's at one minute past midnight, until 2011.
CHANGES = [
    (BERLIN, date(2026, 3, 29)),
    (BERLIN, date(2026, 10, 25)),
    (SAO_PAULO, date(2018, 11, 4)),
    (SAO_PAULO, date(2019, 2, 16)),
    (SAO_PAULO, date(2019, 2, 17)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("America/St_Johns", date(2010, 3, 14)),
    ("America/St_Johns", date(2010, 11, 7)),
]
HOURS = [
    ("22:00", "06:00"), ("23:30", "00:30"), ("00:00", "01:30"), ("01:00", "02:30"),
    ("02:30", "05:00"), ("12:00", "12:01"), ("06:00", "05:59"),
]  # fmt: skip


def hours(since: str, until: str, zone: str) -> QuietHours:
    return QuietHours(time.fromisoformat(since), time.fromisoformat(until), zone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.fault("F-053")
@pytest.mark.parametrize(
    ("zone", "day", "since", "until", "opens_at", "closes_at"),
    [
        (BERLIN, "2026-01-10", "22:00", "06:00", "2026-01-10 21:00", "2026-01-11 05:00"),
        (BERLIN, "2026-03-28", "22:00", "06:00", "2026-03-28 21:00", "2026-03-29 04:00"),
        (BERLIN, "2026-10-24", "22:00", "06:00", "2026-10-24 20:00", "2026-10-25 05:00"),
        # 02:30 is left out: the clock jumps from 02:00 to 03:00 at 01:00 UTC.
        (BERLIN, "2026-03-29", "02:30", "05:00", "2026-03-29 01:00", "2026-03-29 03:00"),
        # 02:30 comes twice.
        (BERLIN, "2026-10-25", "02:30", "05:00", "2026-10-25 00:30", "2026-10-25 04:00"),
        (BERLIN, "2026-10-25", "01:00", "02:30", "2026-10-24 23:00", "2026-10-25 00:30"),
        # From midnight the clock jumps to 01:00, at 03:00 UTC.
        (SAO_PAULO, "2018-11-03", "23:00", "00:30", "2018-11-04 02:00", "2018-11-04 03:00"),
        # At midnight it is set back to 23:00, at 02:00 UTC.
        (SAO_PAULO, "2019-02-16", "23:30", "06:00", "2019-02-17 01:30", "2019-02-17 09:00"),
    ],
)
def test_a_window_opens_and_closes_by_the_wall_clock(zone, day, since, until, opens_at, closes_at):
    window = hours(since, until, zone).window(date.fromisoformat(day))

    assert window == (utc(opens_at), utc(closes_at))


@pytest.mark.fault("F-053")
@pytest.mark.parametrize(("since", "until"), HOURS)
@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_each_window_opens_once_and_closes_once(zone, day, since, until):
    quiet = hours(since, until, zone)
    noon = datetime.combine(day, time(9, 30), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    minutes = [noon - 2 * DAY + number * MINUTE for number in range(4 * 1440)]

    covered = [quiet.cover(at) for at in minutes]

    turns = list(pairwise(covered))
    # Four days, in each of which one window opens and one closes, unless it fell into the gap.
    opened, closed = turns.count((False, True)), turns.count((True, False))
    assert abs(opened - closed) <= 1
    assert {opened, closed} <= {3, 4}


@pytest.mark.parametrize(("since", "until"), HOURS)
@pytest.mark.parametrize("zone", [BERLIN, "Asia/Kathmandu", "UTC"])
def test_on_other_days_it_is_what_the_clock_shows(zone, since, until):
    quiet = hours(since, until, zone)
    first = datetime(2026, 6, 10, tzinfo=UTC)

    for number in range(0, 2 * 1440, 7):
        at = first + number * MINUTE
        shown = at.astimezone(ZoneInfo(zone)).time()
        is_shown_inside = (
            quiet.since <= shown < quiet.until
            if quiet.since < quiet.until
            else shown >= quiet.since or shown < quiet.until
        )
        assert quiet.cover(at) == is_shown_inside


# --- rules ------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_rule_is_quiet_by_when_the_asset_crossed(van, depot):
    make_rule(depot, quiet_from=time(22), quiet_until=time(6), time_zone=BERLIN)
    night = MORNING.replace(month=6, hour=20)

    judge(*[crossing_of(van, depot, at=night + n * MINUTE) for n in (-1, 0, 8 * 60 - 1, 8 * 60)])

    told = Alert.objects.order_by("at").values_list("at", flat=True)
    assert list(told) == [night - MINUTE, night + 480 * MINUTE]


@pytest.mark.django_db
def test_a_crossing_that_turns_out_to_have_been_in_quiet_hours_is_withdrawn_and_back(van, depot):
    make_rule(depot, quiet_from=time(22), quiet_until=time(6), time_zone="UTC")
    awake = MORNING.replace(hour=21, minute=59)
    crossing = crossing_of(van, depot, at=awake)
    (raised,) = judge(crossing)

    moved = msgspec.structs.replace(crossing, change="moved", at=awake + MINUTE)
    (withdrawn,) = judge(moved)
    (back,) = judge(msgspec.structs.replace(crossing, change="moved"))

    assert (raised.change, withdrawn.change, back.change) == ("raised", "withdrawn", "reinstated")


@pytest.mark.django_db
def test_quiet_hours_are_in_the_zone_of_the_organisation_by_default(api, operator, north, depot):
    north.time_zone = BERLIN
    north.save()
    asked = {"organisation": north.pk, "name": "Nights off", "trigger": "enter"}
    more = {"geofence": depot.pk, "quiet_from": "22:00", "quiet_until": "06:00"}

    shown = api(operator).post("/api/v1/rules/", asked | more).json()
    url = f"/api/v1/rules/{shown['id']}/"
    changed = api(operator).patch(url, {"quiet_until": "07:30", "time_zone": SAO_PAULO}).json()
    ended = api(operator).patch(url, {"quiet_from": None, "quiet_until": None}).json()

    seen = [(one["quiet_from"], one["quiet_until"], one["time_zone"]) for one in (shown, changed)]
    assert seen == [("22:00:00", "06:00:00", BERLIN), ("22:00:00", "07:30:00", SAO_PAULO)]
    assert (ended["quiet_from"], ended["version"]) == (None, 3)
    assert RuleVersion.objects.count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"quiet_from": "22:00"}, "/quiet_until"),
        ({"quiet_until": "06:00"}, "/quiet_from"),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "/quiet_until"),
        ({"quiet_from": "25:00", "quiet_until": "06:00"}, "/quiet_from"),
        ({"time_zone": "Europe/Atlantis"}, "/time_zone"),
    ],
)
def test_half_of_quiet_hours_is_refused(api, operator, north, depot, wrong, pointer):
    asked = {"organisation": north.pk, "name": "Nights off", "trigger": "enter"}

    made = api(operator).post("/api/v1/rules/", asked | {"geofence": depot.pk} | wrong)
    rule = make_rule(depot)
    changed = api(operator).patch(f"/api/v1/rules/{rule.pk}/", wrong)

    for answer in (made, changed):
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
