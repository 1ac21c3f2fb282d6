"""Recipients in the REST API."""

from __future__ import annotations

import pytest

from alerts.models import Recipient
from tests.alerts.scenes import make_rule

pytestmark = pytest.mark.django_db
PATH = "/api/v1/recipients/"
ANNA = "anna@north.example"


def test_whom_a_rule_names_is_a_recipient_of_the_organisation(api, viewer, north, depot):
    make_rule(depot, ANNA)

    (shown,) = api(viewer).get(PATH).json()["results"]

    assert (shown["address"], shown["channel"], shown["is_active"]) == (ANNA, "email", True)
    assert shown["organisation"] == north.pk


def test_an_operator_adds_a_recipient_once(api, operator, north):
    asked = {"organisation": north.pk, "address": ANNA, "name": "Anna"}

    added = api(operator).post(PATH, asked)
    again = api(operator).post(PATH, asked | {"address": ANNA.upper()})

    assert (added.status_code, added.json()["name"]) == (201, "Anna")
    assert (again.status_code, again.json()["code"]) == (409, "already-exists")


@pytest.mark.fault("F-125")
def test_a_recipient_has_one_bare_address(api, operator, north):
    wrong = "anna@north.example\nBcc: victim@elsewhere.example"

    answer = api(operator).post(PATH, {"organisation": north.pk, "address": wrong})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/address")


def test_a_recipient_is_switched_off_and_keeps_its_address(api, operator, depot):
    make_rule(depot, ANNA)
    path = f"{PATH}{Recipient.objects.get().pk}/"

    answer = api(operator).patch(path, {"is_active": False, "address": "eve@elsewhere.example"})

    assert (answer.json()["is_active"], answer.json()["address"]) == (False, ANNA)
    assert len(api(operator).get(PATH, {"is_active": "true"}).json()["results"]) == 0


def test_a_viewer_changes_no_recipient(api, viewer, north, depot):
    make_rule(depot, ANNA)
    path = f"{PATH}{Recipient.objects.get().pk}/"

    assert api(viewer).patch(path, {"is_active": False}).status_code == 403
    assert api(viewer).post(PATH, {"organisation": north.pk, "address": ANNA}).status_code == 403


def test_a_recipient_is_not_added_to_a_foreign_organisation(api, stranger, north):
    answer = api(stranger).post(PATH, {"organisation": north.pk, "address": ANNA})

    assert answer.status_code == 422
    assert not Recipient.objects.exists()
