"""Unknown members of a body are refused everywhere, as unknown parameters are."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from rest_framework import serializers

from accounts.models import Organisation, User
from core.rest.bodies import StrictBody
from tests.builders import make_asset
from tests.conftest import Api
from tests.geofence.builders import DEPOT, make_geofence

PACKAGES = ("accounts", "alerts", "assets", "geofence", "positions", "tracker", "uplinks")


def serializers_of_the_product() -> Iterator[type[Any]]:
    for package in PACKAGES:
        for found in pkgutil.walk_packages([str(settings.BASE_DIR / package)], f"{package}."):
            if "commands" in found.name or "migrations" in found.name:
                continue
            for value in vars(importlib.import_module(found.name)).values():
                is_class = isinstance(value, type) and value.__module__ == found.name
                if is_class and issubclass(value, serializers.Serializer):
                    yield value


@pytest.mark.django_db
@pytest.mark.field("G-14")
def test_every_serializer_refuses_unknown_members() -> None:
    found = list(serializers_of_the_product())

    assert len(found) > 50
    assert [one.__name__ for one in found if not issubclass(one, StrictBody)] == []


@pytest.mark.django_db
@pytest.mark.field("G-14")
def test_a_rule_with_a_misspelt_member_is_refused(api: Api, operator: User, north: Organisation):
    rule = {
        "organisation": north.pk, "name": "in", "trigger": "enter",
        "geofence": make_geofence(north).pk, "recipient": "dora@example.com",
    }  # fmt: skip

    answer = api(operator).post("/api/v1/rules/", rule)

    (fault,) = answer.json()["errors"]
    assert (answer.status_code, fault["pointer"]) == (422, "/recipient")
    assert fault["code"] == "unknown-member"
    assert "recipients" in fault["detail"]


@pytest.mark.django_db
@pytest.mark.field("G-14")
def test_a_geofence_with_a_misspelt_member_is_refused(
    api: Api, operator: User, north: Organisation
) -> None:
    body = {"organisation": north.pk, "name": "yard", "shape": DEPOT}

    created = api(operator).post("/api/v1/geofences/", {**body, "persist_fix": 2})
    geofence = make_geofence(north)
    changed = api(operator).patch(f"/api/v1/geofences/{geofence.pk}/", {"color": "#000000"})

    assert (created.status_code, changed.status_code) == (422, 422)
    assert changed.json()["errors"][0]["pointer"] == "/color"


@pytest.mark.django_db
@pytest.mark.field("G-14")
def test_what_was_read_may_be_sent_back(api: Api, operator: User, north: Organisation) -> None:
    asset = make_asset(north, "van")
    otto = api(operator)
    row = otto.get(f"/api/v1/assets/{asset.pk}/").json()

    assert otto.patch(f"/api/v1/assets/{asset.pk}/", {**row, "name": "lorry"}).status_code == 200
