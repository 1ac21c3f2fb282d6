"""The books of a source, and what staff see of the memory."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest

from accounts.models import User
from positions.actions import ask_for_rejudging
from tests.builders import NINE, TEN, device_on, make_organisation, make_source, make_user, make_van
from tests.ingest.senders import arrive, observation, owntracks, stored
from tests.positions.scenes import without_request_id
from uplinks import books
from uplinks.models import SetAside, SourceCount

DAY = timedelta(days=1)
UNKNOWN = 987_654_321


@pytest.fixture
def logger(north):
    return make_source(north, "json", name="logger")[0]


def counts(client, source):
    return client.get(f"/api/v1/sources/{source.pk}/counts/").json()


@pytest.mark.law(8)
def test_received_is_the_sum_of_what_became_of_it(api, operator, north, van, logger):
    tag = device_on(van).identifier
    batch = [observation(tag, NINE), observation("stray", NINE), observation(tag, TEN, lat=91)]
    arrive(logger, orjson.dumps(batch))
    arrive(logger, orjson.dumps(batch))

    answer = counts(api(operator), logger)

    assert answer.pop("last_received_at") is not None
    assert answer == {"received": 6, "stored": 1, "duplicate": 1, "set_aside": 2, "refused": 2}


def test_the_books_are_the_sum_over_all_processes_that_counted(api, operator, logger):
    SourceCount.objects.create(source=logger, shard=-1, received=3, stored=2, refused=1)
    books.count({(logger.pk, NINE.date()): books.Counts(stored=4)})

    answer = counts(api(operator), logger)

    assert (answer["received"], answer["stored"], answer["refused"]) == (7, 6, 1)


@pytest.mark.law(8)
def test_the_books_of_each_day_say_what_became_of_what_came_on_it(
    api, operator, north, van, logger
):
    tag = device_on(van).identifier
    for after in (0, 1, 3):
        batch = [observation(tag, NINE + after * DAY), observation("stray", NINE)]
        arrive(logger, orjson.dumps(batch), received_at=NINE + after * DAY)

    days = api(operator).get(f"/api/v1/sources/{logger.pk}/counts/days/").json()

    assert [day["day"] for day in days] == ["2026-03-05", "2026-03-03", "2026-03-02"]
    assert days[0] == {
        "day": "2026-03-05", "received": 2, "stored": 1, "duplicate": 0, "set_aside": 1,
        "refused": 0,
    }  # fmt: skip


def test_a_replay_is_booked_on_the_day_on_which_the_uplink_came(api, operator, north):
    source, _ = make_source(north, "owntracks")
    arrive(source, owntracks("stray", NINE), received_at=NINE)
    make_van(north, "newcomer", "fleet/stray")

    api(operator).post("/api/v1/uplinks/replay/")

    (day,) = api(operator).get(f"/api/v1/sources/{source.pk}/counts/days/").json()
    assert (day["day"], day["received"], day["stored"]) == ("2026-03-02", 1, 1)


def test_the_days_of_a_foreign_source_are_unknown(api, stranger, logger):
    answer = api(stranger).get(f"/api/v1/sources/{logger.pk}/counts/days/")

    assert answer.status_code == 404


def test_a_source_that_never_sent_has_books_of_zeros(api, operator, logger):
    answer = counts(api(operator), logger)

    assert (answer["received"], answer["last_received_at"]) == (0, None)


@pytest.mark.law(7)
def test_the_books_of_a_foreign_source_are_answered_like_unknown_ones(api, stranger, logger):
    client = api(stranger)

    foreign = client.get(f"/api/v1/sources/{logger.pk}/counts/")
    unknown = client.get(f"/api/v1/sources/{UNKNOWN}/counts/")

    assert foreign.status_code == 404
    assert without_request_id(foreign) == without_request_id(unknown)


def test_to_a_viewer_there_are_no_books(api, viewer, logger):
    assert api(viewer).get(f"/api/v1/sources/{logger.pk}/counts/").status_code == 404


def test_books_take_three_queries(api, operator, logger, django_assert_num_queries):
    client = api(operator)
    counts(client, logger)

    with django_assert_num_queries(3):
        counts(client, logger)


# --- the admin -------------------------------------------------------------------


@pytest.fixture
def staff(client, db):
    ada = make_user("root", staff_role=User.StaffRole.ADMIN)
    User.objects.filter(pk=ada.pk).update(is_staff=True, is_superuser=True)
    client.force_login(User.objects.get(pk=ada.pk))
    return client


@pytest.fixture
def stray(north):
    """Return an uplink that waits for its device to be registered."""
    gateway, _ = make_source(north, "owntracks")
    arrive(gateway, owntracks("stray", NINE))
    return SetAside.objects.get()


def test_staff_see_what_waits_and_its_body(staff, stray):
    page = staff.get(f"/admin/uplinks/setaside/{stray.pk}/change/").content.decode()

    assert "unknown-device" in staff.get("/admin/uplinks/setaside/").content.decode()
    assert "owntracks/fleet/stray" in page
    assert 'name="_save"' not in page


def test_staff_take_up_what_waits(staff, north, stray):
    make_van(north, "newcomer", "fleet/stray")

    answer = staff.post(
        "/admin/uplinks/setaside/",
        {"action": "replay_uplinks", "_selected_action": [stray.pk]},
        follow=True,
    )

    assert "1 of 1 were taken up." in answer.content.decode()
    assert len(stored(north)) == 1


def test_staff_see_how_far_a_rejudging_is(staff, north):
    ask_for_rejudging(organisation_id=north.pk, since=NINE, reason="depot redrawn")

    assert "depot redrawn" in staff.get("/admin/positions/rejudging/").content.decode()


@pytest.mark.parametrize("path", ["uplinks/setaside/add", "positions/rejudging/add"])
def test_nothing_is_added_by_hand(path, staff):
    make_organisation()

    assert staff.get(f"/admin/{path}/").status_code == 403
