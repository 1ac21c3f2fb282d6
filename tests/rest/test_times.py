"""A time is read alike at every door: RFC 3339, with its zone, in the years 1 to 9999."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from assets.models import Asset
from tests import builders
from tests.alerts.scenes import make_geofence
from tests.conftest import Api

# Query parameters that are times; `{van}` and `{depot}` are numbers of rows.
FILTERS = [
    "positions/?from",
    "positions/?to",
    "assets/{van}/positions/?from",
    "assets/{van}/track/?to",
    "crossings/?from",
    "crossings/?to",
    "assignments/?at",
    "geofences/{depot}/presence/?at",
    "geofences/{depot}/visits/?from",
]
NO_TIMES = [
    ("2026-03-02T12:00:00", "time-without-zone"),
    ("2026-03-02", "not-a-time"),
    ("2026-W10-1T12:00:00Z", "not-a-time"),
    ("20260302T120000Z", "not-a-time"),
    ("2026-061T12:00:00Z", "not-a-time"),
    ("2026-03-02T24:00:00Z", "not-a-time"),
    ("1772442000", "not-a-time"),
    ("0001-01-01T00:00:00+01:00", "not-a-time"),
    ("9999-12-31T23:59:59-01:00", "not-a-time"),
    ("0000-01-01T00:00:00Z", "not-a-time"),
    ("2026-03-02T12:00:00 01:00", "not-a-time"),
    ("now", "not-a-time"),
    ("", "not-a-time"),
]
TIMES = [
    "2026-03-02T12:00:00Z",
    "2026-03-02t12:00:00.123456z",
    "2026-03-02 12:00:00+01:00",
    "2026-03-02T12:00:00+0100",
    "2026-03-02T12:00:00-00:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
]


@pytest.fixture
def otto(api: Api, operator: User) -> APIClient:
    return api(operator)


@pytest.fixture
def ids(north: Organisation, van: Asset) -> dict[str, int]:
    return {"van": van.pk, "depot": make_geofence(north).pk}


def ask(client: APIClient, filter_: str, ids: dict[str, int], time: str) -> tuple[int, list[str]]:
    path, _, name = filter_.format(**ids).partition("?")
    answer = client.get(f"/api/v1/{path}", {name: time})
    body = answer.json()
    return answer.status_code, [error["code"] for error in body.get("errors", ())]


@pytest.mark.field("H-23")
@pytest.mark.parametrize(("time", "code"), NO_TIMES)
@pytest.mark.parametrize("filter_", FILTERS)
def test_what_is_no_time_is_refused_by_every_filter(
    otto: APIClient, ids: dict[str, int], filter_: str, time: str, code: str
) -> None:
    assert ask(otto, filter_, ids, time) == (400, [code])


@pytest.mark.field("H-23")
@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("filter_", FILTERS)
def test_every_filter_takes_the_same_times(
    otto: APIClient, ids: dict[str, int], filter_: str, time: str
) -> None:
    assert ask(otto, filter_, ids, time) == (200, [])


@pytest.mark.field("H-23")
@pytest.mark.parametrize(("time", "code"), NO_TIMES)
def test_what_is_no_time_is_refused_in_a_body_too(
    otto: APIClient, north: Organisation, van: Asset, time: str, code: str
) -> None:
    truck = builders.make_asset(north, "truck")
    asked = {"device": builders.device_on(van).pk, "asset": truck.pk, "since": time}

    answer = otto.post("/api/v1/assignments/", asked)

    assert answer.status_code == 422
    assert [error["code"] for error in answer.json()["errors"]] == [code]


@pytest.mark.field("H-23")
@pytest.mark.parametrize(("time", "code"), [each for each in NO_TIMES if each[0]])
def test_what_is_no_time_is_refused_in_a_report_too(
    otto: APIClient, van: Asset, time: str, code: str
) -> None:
    report = {"device": builders.device_on(van).identifier, "measured_at": time}

    answer = otto.post("/api/v1/positions/", report)

    assert answer.status_code == 422
    assert [error["code"] for error in answer.json()["errors"]] == [code]


@pytest.mark.field("H-23")
def test_an_early_year_is_answered_with_its_zeros(otto: APIClient, north: Organisation) -> None:
    van, device = builders.make_asset(north, "van"), builders.make_device(north)
    asked = {"device": device.pk, "asset": van.pk, "since": "0001-01-01T00:00:00Z"}

    answer = otto.post("/api/v1/assignments/", asked)

    assert answer.json()["since"] == "0001-01-01T00:00:00.000000Z"
