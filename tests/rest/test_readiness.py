"""Readiness of the web process: the database answers, keeps what it commits, fits the release."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tracker.readiness import last_check

Migration = MigrationRecorder.Migration


def test_a_server_with_its_database_is_ready(client: Client, db: None) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


@pytest.mark.fault("F-146")
def test_a_server_that_can_forget_commits_is_not_ready(client: Client, db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
    assert answer.json()["errors"][0]["pointer"] == "/synchronous_commit"
    assert client.get("/healthz").status_code == 200


@pytest.mark.field("H-24")
@pytest.mark.parametrize("name", ["positions.0002_future", "forecasts.0001_initial"])
def test_a_database_that_is_newer_than_the_release_is_not_for_it(
    client: Client, db: None, name: str
) -> None:
    app, _, migration = name.partition(".")
    Migration.objects.create(app=app, name=migration)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/migrations", "unknown")
    assert "newer than this release" in error["detail"]
    assert name in error["detail"]


@pytest.mark.field("H-24")
def test_a_database_that_is_older_than_the_release_is_not_for_it(client: Client, db: None) -> None:
    Migration.objects.filter(app="alerts").delete()

    (error,) = client.get("/readyz").json()["errors"]

    assert (error["pointer"], error["code"]) == ("/migrations", "missing")
    assert "alerts.0001_initial" in error["detail"]


@pytest.mark.field("H-24")
def test_a_process_that_was_ready_notices_that_its_database_moved_on(
    client: Client, db: None
) -> None:
    assert client.get("/readyz").status_code == 200
    Migration.objects.create(app="alerts", name="0002_future")

    last_check.forget()

    assert client.get("/readyz").status_code == 503


@pytest.mark.field("H-24")
def test_a_database_without_any_table_is_older_than_the_release(client: Client, db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_migrations RENAME TO elsewhere")

    (error,) = client.get("/readyz").json()["errors"]

    assert (error["pointer"], error["code"]) == ("/migrations", "missing")


@pytest.mark.field("H-2")
def test_whoever_asks_again_within_a_second_asks_no_database(client: Client, db: None) -> None:
    client.get("/readyz")

    with CaptureQueriesContext(connection) as queries:
        answers = {client.get("/readyz").status_code for _ in range(20)}

    assert answers == {200}
    assert len(queries) == 0
