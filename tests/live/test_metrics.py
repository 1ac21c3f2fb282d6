"""What a scraper on the same machine reads of the web process."""

from __future__ import annotations

from collections.abc import Callable
from urllib.request import urlopen

import pytest

from tests.live.conftest import Daphne, Socket, eventually

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_web_process_counts_its_viewers_and_its_answers(
    daphne: Daphne, open_socket: Callable[..., Socket], token: str
) -> None:
    address = f"http://127.0.0.1:{daphne.port}"
    open_socket(token=token)
    with urlopen(f"{address}/healthz") as answer:
        assert answer.status == 200

    eventually(lambda: "tracker_live_viewers 1.0" in page(address))
    # Counted once the answer is out.
    eventually(lambda: 'tracker_web_answer_seconds_count{status="200"} 1.0' in page(address))
    assert "process_resident_memory_bytes" in page(address)


def page(address: str) -> str:
    with urlopen(f"{address}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        return str(answer.read(), "utf-8")
