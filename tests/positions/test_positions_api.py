"""Positions as people read them: newest first, by device, by asset, and never a foreign one."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from assets import actions
from core.observation import Beacon, Cell, Scans
from tests.builders import (
    DEPOT_LONLAT_DEG,
    ELEVEN,
    MORNING,
    NINE,
    NOON,
    TEN,
    assign,
    device_on,
    make_asset,
    make_device,
    make_van,
)
from tests.positions.scenes import all_pages, drive, hours, report, without_request_id
from tests.road.scenes import deliver, seen

POSITIONS = "/api/v1/positions/"
UNKNOWN = 987_654_321


@pytest.fixture
def vera(api, viewer):
    return api(viewer)


@pytest.fixture
def stan(api, stranger):
    return api(stranger)


def test_a_position_says_where_when_and_on_which_asset(vera, north, van):
    place: dict[str, Any] = {"speed_mps": 12.5, "method": "wifi"}
    deliver(north, [seen(van, NINE, DEPOT_LONLAT_DEG, readings={"battery.level": 80}, **place)])

    (row,) = vera.get(POSITIONS).json()["results"]

    assert row == {
        "device": device_on(van).pk,
        "device_identifier": device_on(van).identifier,
        "asset": van.pk,
        "measured_at": "2026-03-02T09:00:00.000000Z",
        "received_at": "2026-03-03T06:00:00.000000Z",
        "time_source": "device",
        "fix": {
            "lon_deg": 9.7320,
            "lat_deg": 52.3759,
            "altitude_m": None,
            "accuracy_m": None,
            "speed_mps": 12.5,
            "course_deg": None,
            "method": "wifi",
        },
        "readings": {"battery.level": 80},
        "scans": None,
        "is_clock_suspect": False,
        "clock_fault": None,
    }


@pytest.mark.field("S-42")
def test_what_a_device_heard_around_it_stays_with_its_position(vera, north, van):
    heard = Scans(wifi=(Beacon("00:14:22:01:23:45", -70),), cells=(Cell(257, 2, 16, 2224),))
    scan = structs.replace(seen(van, NINE), scans=heard)

    receipts = [deliver(north, [scan]) for _ in range(2)]

    assert [receipt.outcomes[0].disposition for receipt in receipts] == ["stored", "duplicate"]
    assert vera.get(POSITIONS).json()["results"][0]["scans"] == {
        "wifi": [{"mac": "00:14:22:01:23:45", "rssi_dbm": -70}],
        "cells": [{"mcc": 257, "mnc": 2, "area": 16, "cell": 2224, "rssi_dbm": None}],
    }


def test_a_position_without_a_fix_has_none(vera, north, van):
    deliver(north, [seen(van, NINE, readings={"air.temperature": 4.5})])

    assert vera.get(POSITIONS).json()["results"][0]["fix"] is None


def test_the_newest_measured_come_first_whatever_arrived_first(vera, north, van):
    drive(north, van, NOON)
    drive(north, van, TEN)
    drive(north, van, ELEVEN)

    assert hours(vera.get(POSITIONS)) == ["12:00", "11:00", "10:00"]


def test_a_period_holds_its_beginning_and_not_its_end(vera, north, van):
    drive(north, van, NINE, TEN, ELEVEN, NOON)

    answer = vera.get(POSITIONS, {"from": TEN.isoformat(), "to": NOON.isoformat()})

    assert hours(answer) == ["11:00", "10:00"]


def test_positions_of_one_device_only(vera, north, van):
    lorry = make_van(north, "lorry")
    drive(north, van, NINE)
    drive(north, lorry, TEN)

    assert hours(vera.get(POSITIONS, {"device": device_on(lorry).pk})) == ["10:00"]


def test_the_history_of_an_asset_is_the_union_of_its_devices_while_on_it(vera, north, van):
    former, other = device_on(van), make_device(north)
    actions.unassign_device(device=former, at=TEN)
    assign(other, van, TEN)
    report(north, former, NINE, TEN)
    report(north, other, NINE, TEN, ELEVEN)

    answer = vera.get(f"/api/v1/assets/{van.pk}/positions/")

    rows = [(row["measured_at"][11:16], row["device"]) for row in answer.json()["results"]]
    assert rows == [("11:00", other.pk), ("10:00", other.pk), ("09:00", former.pk)]


def test_an_asset_filter_answers_as_the_asset_itself(vera, north, van):
    drive(north, van, NINE, TEN)
    drive(north, make_van(north, "lorry"), ELEVEN)

    ours = vera.get(POSITIONS, {"asset": van.pk}).json()["results"]

    assert ours == vera.get(f"/api/v1/assets/{van.pk}/positions/").json()["results"]
    assert len(ours) == 2


def test_a_position_names_the_asset_of_its_time_not_of_today(vera, north, van):
    device, lorry = device_on(van), make_asset(north, "lorry")
    actions.unassign_device(device=device, at=TEN)
    assign(device, lorry, ELEVEN)
    report(north, device, NINE, TEN, ELEVEN)

    rows = vera.get(POSITIONS, {"device": device.pk}).json()["results"]

    assert [row["asset"] for row in rows] == [lorry.pk, None, van.pk]


def test_following_next_shows_each_position_once(vera, north, van):
    lorry = make_van(north, "lorry")
    drive(north, van, NINE, TEN, ELEVEN)
    drive(north, lorry, NINE, TEN, NOON)

    rows = all_pages(vera, f"{POSITIONS}?page_size=3")

    assert [(row["measured_at"][11:16], row["asset"]) for row in rows] == [
        ("12:00", lorry.pk),
        ("11:00", van.pk),
        ("10:00", lorry.pk),
        ("10:00", van.pk),
        ("09:00", lorry.pk),
        ("09:00", van.pk),
    ]


def test_a_late_position_shifts_no_page(vera, north, van):
    drive(north, van, NINE, TEN, NOON)
    first = vera.get(f"{POSITIONS}?page_size=2")
    drive(north, van, ELEVEN)

    assert hours(vera.get(first.json()["next"])) == ["09:00"]


def test_as_geojson_each_position_is_a_feature(vera, north, van):
    drive(north, van, NINE)
    deliver(north, [seen(van, TEN, readings={"light": 3})])

    answer = vera.get(POSITIONS, HTTP_ACCEPT="application/geo+json")

    assert answer["Content-Type"] == "application/geo+json"
    dark, bright = answer.json()["features"]
    assert dark["geometry"] is None
    assert bright["geometry"] == {"type": "Point", "coordinates": [9.7320, 52.3759]}
    assert bright["properties"]["asset"] == van.pk


def test_a_doubtful_clock_is_shown_and_marked(vera, north, van):
    drive(north, van, MORNING + timedelta(days=300))

    assert [row["is_clock_suspect"] for row in vera.get(POSITIONS).json()["results"]] == [True]


@pytest.mark.fault("F-056")
@pytest.mark.parametrize("lonlat", [(180.0, 90.0), (-180.0, -90.0), (-0.0, -0.0)])
def test_the_ends_of_the_earth_are_stored_and_shown(lonlat, vera, north, van):
    deliver(north, [seen(van, NINE, lonlat), seen(van, TEN, lonlat)])

    (row, _) = vera.get(POSITIONS).json()["results"]
    track = vera.get(f"/api/v1/assets/{van.pk}/track/", {"from": "2026-03-01T00:00:00Z"})

    assert (row["fix"]["lon_deg"], row["fix"]["lat_deg"]) == lonlat
    assert track.status_code == 200


# --- tenants ---------------------------------------------------------------------


@pytest.mark.law(7)
def test_a_stranger_sees_no_position(stan, north, van):
    drive(north, van, NINE)

    assert stan.get(POSITIONS).json()["results"] == []


@pytest.mark.law(7)
@pytest.mark.fault("F-099")
@pytest.mark.parametrize("name", ["device", "asset", "organisation"])
def test_a_foreign_filter_is_answered_like_an_unknown_one(name, stan, north, van):
    ids = {"device": device_on(van).pk, "asset": van.pk, "organisation": north.pk}

    foreign = stan.get(POSITIONS, {name: ids[name]})
    unknown = stan.get(POSITIONS, {name: UNKNOWN})

    assert foreign.status_code == 404
    assert without_request_id(foreign) == without_request_id(unknown)


@pytest.mark.law(7)
@pytest.mark.fault("F-099")
@pytest.mark.parametrize("path", ["positions", "track", "state"])
def test_a_foreign_asset_is_answered_like_an_unknown_one(path, stan, north, van):
    drive(north, van, NINE)

    foreign = stan.get(f"/api/v1/assets/{van.pk}/{path}/")
    unknown = stan.get(f"/api/v1/assets/{UNKNOWN}/{path}/")

    assert foreign.status_code == 404
    assert without_request_id(foreign) == without_request_id(unknown)


@pytest.mark.law(7)
@pytest.mark.fault("F-108")
def test_a_cursor_of_somebody_else_opens_nothing(api, viewer, stan, north, van):
    drive(north, van, NINE, TEN)
    link = api(viewer).get(f"{POSITIONS}?page_size=1").json()["next"]

    assert stan.get(link).json()["results"] == []


def test_the_provider_sees_positions_of_all(api, dispatcher, north, van):
    drive(north, van, NINE)

    assert hours(api(dispatcher).get(POSITIONS)) == ["09:00"]


def test_nobody_gets_no_answer(anonymous):
    assert anonymous.get(POSITIONS).status_code == 401


# --- nonsense --------------------------------------------------------------------


@pytest.mark.fault("F-108")
@pytest.mark.parametrize(
    "cursor",
    ["", "abc", "%00", "ü", *(
        urlsafe_b64encode(text).decode()
        for text in (b"1", b"1.2.3", b"a.b", b"1.-1", b"9" * 30 + b".1", b"1." + b"9" * 30)
    )],
)  # fmt: skip
def test_a_changed_cursor_is_refused(cursor, vera, north, van):
    drive(north, van, NINE)

    answer = vera.get(POSITIONS, {"cursor": cursor})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-cursor")


@pytest.mark.fault("F-108")
@pytest.mark.parametrize("size", ["0", "-1", "text", "9" * 40])
def test_nonsense_is_no_page_size(size, vera):
    assert vera.get(POSITIONS, {"page_size": size}).status_code == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [("from", "yesterday"), ("to", "2026-13-01T00:00:00Z"), ("device", "x"), ("asset", "9" * 30)],
)
def test_nonsense_in_a_filter_is_refused_by_name(name, value, vera):
    answer = vera.get(POSITIONS, {name: value})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-parameter")
    assert answer.json()["errors"][0]["pointer"] == f"/query/{name}"


def test_the_very_ends_of_time_are_no_trouble(vera, north, van):
    drive(north, van, NINE)
    ends = {"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"}

    assert hours(vera.get(POSITIONS, ends)) == ["09:00"]


@pytest.mark.parametrize("count", [1, 20])
def test_a_page_takes_as_many_queries_whatever_its_length(
    count, vera, north, van, django_assert_num_queries
):
    drive(north, van, *(NINE + timedelta(minutes=minute) for minute in range(count)))
    vera.get(POSITIONS)

    # the token, the devices, the page
    with django_assert_num_queries(3):
        vera.get(POSITIONS)
