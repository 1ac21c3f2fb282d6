"""A query parameter is taken at its word or refused, never ignored."""

from __future__ import annotations

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from core.rest.query_parameters import known_parameters
from tests.conftest import Api

SOURCES_OF_RASTERS = ("/vsicurl/http://127.0.0.1:9/x", '{"driver": "PNG"}')
LISTS = [
    path
    for (path, method) in sorted(known_parameters())
    if method == "GET" and "{" not in path and path not in ("/api/v1/schema/", "/api/v1/docs/")
]


@pytest.fixture
def otto(api: Api, operator: User) -> APIClient:
    return api(operator)


@pytest.mark.fault("F-065")
@pytest.mark.parametrize("path", LISTS)
def test_a_parameter_that_nobody_knows_is_refused(otto: APIClient, path: str) -> None:
    answer = otto.get(path, {"within": SOURCES_OF_RASTERS[0]})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-parameter")
    (fault,) = answer.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/query/within", "invalid")


@pytest.mark.field("H-25")
@pytest.mark.parametrize("query", ["assets/?organisation=1&organisation=2", "crossings/?format="])
def test_a_parameter_that_would_be_ignored_in_part_is_refused(otto: APIClient, query: str) -> None:
    answer = otto.get(f"/api/v1/{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-parameter")


def test_a_parameter_that_takes_several_values_may_come_again(otto: APIClient) -> None:
    assert otto.get("/api/v1/crossings/?kind=enter&kind=exit").status_code == 200


@pytest.mark.field("H-25")
@pytest.mark.parametrize("number", ["0.5", "-1", "1e3", "99999999999999999999"])
def test_no_object_has_such_a_number(otto: APIClient, number: str) -> None:
    answer = otto.get("/api/v1/assets/", {"organisation": number})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-parameter")


def test_what_would_be_known_instead_is_said(otto: APIClient) -> None:
    (fault,) = otto.get("/api/v1/assets/", {"organization": "1"}).json()["errors"]

    assert "organisation" in fault["detail"]


def test_a_write_is_not_carried_out_with_half_of_what_was_asked(otto: APIClient) -> None:
    answer = otto.post("/api/v1/uplinks/replay/?sorce=3")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-parameter")


@pytest.mark.parametrize(
    "query",
    [
        "crossings/?corrections=maybe",
        "crossings/?baselines=2",
        "rejudgings/?finished=maybe",
        "assets/?is_archived=perhaps",
        "uplinks/?replayed=nil",
    ],
)
def test_neither_true_nor_false_is_refused(otto: APIClient, query: str) -> None:
    answer = otto.get(f"/api/v1/{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-parameter")


@pytest.mark.parametrize("word", ["true", "false", "True", "1", "0", ""])
def test_true_and_false_are_taken(otto: APIClient, word: str) -> None:
    assert otto.get("/api/v1/crossings/", {"corrections": word}).status_code == 200


@pytest.mark.parametrize("path", ["assets/1/state/", "geofences/1/presence/", "alerts/1/"])
def test_a_path_with_a_variable_knows_its_parameters(otto: APIClient, path: str) -> None:
    answer = otto.get(f"/api/v1/{path}", {"x": "1"})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-parameter")


@pytest.mark.fault("F-065")
@pytest.mark.parametrize("value", SOURCES_OF_RASTERS)
@pytest.mark.parametrize("path", ["geofence/geofence/?area", "geofence/crossing/?lon_deg"])
def test_the_admin_does_not_turn_it_into_the_whole_list(
    client: Client, admin: User, path: str, value: str
) -> None:
    client.force_login(admin)
    address, _, name = f"/admin/{path}".partition("?")

    answer = client.get(address, {name: value})

    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert b"<h1" in answer.content
