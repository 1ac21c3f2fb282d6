"""Every refusal is a problem document, from whichever layer it comes."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from core.errors import Fault, Unavailable, Unprocessable
from core.rest.problem import problem_of
from core.rest.problem_types import PROBLEM_TYPES, as_markdown
from tests.conftest import Api
from tests.rest.urls import FAILURES

pytestmark = pytest.mark.django_db

STATUS_OF = {
    "unreadable": 400,
    "missing": 401,
    "wrong": 401,
    "forbidden": 403,
    "gone": 404,
    "conflict": 409,
    "large": 413,
    "media": 415,
    "invalid": 422,
    "often": 429,
    "unavailable": 503,
    "nested": 422,
    "throttled": 429,
    "database": 503,
    "value": 422,
    "suspicious": 400,
    "upload": 413,
    "bug": 500,
}


@pytest.fixture
def failing(settings: object) -> APIClient:
    """Return a client of a server with addresses that fail."""
    settings.ROOT_URLCONF = "tests.rest.urls"  # type: ignore[attr-defined]
    return APIClient(raise_request_exception=False)


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_has_its_status_and_a_documented_type(name: str, failing: APIClient) -> None:
    answer = failing.post(f"/api/v1/failing/{name}/", {})

    body = answer.json()
    assert answer.status_code == body["status"] == STATUS_OF[name]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert body["code"] in PROBLEM_TYPES
    assert body["type"] == f"{settings.PROBLEM_TYPE_URL}{body['code']}"
    assert body["title"] == PROBLEM_TYPES[body["code"]].title
    assert body["instance"] == f"urn:request:{answer.headers['X-Request-Id']}"
    assert "detail" in body
    assert "errors" in body


@pytest.mark.parametrize("name", ["missing", "wrong"])
def test_a_401_says_how_to_log_in(name: str, failing: APIClient) -> None:
    answer = failing.get(f"/api/v1/failing/{name}/")

    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="tracker"'


@pytest.mark.parametrize(
    ("name", "seconds"), [("often", "7"), ("unavailable", "9"), ("throttled", "11")]
)
def test_who_has_to_wait_is_told_how_long(name: str, seconds: str, failing: APIClient) -> None:
    assert failing.get(f"/api/v1/failing/{name}/").headers["Retry-After"] == seconds


@pytest.mark.parametrize("name", ["database", "bug"])
def test_an_answer_tells_nothing_of_our_inside(name: str, failing: APIClient) -> None:
    text = failing.get(f"/api/v1/failing/{name}/").content.decode()

    assert "10.1.2.3" not in text
    assert "secret" not in text
    assert "Traceback" not in text


def test_faults_point_into_the_body(failing: APIClient) -> None:
    errors = failing.post("/api/v1/failing/nested/", {}).json()["errors"]

    assert [fault["pointer"] for fault in errors] == ["/legs/1/a~1b", ""]


def test_faults_of_a_query_are_a_400(failing: APIClient) -> None:
    answer = failing.get("/api/v1/failing/nested/")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-parameter")
    assert answer.json()["errors"][0]["pointer"] == "/query/legs/1/a~1b"


def test_a_bug_on_a_page_is_a_page(failing: APIClient) -> None:
    answer = failing.get("/failing/bug/", headers={"Accept": "text/html"})

    assert answer.status_code == 500
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.fault("F-148")
def test_a_page_without_the_database_is_a_503(failing: APIClient) -> None:
    answer = failing.get("/failing/database/", headers={"Accept": "text/html"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "10.1.2.3" not in answer.content.decode()


def test_a_program_gets_a_problem_from_a_page_too(failing: APIClient) -> None:
    answer = failing.get("/failing/bug/", headers={"Accept": "application/json"})

    assert answer.json()["code"] == "internal-error"


@pytest.mark.fault("F-038")
@pytest.mark.parametrize("path", ["/api/v1/nowhere/", "/api/", "/api/v2/assets/", "/ingest/x"])
def test_an_unknown_path_is_a_404(path: str, anonymous: APIClient) -> None:
    answer = anonymous.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.fault("F-038")
def test_an_unknown_page_is_a_page(anonymous: APIClient) -> None:
    answer = anonymous.get("/nowhere", headers={"Accept": "text/html"})

    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.fault("F-038")
@pytest.mark.parametrize("method", ["put", "delete"])
def test_a_wrong_method_is_a_405_with_allow(method: str, api: Api, viewer: User) -> None:
    answer = getattr(api(viewer), method)("/api/v1/assets/")

    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert "GET" in answer.headers["Allow"]


@pytest.mark.fault("F-040")
def test_xml_is_not_to_be_had(api: Api, viewer: User) -> None:
    answer = api(viewer).get("/api/v1/assets/", headers={"Accept": "application/xml"})

    assert (answer.status_code, answer.json()["code"]) == (406, "not-acceptable")


@pytest.mark.fault("F-036")
@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "..", "a b"])
def test_a_foreign_host_is_refused(host: str, anonymous: APIClient) -> None:
    answer = anonymous.get("/api/v1/assets/", headers={"Host": host})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad-host")
    assert "evil" not in answer.content.decode()


@pytest.mark.fault("F-036")
def test_a_forwarded_host_appears_in_no_link(api: Api, viewer: User, north: Organisation) -> None:
    answer = api(viewer).get(
        "/api/v1/members/?page_size=1",
        headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "10.9.8.7"},
    )

    assert answer.status_code == 200
    assert "evil" not in answer.content.decode()


@pytest.mark.fault("F-037")
@pytest.mark.parametrize(
    "headers",
    [[(b"x-again", b"1")] * 2000, [(b"x-long", b"y" * 65_536)]],
    ids=["2000 times", "64 KiB"],
)
async def test_too_many_headers_are_refused_at_once(headers: list[tuple[bytes, bytes]]) -> None:
    sent: list[Mapping[str, Any]] = []

    events = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, object]:
        if not events:
            await asyncio.Event().wait()
        return events.pop()

    async def send(event: Mapping[str, Any]) -> None:
        sent.append(event)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/v1/assets/",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
    }
    handler = ASGIHandler()

    await handler(scope, receive, send)

    assert sent[0]["status"] == 431


@pytest.mark.fault("F-037")
def test_each_request_has_an_id_of_our_own(anonymous: APIClient) -> None:
    forged = anonymous.get("/healthz", headers={"X-Request-Id": "forged"})

    assert len(forged.headers["X-Request-Id"]) == 32


def test_a_problem_can_be_made_without_a_request() -> None:
    fault = Fault(pointer="/537/lat", code="out-of-range", detail="91 is not a latitude.")

    status, headers, body = problem_of(Unprocessable("No.", faults=(fault,)), "abc")

    assert status == 422
    assert ("Content-Type", "application/problem+json") in headers
    assert json.loads(body) == {
        "type": f"{settings.PROBLEM_TYPE_URL}invalid",
        "title": PROBLEM_TYPES["invalid"].title,
        "status": 422,
        "detail": "No.",
        "instance": "urn:request:abc",
        "code": "invalid",
        "errors": [
            {"pointer": "/537/lat", "code": "out-of-range", "detail": "91 is not a latitude."}
        ],
    }


def test_an_unavailable_server_says_when_to_come_back() -> None:
    status, headers, _ = problem_of(Unavailable(retry_after_s=3), "abc")

    assert status == 503
    assert ("Retry-After", "3") in headers


def test_the_page_of_problems_is_up_to_date() -> None:
    written = (Path(settings.BASE_DIR) / "docs" / "problems.md").read_text()

    assert written == as_markdown()


def codes_in_the_source() -> set[str]:
    """Return every code in the source: of an error, of a fault, or a reason to set aside."""
    patterns = (r'\bcode\s*=\s*"([a-z][a-z-]+)"', r'\bset_aside="([a-z-]+): ')
    found: set[str] = set()
    for folder in ("tracker", "assets", "geofence", "alerts", "billing"):
        for file in (Path(settings.BASE_DIR) / folder).rglob("*.py"):
            text = file.read_text()
            found |= {code for each in patterns for code in re.findall(each, text)}
    return found - {"error"}


def test_every_code_is_documented() -> None:
    assert codes_in_the_source() - set(PROBLEM_TYPES) == set()


@pytest.mark.parametrize("code", PROBLEM_TYPES)
def test_each_type_leads_to_its_explanation(code: str, client: Client) -> None:
    answer = client.get(f"/problems/{code}")

    assert answer.status_code == 200
    assert code in answer.content.decode()


def test_an_unknown_type_is_nowhere(client: Client) -> None:
    assert client.get("/problems/nonsense").status_code == 404
