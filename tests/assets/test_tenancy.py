"""Through no address does a haulier learn of another, or a role do more than it may."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Model
from rest_framework.test import APIClient

from accounts.models import Membership, Organisation, User
from assets.models import Asset, Assignment, Device, Source
from tests import builders
from tests.conftest import Api

UNKNOWN = 987_654_321
RESOURCES = ["organisations", "members", "assets", "devices", "assignments", "sources", "tokens"]
OPERABLE = ["assets", "devices", "assignments", "sources"]


@pytest.fixture
def secret_van(north: Organisation, owner: User) -> Asset:
    """Return an asset of north with one of everything around it."""
    builders.make_source(north, name="secret gateway")
    builders.make_api_token(owner, "secret laptop")
    return builders.make_van(north, "secret van", "5ec2e7")


def id_in(resource: str, organisation: Organisation) -> int:
    """Return the id of a row of `resource` that belongs to `organisation`."""
    models: dict[str, tuple[type[Model], str]] = {
        "organisations": (Organisation, "pk"),
        "members": (Membership, "organisation"),
        "assets": (Asset, "organisation"),
        "devices": (Device, "organisation"),
        "assignments": (Assignment, "device__organisation"),
        "sources": (Source, "organisation"),
    }
    if resource == "tokens":
        owner = organisation.memberships.filter(role="owner").earliest("pk").user
        return int(owner.api_tokens.earliest("pk").pk)
    model, path = models[resource]
    return int(model._default_manager.filter(**{path: organisation.pk}).earliest("pk").pk)


def without_request_id(answer: Any) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert body.pop("instance").startswith("urn:request:")
    return body


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_list_shows_nothing_of_another(
    resource: str, api: Api, stranger: User, secret_van: Asset, north: Organisation
) -> None:
    answer = api(stranger).get(f"/api/v1/{resource}/")

    assert answer.status_code == 200
    text = answer.content.decode()
    assert "secret" not in text
    assert north.name not in text
    assert "olga" not in text


@pytest.mark.fault("F-099")
@pytest.mark.parametrize("method", ["get", "patch", "delete"])
@pytest.mark.parametrize("resource", RESOURCES)
def test_a_foreign_object_is_answered_like_one_that_does_not_exist(
    resource: str,
    method: str,
    api: Api,
    stranger: User,
    secret_van: Asset,
    north: Organisation,
) -> None:
    client = api(stranger)

    foreign = getattr(client, method)(f"/api/v1/{resource}/{id_in(resource, north)}/", {})
    unknown = getattr(client, method)(f"/api/v1/{resource}/{UNKNOWN}/", {})

    assert foreign.status_code == unknown.status_code
    assert foreign.status_code in (404, 405)
    assert without_request_id(foreign) == without_request_id(unknown)


@pytest.mark.fault("F-099")
@pytest.mark.parametrize(
    "path",
    ["assets/{assets}/archive/", "sources/{sources}/rotate/", "sources/{sources}/revoke/"],
)
def test_nothing_can_be_done_to_a_foreign_object(
    path: str, api: Api, stranger: User, secret_van: Asset, north: Organisation
) -> None:
    ids = {resource: id_in(resource, north) for resource in OPERABLE}
    nowhere = dict.fromkeys(OPERABLE, UNKNOWN)
    client = api(stranger)

    foreign = client.post(f"/api/v1/{path.format(**ids)}")
    unknown = client.post(f"/api/v1/{path.format(**nowhere)}")

    assert foreign.status_code == 404
    assert without_request_id(foreign) == without_request_id(unknown)
    secret_van.refresh_from_db()
    assert secret_van.archived_at is None


@pytest.mark.fault("F-099")
@pytest.mark.parametrize(
    ("resource", "member"),
    [
        ("assets", "organisation"),
        ("devices", "organisation"),
        ("sources", "organisation"),
        ("sources", "device"),
        ("members", "organisation"),
        ("assignments", "device"),
        ("assignments", "asset"),
    ],
)
def test_a_foreign_id_in_a_body_is_answered_like_an_unknown_one(
    resource: str,
    member: str,
    api: Api,
    stranger: User,
    secret_van: Asset,
    north: Organisation,
    south: Organisation,
) -> None:
    own = builders.make_van(south)
    asked: dict[str, Any] = {
        "organisation": south.pk,
        "name": "probe",
        "identifier": "90be",
        "wire_format": "json",
        "email": "probe@example.com",
        "role": "viewer",
        "asset": own.pk,
        "device": builders.device_on(own).pk,
        "since": "2026-03-02T12:00:00Z",
    }
    foreign_id = id_in(f"{member}s", north)
    client = api(stranger)

    foreign = client.post(f"/api/v1/{resource}/", {**asked, member: foreign_id})
    unknown = client.post(f"/api/v1/{resource}/", {**asked, member: UNKNOWN})

    assert foreign.status_code == unknown.status_code == 422
    assert [fault["pointer"] for fault in foreign.json()["errors"]] == [f"/{member}"]
    answer = foreign.content.decode().replace(str(foreign_id), str(UNKNOWN))
    assert "secret" not in answer
    assert foreign.json()["errors"][0]["code"] == unknown.json()["errors"][0]["code"]


@pytest.mark.parametrize("query", ["organisation={organisations}", "organisation=987654321"])
def test_filtering_by_a_foreign_organisation_finds_nothing(
    query: str, api: Api, stranger: User, secret_van: Asset, north: Organisation
) -> None:
    answer = api(stranger).get(f"/api/v1/assets/?{query.format(organisations=north.pk)}")

    assert answer.json()["results"] == []


@pytest.mark.parametrize("resource", OPERABLE[:3])
def test_a_viewer_sees_and_does_not_change(
    resource: str, api: Api, viewer: User, secret_van: Asset, north: Organisation
) -> None:
    client = api(viewer)
    path = f"/api/v1/{resource}/{id_in(resource, north)}/"

    assert client.get(path).status_code == 200
    refused = client.patch(path, {"name": "mine", "until": "2026-03-02T12:00:00Z"})

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


def test_a_viewer_adds_nothing(api: Api, viewer: User, north: Organisation) -> None:
    answer = api(viewer).post("/api/v1/assets/", {"organisation": north.pk, "name": "van"})

    assert answer.status_code == 403
    assert not Asset.objects.exists()


def test_to_a_viewer_there_are_no_sources(
    api: Api, viewer: User, secret_van: Asset, north: Organisation
) -> None:
    client = api(viewer)

    assert client.get("/api/v1/sources/").json()["results"] == []
    assert client.get(f"/api/v1/sources/{id_in('sources', north)}/").status_code == 404


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_an_operator_manages_no_people(method: str, api: Api, operator: User, viewer: User) -> None:
    path = f"/api/v1/members/{viewer.memberships.get().pk}/"

    assert getattr(api(operator), method)(path, {"role": "owner"}).status_code == 403


def test_a_dispatcher_manages_no_people(api: Api, dispatcher: User, north: Organisation) -> None:
    asked = {"organisation": north.pk, "email": "dora@example.com", "role": "owner"}

    assert api(dispatcher).post("/api/v1/members/", asked).status_code == 403


def test_nobody_makes_themselves_a_member_elsewhere(
    api: Api, stranger: User, north: Organisation
) -> None:
    asked = {"organisation": north.pk, "email": stranger.email, "role": "owner"}

    assert api(stranger).post("/api/v1/members/", asked).status_code == 422
    assert not north.memberships.filter(user=stranger).exists()


def test_an_invited_stranger_is_known_by_address_only(
    api: Api, owner: User, stranger: User, north: Organisation
) -> None:
    User.objects.filter(pk=stranger.pk).update(first_name="Stanislaw", username="lem7")
    asked = {"organisation": north.pk, "email": stranger.email, "role": "viewer"}

    answer = api(owner).post("/api/v1/members/", asked)

    assert "Stanislaw" not in answer.content.decode()
    assert "lem7" not in answer.content.decode()
    assert "South" not in answer.content.decode()


@pytest.mark.parametrize("resource", [*RESOURCES, "me"])
def test_nobody_in_particular_sees_nothing(
    resource: str, anonymous: APIClient, secret_van: Asset
) -> None:
    answer = anonymous.get(f"/api/v1/{resource}/")

    assert (answer.status_code, answer.json()["code"]) == (401, "credentials-missing")


def test_a_token_is_shown_to_its_owner_only(
    api: Api, admin: User, owner: User, secret_van: Asset
) -> None:
    answer = api(admin).get("/api/v1/tokens/")

    assert "secret laptop" not in answer.content.decode()
