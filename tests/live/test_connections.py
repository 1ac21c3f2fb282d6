"""How many connections the web process takes from the database, whoever asks how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.db import connection

from accounts.models import User
from tests import builders
from tests.live.conftest import Daphne, RedisServer, start_daphne, stop_daphne

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "web-that-is-counted"
POOL_SIZE = 4


@pytest.fixture
def web(
    django_db_setup: None, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Daphne]:
    """Return a web process that tells its connections apart from ours."""
    monkeypatch.setenv("PROCESS_NAME", NAME)
    monkeypatch.setenv("DATABASE_POOL_SIZE", str(POOL_SIZE))
    server = start_daphne(own_redis.url)
    yield server
    stop_daphne(server)


def status(web: Daphne, path: str, token: str = "no") -> int:
    given = {"Authorization": f"Token {token}"}
    request = Request(f"http://127.0.0.1:{web.port}{path}", headers=given)
    try:
        with urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [NAME])
        return int(cursor.fetchone()[0])


@pytest.mark.field("H-2")
def test_one_request_after_the_other_leaves_no_connection_behind(web: Daphne) -> None:
    answers = Counter(status(web, path) for path in ["/readyz", "/api/v1/assets/"] * 40)

    assert answers == {200: 40, 401: 40}
    # It is given back just after the answer, which the next request may not wait for.
    assert connections() <= 2


@pytest.mark.field("H-2")
def test_many_at_once_share_the_pool_and_all_are_answered(web: Daphne) -> None:
    with ThreadPoolExecutor(24) as senders:
        answers = Counter(senders.map(lambda _: status(web, "/api/v1/assets/"), range(120)))

    assert answers == {401: 120}
    assert connections() <= POOL_SIZE


@pytest.mark.field("H-2")
def test_two_hundred_at_once_wait_for_their_turn_and_none_is_sent_away(
    web: Daphne, viewer: User
) -> None:
    good = builders.make_api_token(viewer)
    with ThreadPoolExecutor(200) as senders:
        tokens = [good, good, good, "wrong"] * 100
        answers = Counter(senders.map(lambda token: status(web, "/api/v1/assets/", token), tokens))

    assert answers == {200: 300, 401: 100}
    assert connections() <= POOL_SIZE
