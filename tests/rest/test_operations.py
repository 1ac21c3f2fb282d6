"""Every operation of the OpenAPI document, tried by those who may not.

A resource that is new in the API needs a row in `one_of_each`, or these tests fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from tests.conftest import Api
from tests.rest.one_of_each import one_of_each

UNKNOWN = 987_654_321
CANARY = "canary"
# What may be had by anybody.
OPEN = {"/api/v1/schema/", "/api/v1/docs/"}


def operations() -> Iterator[tuple[str, str]]:
    """Yield method and path of every operation, as the OpenAPI document lists them."""
    generator = SchemaGenerator()
    document = generator.get_schema(request=None, public=True)
    for path, methods in document["paths"].items():
        for method in methods:
            if path not in OPEN:
                yield method, path


OPERATIONS = sorted(operations())
DETAILS = [(method, path) for method, path in OPERATIONS if "{" in path]
# What belongs to a person and not to an organisation.
OWN = {
    ("patch", "/api/v1/me/"),
    ("post", "/api/v1/tokens/"),
    ("delete", "/api/v1/tokens/{id}/"),
}
# A question with a body.
QUESTIONS = {
    ("post", "/api/v1/geofences/simplify/"),
    ("post", "/api/v1/geofences/{id}/test/"),
}
READS = ("get", "head", "options")
WRITES = [each for each in OPERATIONS if each[0] not in READS and each not in OWN | QUESTIONS]
LISTS = [path for method, path in OPERATIONS if method == "get" and "{" not in path]


def ids_of(path: str) -> str:
    """Return the resource that the id in `path` is of."""
    return path.removeprefix("/api/v1/").split("/")[0]


def call(client: APIClient, method: str, path: str, identifier: object) -> Any:
    before, _, rest = path.partition("{")
    whole = f"{before}{identifier}{rest.partition('}')[2]}" if rest else path
    return getattr(client, method)(whole, {} if method in ("post", "patch", "put") else None)


@pytest.mark.django_db
@pytest.mark.fault("F-027")
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_without_a_credential_nothing_can_be_done(
    method: str, path: str, anonymous: APIClient
) -> None:
    answer = call(anonymous, method, path, 1)

    assert (answer.status_code, answer.json()["code"]) == (401, "credentials-missing")
    assert "WWW-Authenticate" in answer.headers


@pytest.mark.fault("F-099")
@pytest.mark.parametrize(("method", "path"), DETAILS)
def test_a_foreign_id_is_answered_like_an_unknown_one(
    method: str, path: str, api: Api, stranger: User, made: dict[str, object]
) -> None:
    client = api(stranger)

    foreign = call(client, method, path, made[ids_of(path)])
    unknown = call(client, method, path, UNKNOWN)

    assert foreign.status_code == unknown.status_code == 404
    told = [{**answer.json(), "instance": ""} for answer in (foreign, unknown)]
    assert told[0] == told[1]


@pytest.mark.fault("F-099")
@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_viewer_changes_nothing(
    method: str, path: str, api: Api, viewer: User, made: dict[str, object]
) -> None:
    """With an empty body: whoever asks what is missing in it would have taken a whole one."""
    answer = call(api(viewer), method, path, made.get(ids_of(path)))

    assert answer.status_code in (403, 404)
    assert answer.json()["code"] in ("forbidden", "not-found")


def test_what_a_viewer_may_write_is_still_there() -> None:
    assert set(OPERATIONS) >= OWN | QUESTIONS


@pytest.mark.parametrize("path", LISTS)
def test_no_list_shows_anything_of_another(
    path: str, api: Api, stranger: User, made: dict[str, object]
) -> None:
    answer = api(stranger).get(path)

    assert answer.status_code in (200, 400)
    assert CANARY not in answer.content.decode()


@pytest.mark.parametrize(
    "resource",
    [
        "assets",
        "devices",
        "sources",
        "tokens",
        "geofences",
        "rules",
        "recipients",
        "alerts",
        "uplinks",
        "rejudgings",
    ],
)
def test_the_same_lists_show_it_to_its_owner(
    resource: str, api: Api, owner: User, made: dict[str, object]
) -> None:
    answer = api(owner).get(f"/api/v1/{resource}/")

    assert CANARY in answer.content.decode()


@pytest.fixture
def made(north: Organisation, owner: User) -> dict[str, object]:
    """Return the id of one row of each resource, all of north and with a canary in it."""
    return one_of_each(north, owner, CANARY)
