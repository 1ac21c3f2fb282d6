"""No name with control characters or line breaks is taken, wherever the API takes a name."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Organisation, User
from assets.models import Asset
from tests import builders
from tests.alerts.scenes import make_geofence
from tests.conftest import Api

BAD = ["van\u202e7", "van\n7", "van\u00077", "van\u200b7"]
SQUARE = {"type": "polygon", "coordinates": [[[9, 52], [10, 52], [10, 53], [9, 52]]]}
# What is sent, and the member that holds a name.
CREATED: dict[str, tuple[dict[str, Any], str]] = {
    "assets/": ({"name": "van"}, "name"),
    "assets/ kind": ({"name": "van"}, "kind"),
    "assets/ tags": ({"name": "van"}, "tags"),
    "devices/": ({"identifier": "7"}, "name"),
    "devices/ model": ({"identifier": "7"}, "model"),
    "sources/": ({"wire_format": "json"}, "name"),
    "recipients/": ({"address": "a@example.com"}, "name"),
    "tokens/": ({}, "name"),
    "geofences/": ({"shape": SQUARE}, "name"),
    "rules/": ({"trigger": "enter"}, "name"),
    "rules/ tags": ({"name": "watch", "trigger": "enter"}, "tags"),
}


@pytest.mark.field("H-16")
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("what", CREATED)
def test_nothing_is_named_so(
    api: Api, operator: User, north: Organisation, what: str, bad: str
) -> None:
    given, member = CREATED[what]
    path = what.partition(" ")[0]
    about = {"geofence": make_geofence(north).pk} if path == "rules/" else {}
    named = {member: [bad] if member == "tags" else bad}

    answer = api(operator).post(
        f"/api/v1/{path}", {"organisation": north.pk, **about, **given, **named}
    )

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] in (f"/{member}", f"/{member}/0")
    assert error["code"] == "forbidden-character"


@pytest.mark.field("H-16")
@pytest.mark.parametrize("bad", BAD)
def test_nobody_is_named_so(api: Api, viewer: User, owner: User, bad: str) -> None:
    answers = [
        api(viewer).patch("/api/v1/me/", {"first_name": bad}),
        api(viewer).patch("/api/v1/me/", {"last_name": bad}),
        api(owner).patch(
            f"/api/v1/organisations/{owner.memberships.get().organisation_id}/", {"name": bad}
        ),
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422]


@pytest.mark.field("H-16")
def test_the_admin_names_nothing_so_either(client: Client, admin: User, van: Asset) -> None:
    client.force_login(admin)

    answer = client.post(f"/admin/assets/asset/{van.pk}/change/", {"name": BAD[0]})

    assert "Control characters and line breaks are refused." in answer.content.decode()
    van.refresh_from_db()
    assert van.name == "van"


@pytest.mark.field("H-16")
def test_a_name_from_right_to_left_is_taken(api: Api, operator: User, north: Organisation) -> None:
    answer = api(operator).post("/api/v1/assets/", {"organisation": north.pk, "name": "מחסן 7"})

    assert answer.status_code == 201
    assert builders.make_asset(north, "مستودع").name == "مستودع"
