"""The doors for people: log-in, the console's shell, the admin; and whether the server is well."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import actions as people
from accounts.models import ApiToken, AuditEntry, Organisation, User
from accounts.tokens import digest_of
from assets import actions
from assets.models import Asset, Source
from positions.durability import require_durable
from tests import builders
from tracker import pages
from wire.registry import FORMATS

PASSWORD = "correct horse battery staple"
LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def _private_cache(settings: Any) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": os.urandom(8).hex(),
        }
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def olga(north: Organisation) -> User:
    olga = people.create_user(username="olga", email="o@example.com", password=PASSWORD)
    people.add_member(organisation=north, user=olga, role="owner")
    return olga


def log_in(client: Client, username: str = "olga", password: str = "wrong") -> Any:
    return client.post(LOGIN, {"username": username, "password": password})


def test_who_logs_in_comes_to_the_map(client: Client, olga: User) -> None:
    answer = log_in(client, password=PASSWORD)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/app/map")


def test_the_address_will_do_for_the_name(client: Client, olga: User) -> None:
    answer = log_in(client, "O@Example.com", PASSWORD)

    assert answer.status_code == 302


def test_an_address_of_two_people_is_nobodys_name(client: Client, olga: User) -> None:
    people.create_user(username="other", email="o@example.com", password=PASSWORD)

    assert log_in(client, "o@example.com", PASSWORD).status_code == 200


def test_a_visitor_is_sent_to_log_in_and_back(client: Client, db: None) -> None:
    assert client.get("/").headers["Location"] == "/app/map"
    assert client.get("/app/geofences/7").headers["Location"] == (f"{LOGIN}?next=/app/geofences/7")


def test_every_console_path_is_the_shell_with_who_is_looking(
    client: Client, olga: User, north: Organisation
) -> None:
    client.force_login(olga)

    answer = client.get("/app/geofences/7?tab=1")

    assert answer.status_code == 200
    assert "csrftoken" in answer.cookies
    boot = answer.context["boot"]
    assert boot["user"] == {
        "id": olga.pk,
        "name": "olga",
        "email": "o@example.com",
        "role": None,
    }
    assert boot["organisations"] == [
        {"id": north.pk, "name": "North Haulage", "role": "owner", "time_zone": "Europe/Berlin"}
    ]
    assert boot["basemap"]["url"] == "/static/console/basemap/world.pmtiles"


@pytest.mark.fault("F-025")
def test_a_name_cannot_break_out_of_the_shell(client: Client, olga: User) -> None:
    people.change_name(user=olga, first_name="</script><script>alert(1)</script>")
    client.force_login(olga)

    assert b"<script>alert(1)" not in client.get("/app/map").content


@pytest.mark.fault("F-110")
def test_an_unknown_name_and_a_wrong_password_are_answered_alike(
    client: Client, olga: User
) -> None:
    wrong, unknown = log_in(client), log_in(client, "nobody")

    assert wrong.status_code == unknown.status_code == 200
    assert wrong.context["form"].errors == unknown.context["form"].errors


@pytest.mark.fault("F-110")
def test_the_eleventh_guess_has_to_wait_even_if_right(client: Client, olga: User) -> None:
    for _ in range(pages.FAILURES_PER_MINUTE):
        assert log_in(client).status_code == 200

    answer = log_in(client, password=PASSWORD)

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"


@pytest.mark.fault("F-110")
def test_one_guess_for_each_of_many_names_has_to_wait_too(client: Client, db: None) -> None:
    for number in range(pages.FAILURES_PER_MINUTE_OF_ADDRESS):
        log_in(client, f"person{number}")

    assert log_in(client, "somebody").status_code == 429


@pytest.mark.fault("F-110", "F-036")
def test_a_forwarded_address_does_not_help_guessing(client: Client, olga: User) -> None:
    for number in range(pages.FAILURES_PER_MINUTE):
        client.post(
            LOGIN,
            {"username": "olga", "password": "wrong"},
            headers={"X-Forwarded-For": f"10.0.0.{number}"},
        )

    assert log_in(client).status_code == 429


def test_without_redis_people_still_get_in(client: Client, olga: User, settings: Any) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    log_in(client)

    assert log_in(client, password=PASSWORD).status_code == 302


def test_logging_out_takes_a_post(client: Client, olga: User) -> None:
    client.force_login(olga)
    assert client.get("/accounts/logout/").status_code == 405

    client.post("/accounts/logout/")

    assert client.get("/app/map").status_code == 302


def test_a_form_without_its_cookie_is_refused_in_our_own_words(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post(LOGIN, {"username": "olga", "password": "x"})

    assert answer.status_code == 403
    assert "Nothing was sent" in answer.content.decode()


def test_the_admin_has_no_log_in_of_its_own(client: Client, db: None) -> None:
    answer = client.get("/admin/login/?next=/admin/")

    assert answer.headers["Location"] == f"{LOGIN}?next=/admin/"


@pytest.mark.fault("F-111")
def test_a_fresh_installation_has_no_account_and_no_sign_up(client: Client, db: None) -> None:
    assert not User.objects.exists()
    assert not ApiToken.objects.exists()
    for path in ("/accounts/signup/", "/accounts/register/", "/api/v1/users/"):
        assert client.get(path).status_code == 404


@pytest.mark.fault("F-111", "F-146")
@pytest.mark.parametrize("key", ["", "short", "sample-" + "x" * 60, "changeme" * 10])
def test_a_weak_secret_key_is_refused_at_start(key: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "SECRET_KEY": key,
        "LOCAL_DIR": str(tmp_path),
        "DATABASE_URL": "postgis://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }

    run = subprocess.run(
        [sys.executable, "-c", "import tracker.settings"],
        env=environment,
        cwd=django_settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode != 0
    assert "SECRET_KEY must be set" in run.stderr


def test_the_process_lives(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}


@pytest.mark.fault("F-146")
def test_a_database_that_can_forget_commits_is_refused_at_start(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")

    with pytest.raises(Exception, match="synchronous_commit switched off"):
        require_durable(connection)


@pytest.mark.fault("F-146")
def test_migrating_a_database_that_can_forget_commits_is_refused(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")

    with pytest.raises(SystemCheckError, match="synchronous_commit off"):
        call_command("check", databases=["default"])


def test_bootstrap_makes_a_server_that_can_be_used(capsys: Any, client: Client, db: None) -> None:
    call_command("bootstrap", "--json", "--register-devices")

    shown = json.loads(capsys.readouterr().out)
    assert set(shown["sources"]) == set(FORMATS)
    source = shown["sources"]["json"]
    assert Source.objects.get(pk=source["id"]).digest == digest_of(source["token"])
    assert Source.objects.get(pk=source["id"]).unknown_devices == "register"
    assert source["url"].endswith(f"/ingest/json/{source['token']}")
    assert client.login(username="admin", password=shown["admin"]["password"])
    me = client.get("/api/v1/me/", headers={"Authorization": f"Token {shown['token']}"})
    assert me.json()["role"] == "admin"


def bootstrapped(capsys: Any, *options: str) -> dict[str, Any]:
    call_command("bootstrap", "--json", "--organisation", "Harbour", *options)
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    return shown


def test_bootstrap_again_shows_the_same_but_no_password(capsys: Any, db: None) -> None:
    first = bootstrapped(capsys)

    again = bootstrapped(capsys)

    assert first["admin"]["password"]
    assert again == first | {"admin": {"username": "admin", "password": None}}
    assert len({source["token"] for source in again["sources"].values()}) == len(FORMATS)
    assert ApiToken.objects.count() == 1


def test_bootstrap_again_leaves_what_becomes_of_unknown_devices(capsys: Any, db: None) -> None:
    bootstrapped(capsys, "--register-devices")

    bootstrapped(capsys)

    assert {source.unknown_devices for source in Source.objects.all()} == {"register"}


def test_bootstrap_gives_a_changed_token_a_new_one_and_none_back(capsys: Any, db: None) -> None:
    first = bootstrapped(capsys)["sources"]["json"]
    source = Source.objects.get(pk=first["id"])
    by_hand = actions.rotate_source_token(source=source, overlap_s=0)

    second = bootstrapped(capsys)["sources"]["json"]

    source.refresh_from_db()
    assert second["token"] not in (first["token"], by_hand)
    assert source.digest == digest_of(second["token"])
    assert source.previous_digest == digest_of(by_hand)
    assert bootstrapped(capsys)["sources"]["json"] == second


def test_bootstrap_never_gives_back_what_was_revoked(capsys: Any, db: None) -> None:
    first = bootstrapped(capsys)
    for token in ApiToken.objects.all():
        people.revoke_api_token(token=token)
    actions.revoke_source(source=Source.objects.get(pk=first["sources"]["json"]["id"]))

    second = bootstrapped(capsys)

    assert second["token"] != first["token"]
    assert second["sources"]["json"]["token"] not in {
        source["token"] for source in first["sources"].values()
    }
    assert bootstrapped(capsys)["token"] == second["token"]


def test_bootstrap_takes_a_password(capsys: Any, client: Client, db: None) -> None:
    call_command("bootstrap", "--password", PASSWORD)

    assert client.login(username="admin", password=PASSWORD)
    assert PASSWORD in capsys.readouterr().out


# --- the admin --------------------------------------------------------------------


@pytest.fixture
def office(client: Client, admin: User) -> Client:
    """Return a browser in which an admin of the provider is logged in."""
    client.force_login(admin)
    return client


@pytest.mark.parametrize(
    "model",
    [
        *("accounts/user", "accounts/organisation", "accounts/membership", "accounts/apitoken"),
        *("assets/asset", "assets/device", "assets/assignment", "assets/source"),
    ],
)
@pytest.mark.parametrize("page", ["", "add/", "?q=van"])
def test_each_page_of_the_admin_opens(model: str, page: str, office: Client, van: Asset) -> None:
    assert office.get(f"/admin/{model}/{page}").status_code == 200


def test_a_row_of_each_kind_opens(office: Client, van: Asset, owner: User) -> None:
    source, _ = builders.make_source(van.organisation)
    builders.make_api_token(owner)
    rows: list[Model] = [
        owner,
        van.organisation,
        owner.memberships.get(),
        owner.api_tokens.get(),
        AuditEntry.objects.earliest("pk"),
        van,
        builders.device_on(van),
        van.assignments.get(),
        source,
    ]

    pages = [f"admin:{row._meta.app_label}_{row._meta.model_name}_change" for row in rows]
    statuses = {
        page: office.get(reverse(page, args=[row.pk])).status_code
        for page, row in zip(pages, rows, strict=True)
    }

    assert set(statuses.values()) == {200}


def test_a_source_added_in_the_admin_shows_its_address_once(
    office: Client, north: Organisation
) -> None:
    answer = office.post(
        "/admin/assets/source/add/",
        {
            "organisation": north.pk,
            "name": "gate",
            "wire_format": "json",
            "unknown_devices": "set-aside",
        },
        follow=True,
    )

    source = Source.objects.get()
    (shown,) = [str(each) for each in answer.context["messages"] if "/ingest/" in str(each)]
    token = shown.split("/ingest/json/")[1].split()[0]
    assert digest_of(token) == source.digest
    assert token not in office.get(f"/admin/assets/source/{source.pk}/change/").content.decode()


def test_an_assignment_in_the_admin_goes_through_the_action(
    office: Client, van: Asset, north: Organisation
) -> None:
    truck = builders.make_asset(north, "truck")
    device = builders.device_on(van)

    office.post(
        "/admin/assets/assignment/add/",
        {
            "device": device.pk,
            "asset": truck.pk,
            "since_0": "2026-03-02",
            "since_1": "12:00:00",
            "until_0": "",
            "until_1": "",
        },
    )

    assert van.assignments.get().during.upper == builders.NOON
    assert truck.assignments.get().during.lower == builders.NOON


def test_what_an_action_refuses_is_told_and_not_saved(
    office: Client, van: Asset, north: Organisation
) -> None:
    device = builders.device_on(van)
    truck = builders.make_asset(north, "truck")
    actions.archive_asset(asset=truck)

    answer = office.post(
        "/admin/assets/assignment/add/",
        {
            "device": device.pk,
            "asset": truck.pk,
            "since_0": "2026-03-02",
            "since_1": "12:00:00",
        },
        follow=True,
    )

    assert "The asset is archived." in answer.content.decode()
    assert not truck.assignments.exists()


def test_making_somebody_an_admin_opens_the_admin_to_them(office: Client, owner: User) -> None:
    office.post(
        f"/admin/accounts/user/{owner.pk}/change/",
        {
            "username": owner.username,
            "email": owner.email,
            "first_name": "",
            "last_name": "",
            "staff_role": "admin",
            "is_active": "on",
        },
    )

    owner.refresh_from_db()
    assert (owner.is_staff, owner.is_provider_admin) == (True, True)


def test_a_customer_does_not_see_the_admin(client: Client, owner: User) -> None:
    client.force_login(owner)

    assert client.get("/admin/assets/asset/").status_code == 302


def test_assets_and_devices_lead_to_each_other(office: Client, van: Asset) -> None:
    device = builders.device_on(van)

    assets = office.get("/admin/assets/asset/").content.decode()
    devices = office.get("/admin/assets/device/").content.decode()

    assert f"/admin/assets/device/{device.pk}/change/" in assets
    assert f"/admin/assets/asset/{van.pk}/change/" in devices


def test_lists_of_the_admin_ask_no_more_for_more_rows(
    office: Client, van: Asset, north: Organisation
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            office.get("/admin/assets/asset/")
        return len(captured)

    with_one = statements()
    for number in range(5):
        builders.make_van(north, f"van {number}")

    assert statements() == with_one


def test_pages_write_times_day_first_and_with_their_zone(office: Client, van: Asset) -> None:
    shown = office.get(f"/admin/assets/assignment/{van.assignments.get().pk}/change/")

    assert re.search(r"\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d:\d\d UTC", shown.content.decode())
