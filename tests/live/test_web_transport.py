"""The web process as a client on the wire meets it: answers to HEAD, and what it logs."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import User
from tests import builders
from tests.live.conftest import Daphne, RedisServer, start_daphne, stop_daphne

TOKEN = "Zk3_x9Qa-" + "aB3d" * 5 + "xYz"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "web.log"


@pytest.fixture
def web(django_db_setup: None, own_redis: RedisServer, log: Path) -> Iterator[Daphne]:
    with log.open("wb") as file:
        server = start_daphne(own_redis.url, log=file)
        yield server
        stop_daphne(server)


@pytest.mark.django_db(transaction=True)
@pytest.mark.field("H-7")
@pytest.mark.parametrize("path", ["/api/v1/schema/", "/static/unfold/css/styles.css", "/problems/"])
def test_an_answer_to_head_has_no_body(web: Daphne, viewer: User, path: str) -> None:
    headers = {"Authorization": f"Token {builders.make_api_token(viewer)}"}
    whole = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
    whole.request("GET", path, headers=headers)
    size = len(whole.getresponse().read())
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)

    connection.request("HEAD", path, headers=headers)
    head = connection.getresponse()
    head.read()
    connection.request("GET", "/healthz")
    following = connection.getresponse()

    assert head.status == 200
    assert int(head.headers.get("Content-Length", size)) == size
    assert (following.status, following.read()) == (200, b'{"status": "alive"}')


@pytest.mark.field("H-9")
def test_no_spelling_of_an_address_brings_its_token_into_the_log(web: Daphne, log: Path) -> None:
    paths = [
        f"//ingest/json/{TOKEN}",
        f"/Ingest/json/{TOKEN}",
        f"/api/ingest/json/{TOKEN}",
        f"/ingest/unheard-of/{TOKEN}",
        f"/%49ngest/json/{TOKEN}",
        f"/app/../ingest/json/{TOKEN}",
        f"/{TOKEN}",
    ]

    for method in ("POST", "GET", "BREW"):
        for path in paths:
            connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
            connection.request(method, path, b"{}" if method == "POST" else None)
            assert connection.getresponse().status >= 300
            connection.close()

    said = log.read_text()
    assert "Not Found: " in said
    assert TOKEN not in said
