"""No line of a log shows a token."""

from __future__ import annotations

import logging
import secrets
import uuid

import pytest
from structlog.stdlib import ProcessorFormatter

from core.logs import without_tokens

TOKEN = "Zk3_x9Qa-" + "aB3d" * 5 + "xYz"


@pytest.mark.field("H-9")
@pytest.mark.parametrize(
    "path",
    [
        "/ingest/json/{}",
        "//ingest/json/{}",
        "/Ingest/json/{}",
        "/INGEST//auto//{}/",
        "/api/ingest/osmand/{}?id=1",
        "/app/{}",
        "/api/v1/{}/x",
        "/ingest/{}",
        "/x/%69ngest/json/{}",
    ],
)
def test_a_token_in_an_address_is_left_out(path: str) -> None:
    line = without_tokens(f'Not Found: {path.format(TOKEN)} [django.request] "GET"')

    assert TOKEN not in line
    assert line.startswith("Not Found: /")
    assert line.endswith('[django.request] "GET"')


@pytest.mark.field("H-9")
def test_every_fresh_token_is_recognised_by_its_looks() -> None:
    tokens = [secrets.token_urlsafe(24) for _ in range(1000)]

    assert [token for token in tokens if token in without_tokens(f"a {token} b")] == []


@pytest.mark.field("H-9")
def test_a_short_token_in_an_address_of_the_door_is_left_out_too() -> None:
    assert (
        without_tokens("Not Found: /Ingest/osmand/abc?id=1") == "Not Found: /Ingest/osmand/…?id=1"
    )


def test_ids_of_requests_and_ordinary_words_stay() -> None:
    line = f"the door failed request={uuid.uuid4().hex} id={uuid.uuid4()} at /api/v1/assets/7/"

    assert without_tokens(line) == line


def test_the_formatter_of_the_process_leaves_tokens_out() -> None:
    formatters = [handler.formatter for handler in logging.getLogger().handlers]
    (ours,) = (each for each in formatters if isinstance(each, ProcessorFormatter))
    said = ("Not Found: %s", (f"/a/{TOKEN}",))

    assert TOKEN not in ours.format(logging.LogRecord("x", logging.WARNING, "f", 1, *said, None))
