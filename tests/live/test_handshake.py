"""From which page a live socket may come, and which credential it brings."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from tracker.live.access import SocketCredential
from tracker.live.handshake import guarded

HOST = "127.0.0.1:8000"
OURS = "http://127.0.0.1:8000"
REFUSED = "refused"


async def credential_of(**given: str) -> SocketCredential | str:
    """Return what the socket behind the guards finds, or that none is reached."""
    found: list[SocketCredential | str] = []
    headers = [(name.encode(), value.encode()) for name, value in ({"host": HOST} | given).items()]

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        found.append(scope["credential"])

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        assert message["type"] == "websocket.close"
        found.append(REFUSED)
        raise ConnectionResetError

    with contextlib.suppress(ConnectionResetError):
        await guarded(behind)({"type": "websocket", "headers": headers}, receive, send)
    (answer,) = found
    return answer


async def test_a_cookie_from_our_own_page_is_taken() -> None:
    found = await credential_of(cookie="a=b; sessionid=abc", origin=OURS)

    assert found == SocketCredential(session_key="abc")


@pytest.mark.fault("F-087")
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example", "null", "", "http://127.0.0.1.evil.example", "file://x", "[",
        "http://127.0.0.1:x", "http://127.0.0.1:99999",
    ],
)  # fmt: skip
async def test_a_cookie_from_a_strangers_page_is_refused(origin: str) -> None:
    assert await credential_of(cookie="sessionid=abc", origin=origin) == REFUSED


@pytest.mark.field("H-21")
@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:9999", "http://127.0.0.1", "http://localhost:8000"]
)
async def test_a_page_of_another_port_or_name_is_a_strangers(origin: str) -> None:
    assert await credential_of(cookie="sessionid=abc", origin=origin) == REFUSED


@pytest.mark.fault("F-087")
async def test_a_cookie_without_an_origin_is_refused() -> None:
    assert await credential_of(cookie="sessionid=abc") == REFUSED


async def test_without_a_credential_the_handshake_is_refused() -> None:
    assert await credential_of(origin=OURS) == REFUSED


@pytest.mark.parametrize("keyword", ["Token", "Bearer", "bearer"])
async def test_a_token_needs_no_origin(keyword: str) -> None:
    found = await credential_of(authorization=f"{keyword} secret", cookie="sessionid=abc")

    assert isinstance(found, SocketCredential)
    assert found.token_digest
    assert not found.session_key


async def test_another_scheme_is_no_credential() -> None:
    assert await credential_of(authorization="Basic dXNlcjpwYXNz", origin=OURS) == REFUSED


async def test_the_public_address_is_ours(settings: Any) -> None:
    settings.PUBLIC_URL = "https://track.example.com"
    given = {"cookie": "sessionid=abc", "host": "inside:8000"}

    assert await credential_of(**given, origin="https://track.example.com") != REFUSED
    assert await credential_of(**given, origin="http://track.example.com") == REFUSED
    assert await credential_of(**given, origin="http://inside:8000") == REFUSED


async def test_when_every_host_is_allowed_only_the_dialled_one_is_ours(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    given = {"cookie": "sessionid=abc", "host": "a.example"}

    assert await credential_of(**given, origin="https://a.example") != REFUSED
    assert await credential_of(**given, origin="https://evil.example") == REFUSED
