"""A JSON body is taken at its word: no value is read as one of another type."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organisation, User
from assets.models import Asset
from tests import builders
from tests.conftest import Api


@pytest.mark.field("H-25")
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("name", 0),
        ("kind", True),
        ("organisation", "1"),
        ("organisation", 1.5),
        ("organisation", True),
        ("expected_interval_s", "300"),
        ("expected_interval_s", True),
        ("tags_from", 1772442000),
    ],
)
def test_a_value_of_another_type_is_refused(
    api: Api, operator: User, north: Organisation, member: str, value: Any
) -> None:
    asked = {"organisation": north.pk, "name": "van"}

    answer = api(operator).post("/api/v1/assets/", asked | {member: value})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{member}"]
    assert not Asset.objects.exists()


@pytest.mark.field("H-25")
def test_a_value_within_a_list_is_named_by_its_place(
    api: Api, operator: User, north: Organisation
) -> None:
    asked = {"organisation": north.pk, "name": "van", "tags": ["cold", 7]}

    answer = api(operator).post("/api/v1/assets/", asked)

    assert [error["pointer"] for error in answer.json()["errors"]] == ["/tags/1"]


@pytest.mark.field("H-25")
def test_one_is_not_true(api: Api, operator: User, north: Organisation) -> None:
    asked = {"organisation": north.pk, "address": "night@example.com", "is_active": 1}

    answer = api(operator).post("/api/v1/recipients/", asked)

    assert [error["pointer"] for error in answer.json()["errors"]] == ["/is_active"]


@pytest.mark.field("H-8")
def test_a_change_of_nothing_is_refused(api: Api, owner: User) -> None:
    member = owner.memberships.get()

    answer = api(owner).patch(f"/api/v1/members/{member.pk}/", {})

    assert (answer.status_code, answer.json()["code"]) == (400, "nothing-to-change")


@pytest.mark.field("H-8")
@pytest.mark.parametrize("accept", ["application/json", "application/geo+json", "*/*"])
@pytest.mark.parametrize("path", ["geofences/export/", "geofences/", "crossings/", "assets/"])
def test_a_view_describes_itself_in_json(
    api: Api, operator: User, north: Organisation, path: str, accept: str
) -> None:
    builders.make_van(north)

    answer = api(operator).options(f"/api/v1/{path}", headers={"Accept": accept})

    assert answer.status_code in (200, 406)
    if answer.status_code == 200:
        assert answer.headers["Content-Type"] == "application/json"
        assert "name" in answer.json()
