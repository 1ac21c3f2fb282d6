"""What is remembered of a token that reports for a device which is not its own."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.builders import NINE, TEN, device_on, make_source, make_user, make_van
from tests.ingest.senders import arrive, books, observation, stored
from tests.positions.scenes import without_request_id
from uplinks.books import MAX_MISUSES_BY_NAME
from uplinks.models import Misuse

UNKNOWN = 987_654_321
pytestmark = pytest.mark.fault("F-029")


@pytest.fixture
def bound(north, van):
    """Return a source whose token is the van's alone."""
    return make_source(north, device=device_on(van))[0]


def report(source, *devices, at=NINE):
    """Let observations of devices arrive in one uplink, received at `at`."""
    body = orjson.dumps([observation(device, NINE) for device in devices])
    return arrive(source, body, received_at=at)


def misuses(source):
    rows = Misuse.objects.filter(source=source).order_by("device_identifier")
    return [(row.device_identifier, row.times) for row in rows]


def test_a_token_that_names_another_device_is_remembered_with_what_it_named(bound, north, van):
    make_van(north, "other", "other-tag")

    report(bound, "other-tag", device_on(van).identifier, "stray", "other-tag")

    assert misuses(bound) == [("other-tag", 2), ("stray", 1)]
    assert len(stored(north)) == 1
    assert books(bound) == {"received": 4, "stored": 1, "refused": 3}


@pytest.mark.parametrize("turns", [(NINE, TEN), (TEN, NINE)])
def test_the_first_and_the_last_time_are_kept_in_whatever_order_they_come(bound, turns):
    for at in turns:
        report(bound, "other-tag", at=at)

    row = Misuse.objects.get(source=bound)
    assert (row.first_at, row.last_at, row.times) == (NINE, TEN, 2)


def test_who_names_thousands_of_devices_fills_no_table(bound):
    for start in (0, 500):
        report(bound, *(f"tag-{n:04}" for n in range(start, start + 500)))
    report(bound, "tag-0000", "tag-9999")

    rows = dict(misuses(bound))
    assert len(rows) <= MAX_MISUSES_BY_NAME + 1
    assert (rows["tag-0000"], rows[""], sum(rows.values())) == (2, 901, 1002)


def test_it_takes_as_many_statements_whatever_their_number(bound):
    report(bound, "tag-0")
    taken = []
    for n in (1, 100):
        with CaptureQueriesContext(connection) as queries:
            report(bound, *(f"tag-{n}-{place}" for place in range(n)))
        taken.append(len(queries))

    assert len(set(taken)) == 1, taken


def test_an_unknown_device_of_a_source_for_many_is_no_misuse(north):
    gateway, _ = make_source(north)

    report(gateway, "stray")

    assert misuses(gateway) == []


def test_the_operator_sees_the_latest_first(api, operator, bound):
    report(bound, "stray", at=NINE)
    report(bound, "other-tag", at=NINE + timedelta(minutes=1))

    answer = api(operator).get(f"/api/v1/sources/{bound.pk}/misuse/").json()

    assert [row["device_identifier"] for row in answer] == ["other-tag", "stray"]
    assert answer[1] == {
        "device_identifier": "stray",
        "first_at": "2026-03-02T09:00:00.000000Z",
        "last_at": "2026-03-02T09:00:00.000000Z",
        "times": 1,
    }


@pytest.mark.law(7)
def test_that_of_a_foreign_source_is_answered_like_that_of_an_unknown_one(api, stranger, bound):
    client = api(stranger)

    foreign = client.get(f"/api/v1/sources/{bound.pk}/misuse/")
    unknown = client.get(f"/api/v1/sources/{UNKNOWN}/misuse/")

    assert foreign.status_code == 404
    assert without_request_id(foreign) == without_request_id(unknown)


def test_to_a_viewer_there_is_none(api, viewer, bound):
    assert api(viewer).get(f"/api/v1/sources/{bound.pk}/misuse/").status_code == 404


def test_it_takes_as_many_queries_whatever_its_length(
    api, operator, bound, django_assert_num_queries
):
    client, path = api(operator), f"/api/v1/sources/{bound.pk}/misuse/"
    client.get(path)
    for devices in (("stray",), ("other-tag", "third-tag")):
        report(bound, *devices)
        with django_assert_num_queries(3):
            client.get(path)


def test_staff_see_it_and_cannot_change_it(client, bound):
    ada = make_user("root", staff_role=User.StaffRole.ADMIN)
    User.objects.filter(pk=ada.pk).update(is_staff=True, is_superuser=True)
    client.force_login(User.objects.get(pk=ada.pk))
    report(bound, "stray")
    row = Misuse.objects.get()

    assert "stray" in client.get("/admin/uplinks/misuse/").content.decode()
    page = client.get(f"/admin/uplinks/misuse/{row.pk}/change/").content.decode()
    assert 'name="_save"' not in page
    assert client.post(f"/admin/uplinks/misuse/{row.pk}/delete/").status_code == 403
