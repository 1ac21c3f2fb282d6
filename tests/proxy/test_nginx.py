"""Through nginx as it is shipped: what comes in, what is refused, and what stands in its logs."""

from __future__ import annotations

import http.client
import json
import socket
import time
from contextlib import ExitStack, closing, suppress
from typing import Any

import pytest
from websockets.sync.client import connect

from accounts.models import Membership
from tests import builders
from tests.ingest.world import Ingest, Sender, eventually, know, make_sender
from tests.proxy.conftest import NAME, Proxy

pytestmark = pytest.mark.field("H-17")

Answer = tuple[int, http.client.HTTPMessage, bytes]


class Wire(http.client.HTTPSConnection):
    """A connection by TLS to the name of the server, wherever that listens."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(NAME, timeout=20, context=proxy.context)
        self._port = proxy.https_port

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self._port), 20)
        self.sock = self._context.wrap_socket(plain, server_hostname=NAME)  # type: ignore[attr-defined]


def ask(proxy: Proxy, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    return answer_of(Wire(proxy), method, path, body, headers)


def ask_plainly(proxy: Proxy, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    wire = http.client.HTTPConnection("127.0.0.1", proxy.http_port, timeout=20)
    return answer_of(wire, method, path, body, {"Host": NAME, **headers})


def answer_of(
    wire: http.client.HTTPConnection, method: str, path: str, body: Any, headers: dict[str, str]
) -> Answer:
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    spelled |= {"Content-Type": "application/json"} if body else {}
    wire.request(method, path, body, spelled)
    answer = wire.getresponse()
    with closing(wire):
        return answer.status, answer.headers, answer.read()


def raw(proxy: Proxy, sent: bytes) -> bytes:
    """Send bytes by TLS, and read until the proxy hangs up, or has been silent for a second."""
    plain = socket.create_connection(("127.0.0.1", proxy.https_port), 30)
    with proxy.context.wrap_socket(plain, server_hostname=NAME) as wire:
        wire.sendall(sent)
        read = [wire.recv(65536)]
        wire.settimeout(1)
        with suppress(TimeoutError):
            read += iter(lambda: wire.recv(65536), b"")
        return b"".join(read)


@pytest.fixture
def sender(ingest: Ingest) -> Sender:
    made = make_sender()
    know(ingest, made)
    return made


@pytest.fixture
def token(sender: Sender) -> str:
    viewer = builders.make_member(sender.organisation, Membership.Role.VIEWER)
    return builders.make_api_token(viewer)


def report(sender: Sender, **more: Any) -> str:
    return json.dumps(sender.says(**more))


# --- what comes through -----------------------------------------------------------------


def test_a_report_and_a_page_reach_their_processes(proxy: Proxy, sender: Sender) -> None:
    reported, _, _ = ask(proxy, "POST", sender.path, report(sender))
    shown, headers, _ = ask(proxy, "GET", "/accounts/login/")

    assert (reported, len(sender.positions())) == (200, 1)
    assert shown == 200
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_live_socket_is_opened(proxy: Proxy, token: str) -> None:
    plain = socket.create_connection(("127.0.0.1", proxy.https_port), 20)
    given = {"Authorization": f"Token {token}"}

    with connect(
        f"wss://{NAME}/ws/live/",
        sock=plain,
        ssl=proxy.context,
        server_hostname=NAME,
        additional_headers=given,
        subprotocols=["live.v1.json"],  # type: ignore[list-item]
    ) as live:
        live.send('{"type":"subscribe","epoch":null,"seq":0,"alerts_after":0}')
        first = json.loads(live.recv(20))

    assert first["type"] in ("snapshot", "hello")


# --- without TLS --------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/app/map", "/accounts/login/?next=/app/map"])
def test_a_page_in_plain_text_is_redirected(proxy: Proxy, path: str) -> None:
    status, headers, _ = ask_plainly(proxy, "GET", path)

    assert (status, headers["Location"]) == (301, f"https://{NAME}{path}")


def test_a_program_in_plain_text_is_refused_and_not_redirected(
    proxy: Proxy, sender: Sender, token: str
) -> None:
    answers = [
        ask_plainly(proxy, "POST", sender.path, report(sender)),
        ask_plainly(proxy, "GET", "/api/v1/assets/", Authorization=f"Token {token}"),
    ]

    assert [status for status, _, _ in answers] == [403, 403]
    assert {json.loads(body)["code"] for _, _, body in answers} == {"tls-required"}
    assert sender.positions() == []


# --- who says who asks ----------------------------------------------------------------------


def test_nobody_claims_to_have_come_by_tls(proxy: Proxy, sender: Sender) -> None:
    claims = {"X_Forwarded_Proto": "https", "Forwarded": "proto=https"}

    status, _, _ = ask_plainly(proxy, "POST", sender.path, report(sender), **claims)

    assert status == 403


@pytest.mark.parametrize("path", ["/metrics", "/ingest/metrics"])
@pytest.mark.parametrize("claim", [{}, {"X_Forwarded_For": "127.0.0.1"}])
def test_counts_are_not_for_strangers(proxy: Proxy, path: str, claim: dict[str, str]) -> None:
    for asked in (ask, ask_plainly):
        status, _, body = asked(proxy, "GET", path, **claim)

        assert status == 404
        assert b"tracker_" not in body


def test_a_stranger_to_the_name_gets_no_answer(proxy: Proxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.http_port), 20) as wire:
        wire.sendall(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")

        assert wire.recv(100) == b""


# --- bounds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/v1/assets/", "/accounts/login/", "/ingest/json/x"])
def test_a_large_body_is_refused_before_it_is_read(proxy: Proxy, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {50 << 20}\r\n\r\n"

    began = time.monotonic()
    answer = raw(proxy, head.encode())

    assert b" 413 " in answer.partition(b"\r\n")[0]
    assert time.monotonic() - began < 5


def test_the_largest_body_that_the_processes_take_comes_through(
    proxy: Proxy, sender: Sender
) -> None:
    body = report(sender)
    padded = body + " " * ((1 << 20) - len(body))

    status, _, _ = ask(proxy, "POST", sender.path, padded)

    assert status == 200


@pytest.mark.parametrize(
    "lines",
    [
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity, chunked",
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Content-Length: 4\r\nContent-Length: 5",
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/assets/", "/ingest/json/x"])
def test_a_body_whose_length_is_in_doubt_gets_one_answer(
    proxy: Proxy, path: str, lines: str
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: {NAME}\r\n{lines}\r\n\r\n"

    answer = raw(proxy, head.encode() + b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")

    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 "))


def test_a_head_that_does_not_end_is_cut_off_and_reaches_nobody(proxy: Proxy) -> None:
    began = time.monotonic()

    answer = raw(proxy, b"GET /healthz HTTP/1.1\r\nHost: ")

    assert b" 200 " not in answer
    assert 5 < time.monotonic() - began < 15


def test_fifty_half_requests_keep_nobody_waiting(proxy: Proxy, sender: Sender) -> None:
    head = f"POST /api/v1/assets/ HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 100\r\n\r\nhalf"
    with ExitStack() as stack:
        for _ in range(48):
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", proxy.https_port)))
            wire = proxy.context.wrap_socket(plain, server_hostname=NAME)
            stack.enter_context(wire).sendall(head.encode())
        began = time.monotonic()

        statuses = [
            ask(proxy, "POST", sender.path, report(sender))[0],
            ask(proxy, "GET", "/readyz")[0],
        ]

        assert statuses == [200, 200]
        assert time.monotonic() - began < 5


# --- what it writes down ------------------------------------------------------------------------


def test_no_log_shows_a_token(proxy: Proxy, sender: Sender) -> None:
    secret = sender.token
    for path in (
        f"/ingest/json/{secret}",
        f"//ingest/json/{secret}",
        f"/Ingest/json/{secret}",
        f"/api/ingest/json/{secret}",
        f"/%69ngest/json/{secret}",
        f"/x/../ingest/json/{secret}?a=b",
        f"/healthz?token={secret}",
        f"/{secret}",
    ):
        ask(proxy, "POST", path, "{}")
        ask_plainly(proxy, "POST", path, "{}")
        raw(proxy, f"POST {path} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: x\r\n\r\n".encode())
        raw(
            proxy,
            f"POST {path} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {9 << 20}\r\n\r\n".encode(),
        )

    eventually(lambda: "(door)" in proxy.log)
    assert secret not in proxy.log


def test_a_process_that_is_away_brings_no_token_into_a_log(
    proxy: Proxy, ingest: Ingest, sender: Sender
) -> None:
    ingest.kill()
    status, _, _ = ask(proxy, "POST", sender.path, report(sender))
    ingest.start()

    assert status == 502
    assert sender.token not in proxy.log


def test_an_ordinary_address_is_logged_without_its_query(proxy: Proxy) -> None:
    ask(proxy, "GET", "/healthz?who=me")

    eventually(lambda: " GET /healthz 200 " in proxy.log)
    assert "who=me" not in proxy.log
