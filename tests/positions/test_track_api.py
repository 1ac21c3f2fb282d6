"""The way of an asset as a line with times."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from assets import actions
from tests.builders import NINE, NOON, TEN, assign, device_on, make_device
from tests.positions.scenes import drive, report
from tests.road.scenes import away_from_depot, deliver, outside, seen

DAY = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def vera(api, viewer):
    return api(viewer)


def track(client, asset, **query):
    return client.get(f"/api/v1/assets/{asset.pk}/track/", {**DAY, **query}).json()


def clocks(line):
    return [at[11:16] for at in line["properties"]["coordTimes"]]


def test_a_track_is_a_feature_with_a_time_for_each_point(vera, north, van):
    deliver(north, [seen(van, TEN, (9.8, 52.4)), seen(van, NINE, (9.7, 52.3))])

    answer = vera.get(f"/api/v1/assets/{van.pk}/track/", DAY)

    assert answer["Content-Type"] == "application/geo+json"
    line = answer.json()
    assert (line["type"], line["id"]) == ("Feature", van.pk)
    assert line["geometry"] == {"type": "LineString", "coordinates": [[9.7, 52.3], [9.8, 52.4]]}
    assert clocks(line) == ["09:00", "10:00"]
    assert line["properties"]["fixes"] == 2


def test_times_are_exact_to_the_microsecond(vera, north, van):
    deliver(north, [seen(van, NINE.replace(microsecond=123457), (9.7, 52.3))])

    (first, _) = track(vera, van)["properties"]["coordTimes"]

    assert first == "2026-03-02T09:00:00.123457Z"


def test_without_a_fix_there_is_no_line(vera, north, van):
    deliver(north, [seen(van, NINE, readings={"light": 1})])

    line = track(vera, van)

    assert line["geometry"] is None
    assert line["properties"]["coordTimes"] == []


def test_a_single_fix_makes_a_line_of_one_place(vera, north, van):
    deliver(north, [seen(van, NINE, (9.7, 52.3))])

    assert track(vera, van)["geometry"]["coordinates"] == [[9.7, 52.3], [9.7, 52.3]]


def test_a_doubtful_clock_and_a_gateways_place_are_no_part_of_the_way(vera, north, van):
    drive(north, van, NINE)
    deliver(north, [outside(van, TEN, method="gateway")])
    deliver(north, [outside(van, NOON)], received_at=NINE)

    assert track(vera, van)["properties"]["fixes"] == 1


def test_a_track_goes_on_over_a_change_of_device(vera, north, van):
    former, other = device_on(van), make_device(north)
    actions.unassign_device(device=former, at=TEN)
    assign(other, van, TEN)
    report(north, former, NINE, NOON + MINUTE)
    report(north, other, NINE + MINUTE, NOON)

    assert clocks(track(vera, van)) == ["09:00", "12:00"]


def test_no_more_points_than_were_asked_for(vera, north, van):
    zigzag = [away_from_depot(100 * (minute % 2)) for minute in range(60)]
    deliver(north, [seen(van, NINE + minute * MINUTE, at) for minute, at in enumerate(zigzag)])

    line = track(vera, van, max_points=10)

    assert len(line["geometry"]["coordinates"]) == len(clocks(line)) == 10
    assert line["properties"]["fixes"] == 60
    assert line["properties"]["within_m"] == pytest.approx(100, abs=5)


def test_no_more_points_than_the_tolerance_needs(vera, north, van):
    wobble = [away_from_depot(5 * (minute % 2)) for minute in range(60)]
    deliver(north, [seen(van, NINE + minute * MINUTE, at) for minute, at in enumerate(wobble)])

    line = track(vera, van, tolerance_m=20)

    assert len(line["geometry"]["coordinates"]) == 2
    assert line["properties"]["within_m"] <= 20


def test_by_default_it_is_the_last_day(vera, north, van):
    now = timezone.now()
    deliver(
        north,
        [seen(van, now - hours * timedelta(hours=1), (9.7, 52.3)) for hours in (1, 23, 25)],
        received_at=now,
    )

    line = vera.get(f"/api/v1/assets/{van.pk}/track/").json()

    assert line["properties"]["fixes"] == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_points", "1"), ("max_points", "10001"), ("tolerance_m", "-1"), ("tolerance_m", "nan")],
)
def test_nonsense_is_refused_by_name(name, value, vera, van):
    answer = vera.get(f"/api/v1/assets/{van.pk}/track/", {name: value})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == f"/query/{name}"


def test_a_track_takes_as_many_queries_whatever_its_length(
    vera, north, van, django_assert_num_queries
):
    drive(north, van, NINE, TEN, NOON)
    track(vera, van)

    # the token, the asset, its assignments, the copy
    with django_assert_num_queries(4):
        track(vera, van)
