"""A server whose address is https: nothing of it is to be had in plain text."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from accounts.models import User
from tests import builders

PLAIN = {"X-Forwarded-Proto": "http"}
BY_TLS = {"X-Forwarded-Proto": "https"}


@pytest.fixture
def of_https(settings: Any) -> None:
    """Make the settings those that `tracker.settings` derives of an https `PUBLIC_URL`."""
    for name, value in derived_settings().items():
        setattr(settings, name, value)


def derived_settings() -> dict[str, Any]:
    names = ("SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SECURE_PROXY_SSL_HEADER")
    program = f"from tracker import settings; print([getattr(settings, n) for n in {names!r}])"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PUBLIC_URL": "https://tracker.example"},
        cwd=django_settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(names, eval(run.stdout), strict=True))


@pytest.mark.field("H-19")
@pytest.mark.parametrize("path", ["/accounts/login/", "/app/map", "/admin/", "/problems/"])
def test_a_page_in_plain_text_is_redirected(of_https: None, client: Client, path: str) -> None:
    answer = client.get(path, headers=PLAIN)

    assert (answer.status_code, answer.headers["Location"]) == (301, f"https://testserver{path}")


@pytest.mark.field("H-19")
@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/problems/", "/static/unfold/css/styles.css"]
)
def test_browsers_are_told_to_come_by_tls_from_now_on(
    of_https: None, client: Client, db: None, path: str
) -> None:
    answer = client.get(path, headers=BY_TLS)

    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.field("H-19")
@pytest.mark.parametrize("method", ["get", "post", "head", "options"])
def test_a_call_of_the_api_in_plain_text_is_refused_and_not_redirected(
    of_https: None, client: Client, viewer: User, method: str
) -> None:
    token = builders.make_api_token(viewer)

    answer = getattr(client, method)(
        "/api/v1/assets/", headers={**PLAIN, "Authorization": f"Token {token}"}
    )

    assert answer.status_code == 403
    if method != "head":
        assert answer.json()["code"] == "tls-required"


@pytest.mark.field("H-19")
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_on_the_machine_itself_needs_no_tls(
    of_https: None, client: Client, db: None, path: str
) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.field("H-19")
def test_without_tls_nothing_is_redirected(client: Client, db: None) -> None:
    answer = client.get("/accounts/login/")

    assert answer.status_code == 200
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.field("H-19")
def test_the_settings_of_a_server_with_tls_are_fit_for_production() -> None:
    run = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env=os.environ | {"PUBLIC_URL": "https://tracker.example"},
        cwd=django_settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stderr) == (0, "")
