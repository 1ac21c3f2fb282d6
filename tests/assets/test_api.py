"""What the REST API of who and what does for those who may."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import ApiToken, IdempotencyRecord, Membership, Organisation, User
from accounts.tokens import digest_of
from assets.models import Asset, Source
from tests import builders
from tests.conftest import Api


def test_an_operator_adds_an_asset(api: Api, operator: User, north: Organisation) -> None:
    answer = api(operator).post("/api/v1/assets/", {"organisation": north.pk, "name": "van"})

    assert answer.status_code == 201
    assert Asset.objects.get().name == "van"


def test_a_taken_name_is_a_conflict(api: Api, operator: User, van: Asset) -> None:
    asked = {"organisation": van.organisation_id, "name": van.name}

    answer = api(operator).post("/api/v1/assets/", asked)

    assert (answer.status_code, answer.json()["code"]) == (409, "already-exists")


def test_an_asset_is_changed_in_part(api: Api, operator: User, van: Asset) -> None:
    answer = api(operator).patch(f"/api/v1/assets/{van.pk}/", {"tags": ["cold"]})

    assert answer.json()["tags"] == ["cold"]
    assert answer.json()["name"] == "van"


def test_an_asset_never_changes_its_organisation(
    api: Api, admin: User, van: Asset, south: Organisation
) -> None:
    api(admin).patch(f"/api/v1/assets/{van.pk}/", {"organisation": south.pk})

    van.refresh_from_db()
    assert van.organisation_id != south.pk


def test_assets_are_found_by_tag_and_name(api: Api, viewer: User, north: Organisation) -> None:
    builders.make_asset(north, "van", tags=["cold"])
    builders.make_asset(north, "truck", tags=["cold"])
    builders.make_asset(north, "vanity")

    answer = api(viewer).get("/api/v1/assets/?tag=cold&name=VAN")

    assert [row["name"] for row in answer.json()["results"]] == ["van"]


def test_an_archived_asset_can_be_left_out(api: Api, operator: User, van: Asset) -> None:
    client = api(operator)
    client.post(f"/api/v1/assets/{van.pk}/archive/")

    assert client.get("/api/v1/assets/?is_archived=false").json()["results"] == []
    assert len(client.get("/api/v1/assets/?is_archived=true").json()["results"]) == 1


def test_a_device_shows_its_assignments(api: Api, viewer: User, van: Asset) -> None:
    (device,) = api(viewer).get("/api/v1/devices/").json()["results"]

    (assignment,) = device["assignments"]
    assert (assignment["asset"], assignment["until"]) == (van.pk, None)


def test_a_device_is_found_under_any_spelling(api: Api, viewer: User, north: Organisation) -> None:
    builders.make_device(north, "00-1C-B3-09-85-15-00-01")

    answer = api(viewer).get("/api/v1/devices/?identifier=00:1C:B3:09:85:15:00:01")

    assert len(answer.json()["results"]) == 1


def test_a_device_is_moved_by_a_new_assignment(
    api: Api, operator: User, north: Organisation, van: Asset
) -> None:
    device = builders.device_on(van)
    truck = builders.make_asset(north, "truck")
    asked = {"device": device.pk, "asset": truck.pk, "since": "2026-03-02T12:00:00Z"}

    answer = api(operator).post("/api/v1/assignments/", asked)

    assert answer.status_code == 201
    assert answer.json()["until"] is None
    assert van.assignments.get().during.upper == builders.NOON


@pytest.mark.fault("F-046")
@pytest.mark.parametrize(
    ("since", "code"),
    [("2026-03-02T12:00:00", "time-without-zone"), ("2026-03-02", "not-a-time")],
)
def test_a_device_is_moved_at_no_time_that_must_be_guessed(
    api: Api, operator: User, north: Organisation, van: Asset, since: str, code: str
) -> None:
    truck = builders.make_asset(north, "truck")
    asked = {"device": builders.device_on(van).pk, "asset": truck.pk, "since": since}

    answer = api(operator).post("/api/v1/assignments/", asked)

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/since", code)


def test_an_assignment_is_ended(api: Api, operator: User, van: Asset) -> None:
    path = f"/api/v1/assignments/{van.assignments.get().pk}/"

    answer = api(operator).patch(path, {"until": "2026-03-02T12:00:00Z"})

    assert answer.json()["until"] == "2026-03-02T12:00:00.000000Z"


def test_an_assignment_is_taken_back(api: Api, operator: User, van: Asset) -> None:
    answer = api(operator).delete(f"/api/v1/assignments/{van.assignments.get().pk}/")

    assert answer.status_code == 204
    assert not van.assignments.exists()


def test_assignments_are_found_by_moment(api: Api, viewer: User, van: Asset) -> None:
    answer = api(viewer).get(f"/api/v1/assignments/?asset={van.pk}&at=2026-03-02T12:00:00Z")

    assert len(answer.json()["results"]) == 1


def test_a_new_source_shows_its_token_once(api: Api, operator: User, north: Organisation) -> None:
    client = api(operator)
    asked = {"organisation": north.pk, "name": "gateway", "wire_format": "json"}

    shown = client.post("/api/v1/sources/", asked)

    source = Source.objects.get()
    token = shown.json()["token"]
    assert digest_of(token) == source.digest
    assert shown.json()["url"].endswith(f"/ingest/json/{token}")
    assert shown.headers["Cache-Control"] == "no-store"
    assert token not in client.get(f"/api/v1/sources/{source.pk}/").content.decode()


def test_an_unknown_wire_format_is_refused(api: Api, operator: User, north: Organisation) -> None:
    asked = {"organisation": north.pk, "name": "gateway", "wire_format": "morse"}

    answer = api(operator).post("/api/v1/sources/", asked)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/wire_format"


@pytest.mark.fault("F-031")
def test_a_rotated_source_shows_a_new_token(api: Api, operator: User, north: Organisation) -> None:
    source, old = builders.make_source(north)

    answer = api(operator).post(f"/api/v1/sources/{source.pk}/rotate/", {"overlap_s": 60})

    source.refresh_from_db()
    assert source.digest == digest_of(answer.json()["token"])
    assert source.previous_digest == digest_of(old)


def test_a_revoked_source_cannot_be_rotated(api: Api, operator: User, north: Organisation) -> None:
    source, _ = builders.make_source(north)
    client = api(operator)
    client.post(f"/api/v1/sources/{source.pk}/revoke/")

    answer = client.post(f"/api/v1/sources/{source.pk}/rotate/", {})

    assert (answer.status_code, answer.json()["code"]) == (409, "source-revoked")


def test_an_api_token_opens_the_api_until_revoked(api: Api, viewer: User) -> None:
    made = api(viewer).post("/api/v1/tokens/", {"name": "laptop"}).json()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {made['token']}")
    assert client.get("/api/v1/me/").status_code == 200

    client.delete(f"/api/v1/tokens/{made['id']}/")

    assert client.get("/api/v1/me/").status_code == 401


def test_using_a_token_is_noted_at_most_once_a_minute(api: Api, viewer: User) -> None:
    client = api(viewer)
    client.get("/api/v1/me/")
    noted = ApiToken.objects.get().last_used_at

    client.get("/api/v1/me/")

    assert noted is not None
    assert ApiToken.objects.get().last_used_at == noted


def test_a_person_who_left_opens_nothing(api: Api, viewer: User) -> None:
    client = api(viewer)
    User.objects.filter(pk=viewer.pk).update(is_active=False)

    assert client.get("/api/v1/me/").status_code == 401


def test_me_lists_where_one_may_do_what(api: Api, viewer: User, north: Organisation) -> None:
    me = api(viewer).get("/api/v1/me/").json()

    assert me["organisations"] == [
        {"id": north.pk, "name": north.name, "time_zone": "Europe/Berlin", "role": "viewer"}
    ]


def test_a_dispatcher_operates_everywhere(
    api: Api, dispatcher: User, north: Organisation, south: Organisation
) -> None:
    places = api(dispatcher).get("/api/v1/me/").json()["organisations"]

    assert [(place["name"], place["role"]) for place in places] == [
        (north.name, "operator"),
        (south.name, "operator"),
    ]


def test_an_owner_invites_by_address(api: Api, owner: User, north: Organisation) -> None:
    asked = {"organisation": north.pk, "email": "nora@example.com", "role": "viewer"}

    answer = api(owner).post("/api/v1/members/", asked)

    assert answer.status_code == 201
    assert north.memberships.filter(user__email="nora@example.com", role="viewer").exists()


def test_an_owner_changes_a_role(api: Api, owner: User, viewer: User) -> None:
    path = f"/api/v1/members/{viewer.memberships.get().pk}/"

    answer = api(owner).patch(path, {"role": "operator"})

    assert answer.status_code == 200
    assert viewer.memberships.get().role == Membership.Role.OPERATOR


def test_only_the_provider_adds_organisations(api: Api, owner: User, admin: User) -> None:
    assert api(owner).post("/api/v1/organisations/", {"name": "East"}).status_code == 403
    assert api(admin).post("/api/v1/organisations/", {"name": "East"}).status_code == 201


def test_a_time_zone_has_to_exist(api: Api, owner: User, north: Organisation) -> None:
    answer = api(owner).patch(f"/api/v1/organisations/{north.pk}/", {"time_zone": "Mars/Olympus"})

    assert answer.status_code == 422


@pytest.mark.parametrize("path", ["organisations", "members", "assets", "devices", "sources"])
def test_a_list_costs_the_same_number_of_queries_for_one_row_and_for_many(
    path: str,
    api: Api,
    owner: User,
    north: Organisation,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = api(owner)
    client.get("/api/v1/me/")  # notes the use of the token
    for _ in range(5):
        builders.make_van(north)
        builders.make_source(north)
        builders.make_member(north)

    # The token, the rows, and the assignments of devices.
    with django_assert_max_num_queries(3):
        assert client.get(f"/api/v1/{path}/").status_code == 200


@pytest.mark.fault("F-100")
def test_nobody_raises_themselves(api: Api, viewer: User) -> None:
    wanted = {"is_staff": True, "is_superuser": True, "staff_role": "admin", "role": "owner"}

    api(viewer).patch("/api/v1/me/", wanted)

    viewer.refresh_from_db()
    assert (viewer.is_staff, viewer.is_superuser, viewer.staff_role) == (False, False, "")
    assert viewer.memberships.get().role == Membership.Role.VIEWER


@pytest.mark.fault("F-100")
def test_what_is_ours_cannot_be_set(api: Api, operator: User, van: Asset) -> None:
    wanted = {"id": 7, "created_at": "2000-01-01T00:00:00Z", "archived_at": "2000-01-01T00:00:00Z"}

    answer = api(operator).patch(f"/api/v1/assets/{van.pk}/", wanted)

    assert answer.json()["id"] == van.pk
    assert answer.json()["archived_at"] is None
    assert not answer.json()["created_at"].startswith("2000")


@pytest.mark.fault("F-112")
def test_a_cookie_alone_changes_nothing(owner: User, north: Organisation) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    asked = {"organisation": north.pk, "name": "van"}

    answer = client.post("/api/v1/assets/", asked, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf-failed")
    assert not Asset.objects.exists()


@pytest.mark.fault("F-112")
def test_a_cookie_with_its_csrf_token_does(owner: User, north: Organisation) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    client.cookies["csrftoken"] = "a" * 32
    asked = {"organisation": north.pk, "name": "van"}

    answer = client.post(
        "/api/v1/assets/",
        asked,
        content_type="application/json",
        headers={"X-CSRFToken": "a" * 32},
    )

    assert answer.status_code == 201


def test_a_post_with_a_key_is_carried_out_once(
    api: Api, operator: User, north: Organisation
) -> None:
    client = api(operator)
    asked = {"organisation": north.pk, "name": "van"}
    headers = {"Idempotency-Key": "order-1"}

    first = client.post("/api/v1/assets/", asked, headers=headers)
    again = client.post("/api/v1/assets/", asked, headers=headers)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Asset.objects.count() == 1


def test_a_key_belongs_to_one_body(api: Api, operator: User, north: Organisation) -> None:
    client = api(operator)
    headers = {"Idempotency-Key": "order-1"}
    client.post("/api/v1/assets/", {"organisation": north.pk, "name": "van"}, headers=headers)

    answer = client.post(
        "/api/v1/assets/", {"organisation": north.pk, "name": "truck"}, headers=headers
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")


def test_a_key_belongs_to_one_person(
    api: Api, operator: User, owner: User, north: Organisation
) -> None:
    headers = {"Idempotency-Key": "order-1"}
    van = {"organisation": north.pk, "name": "van"}
    truck = {"organisation": north.pk, "name": "truck"}

    first = api(operator).post("/api/v1/assets/", van, headers=headers)
    second = api(owner).post("/api/v1/assets/", truck, headers=headers)

    assert (first.status_code, second.status_code) == (201, 201)


def test_a_refused_post_is_not_remembered(api: Api, operator: User, north: Organisation) -> None:
    client = api(operator)
    headers = {"Idempotency-Key": "order-1"}
    refused = client.post("/api/v1/assets/", {"organisation": north.pk}, headers=headers)

    answer = client.post(
        "/api/v1/assets/", {"organisation": north.pk, "name": "van"}, headers=headers
    )

    assert (refused.status_code, answer.status_code) == (422, 201)


def test_a_key_is_forgotten_after_a_day(api: Api, operator: User, north: Organisation) -> None:
    client = api(operator)
    headers = {"Idempotency-Key": "order-1"}
    client.post("/api/v1/assets/", {"organisation": north.pk, "name": "van"}, headers=headers)
    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=25))

    answer = client.post(
        "/api/v1/assets/", {"organisation": north.pk, "name": "truck"}, headers=headers
    )

    assert answer.status_code == 201


@pytest.mark.fault("F-032")
def test_a_secret_is_not_kept_for_a_repeated_post(
    api: Api, operator: User, north: Organisation
) -> None:
    client = api(operator)
    asked = {"organisation": north.pk, "name": "gateway", "wire_format": "json"}
    headers = {"Idempotency-Key": "source-1"}
    first = client.post("/api/v1/sources/", asked, headers=headers)

    again = client.post("/api/v1/sources/", asked, headers=headers)

    assert first.status_code == 201
    assert (again.status_code, again.json()["code"]) == (409, "shown-once")


def test_the_token_of_one_device_is_made_for_it(
    api: Api, operator: User, north: Organisation, van: Asset
) -> None:
    device = builders.device_on(van)
    asked = {"organisation": north.pk, "name": "phone", "wire_format": "json", "device": device.pk}

    answer = api(operator).post("/api/v1/sources/", asked)

    assert answer.json()["device"] == device.pk


@pytest.mark.django_db(transaction=True)
def test_a_post_sent_many_times_at_once_is_carried_out_once(api: Api) -> None:
    north = builders.make_organisation()
    client = api(builders.make_member(north))
    client.get("/api/v1/me/")
    asked = {"organisation": north.pk, "name": "van"}
    answers: list[tuple[int, int]] = []

    def post() -> None:
        headers = {"Idempotency-Key": "order-1"}
        answer = client.post("/api/v1/assets/", asked, headers=headers)
        answers.append((answer.status_code, answer.json()["id"]))
        connections.close_all()

    threads = [threading.Thread(target=post) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [(201, Asset.objects.get().pk)] * 5
