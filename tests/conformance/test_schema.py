"""The OpenAPI document and the server agree, whoever asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from accounts.models import Organisation, User
from core.rest.openapi import operations_of
from tests import builders
from tests.live.conftest import Daphne, RedisServer, start_daphne, stop_daphne
from tests.rest.one_of_each import one_of_each

# Of the checks, the one that is left out: a document that fits its schema may still be refused,
# by what no schema can say (a shape that crosses itself, a period that ends before it begins).
LEFT_OUT = "positive_data_acceptance"
SECONDS_A_ROLE = 200 if os.environ.get("HYPOTHESIS_PROFILE") == "night" else 20
# In the order in which they may change things: whoever deletes comes last.
ROLES = ("stranger", "viewer", "operator", "owner")


@pytest.fixture
def web(
    django_db_setup: None, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Daphne]:
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    server = start_daphne(own_redis.url)
    yield server
    stop_daphne(server)


@pytest.mark.django_db(transaction=True)
@pytest.mark.field("H-25")
@pytest.mark.parametrize("role", ROLES)
def test_every_answer_is_as_the_schema_says(
    role: str,
    web: Daphne,
    people: dict[str, User],
    known_ids: dict[str, object],
    tmp_path: Path,
) -> None:
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(narrowed_to(known_ids)))

    report = schemathesis(document, web, builders.make_api_token(people[role]))

    assert report.returncode == 0, report.stdout[-60_000:]


def schemathesis(document: Path, web: Daphne, token: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "--no-color", "run", str(document),
            "--url", f"http://127.0.0.1:{web.port}",
            "--header", f"Authorization: Token {token}",
            "--phases", "examples,coverage,fuzzing",
            "--exclude-checks", LEFT_OUT,
            "--max-examples", "5",
            "--seed", "25",
            "--no-shrink",
            "--continue-on-failure",
            "--suppress-health-check", "all",
            "--max-time", str(SECONDS_A_ROLE),
        ],
        cwd=document.parent,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip


def narrowed_to(known_ids: dict[str, object]) -> dict[str, Any]:
    """Return the document with numbers of real rows where it allows any number.

    Else hardly a request would come further than 404.
    """
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    for path, _, operation in operations_of(document):
        # Whoever sends a header that nobody knows is not wrong, as schemathesis would have it.
        given = [each for each in operation.get("parameters", ()) if each["in"] != "header"]
        operation["parameters"] = given
        for parameter in given:
            if parameter["in"] == "path":
                narrow(parameter["schema"], known_ids[resource_of(path)])
            elif f"{parameter['name']}s" in known_ids:
                parameter["example"] = known_ids[f"{parameter['name']}s"]
    for name, schema in document["components"]["schemas"].items():
        for member, described in schema.get("properties", {}).items():
            if name.endswith("Request"):
                narrow(described, known_ids.get(f"{member}s"))
    return document


def resource_of(path: str) -> str:
    return path.removeprefix("/api/v1/").split("/")[0]


def narrow(schema: dict[str, Any], known_id: object) -> None:
    if known_id is not None and schema.get("type") == "integer":
        schema["enum"] = [known_id]
    elif known_id is not None and schema.get("format") == "uuid":
        schema["enum"] = [str(known_id)]


@pytest.fixture
def people(owner: User, operator: User, viewer: User, stranger: User) -> dict[str, User]:
    return {"owner": owner, "operator": operator, "viewer": viewer, "stranger": stranger}


@pytest.fixture
def known_ids(north: Organisation, owner: User) -> dict[str, object]:
    return one_of_each(north, owner, "known")
