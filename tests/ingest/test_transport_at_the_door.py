"""Group B of the fault catalogue, transport: requests that are slow, huge, or none at all."""

from __future__ import annotations

import gzip
import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import datetime

import pytest

from tests.builders import NINE, TEN
from tests.ingest.world import Client, Ingest, Sender, eventually


def raw(ingest: Ingest, sent: bytes, within_s: float = 10.0) -> bytes:
    """Send bytes and read until the door hangs up or has said all that it says."""
    with socket.create_connection(("127.0.0.1", ingest.port), within_s) as wire:
        wire.sendall(sent)
        return wire.recv(65536)


@pytest.mark.fault("F-037")
@pytest.mark.parametrize(
    "headers",
    [{f"X-{n}": "a" for n in range(2000)}, {"X-A": "a" * 65536}, {"Cookie": "a=b; " * 12000}],
    ids=["2000 lines", "64 KiB", "cookies"],
)
def test_a_huge_head_is_refused(ingest, sender, headers):
    answer = ingest.ask("POST", sender.path, b"{}", headers)

    assert (answer.status, answer.code) == (431, "headers-too-large")


@pytest.mark.fault("F-037")
def test_an_endless_head_is_cut(ingest):
    with socket.create_connection(("127.0.0.1", ingest.port), 10) as wire:
        wire.sendall(b"POST /ingest/json HTTP/1.1\r\nX-A: ")
        with pytest.raises(OSError, match=r"reset|pipe"):
            wire.sendall(b"a" * (64 << 20))


@pytest.mark.fault("F-037")
def test_an_endless_path_is_refused(ingest, sender):
    answer = ingest.ask("POST", f"{sender.path}?note={'a' * 60_000}", b"{}", {})

    assert (answer.status, answer.code) == (431, "headers-too-large")


@pytest.mark.parametrize(
    "sent",
    [b"hello\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nA: b\x00\r\n\r\n"],
)
def test_what_is_no_request_is_told_so_in_the_same_words_as_all_else(ingest, sent):
    head, _, body = raw(ingest, sent).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["code"] == "bad-request"


def test_who_asks_for_a_socket_is_answered_as_if_not(ingest):
    head = b"GET /ingest/json HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"

    answer = raw(ingest, head + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YQ==\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 401 ")


def posted(sender: Sender, body: bytes, *lines: str) -> bytes:
    """Return a request as it goes over the wire."""
    head = [f"POST {sender.path} HTTP/1.1", "Host: x", "Content-Type: application/json", *lines]
    return "\r\n".join([*head, "", ""]).encode() + body


def told(sender: Sender, at: datetime = NINE) -> bytes:
    return json.dumps(sender.says(at)).encode()


def read_to_the_end(ingest: Ingest, *sent: bytes, is_half_closed: bool = False) -> bytes:
    with socket.create_connection(("127.0.0.1", ingest.port), 10) as wire:
        for part in sent:
            wire.sendall(part)
        if is_half_closed:
            wire.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: wire.recv(65536), b""))


def test_requests_sent_without_waiting_are_answered_in_their_order(ingest, sender):
    first, last = told(sender), told(sender, TEN)
    sent = [
        posted(sender, first, f"Content-Length: {len(first)}"),
        posted(sender, b"[", "Content-Length: 1"),
        posted(sender, first, f"Content-Length: {len(first)}"),
        posted(sender, last, f"Content-Length: {len(last)}", "Connection: close"),
    ]

    answer = read_to_the_end(ingest, b"".join(sent))

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"400", b"200", b"200"]
    assert [row.measured_at for row in sender.positions()] == [NINE, TEN]


def test_a_sender_that_has_said_all_still_hears_the_answer(ingest, sender):
    body = told(sender)

    answer = read_to_the_end(
        ingest, posted(sender, body, f"Content-Length: {len(body)}"), is_half_closed=True
    )

    assert answer.startswith(b"HTTP/1.1 200 ")


def test_who_speaks_http_1_0_is_answered_and_left(ingest, sender):
    body = told(sender)
    sent = posted(sender, body, f"Content-Length: {len(body)}").replace(b"HTTP/1.1", b"HTTP/1.0")

    answer = read_to_the_end(ingest, sent)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in answer


def test_who_asks_before_sending_a_body_is_told_to_go_on(ingest, sender):
    body = told(sender)
    head = posted(sender, b"", f"Content-Length: {len(body)}", "Expect: 100-continue")
    with socket.create_connection(("127.0.0.1", ingest.port), 10) as wire:
        wire.sendall(head)
        asked = wire.recv(4096)
        wire.sendall(body)

        answer = wire.recv(4096)

    assert asked == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_body_in_chunks_is_read_like_any_other(ingest, sender):
    body = told(sender)
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(body[n : n + 9]), body[n : n + 9])
                      for n in range(0, len(body), 9))  # fmt: skip
    sent = posted(sender, chunks + b"0\r\n\r\n", "Transfer-Encoding: chunked", "Connection: close")

    assert read_to_the_end(ingest, sent).startswith(b"HTTP/1.1 200 ")


@pytest.mark.fault("F-019")
def test_chunks_beyond_the_limit_are_refused_and_the_connection_ends(ingest, sender):
    chunk = b"%x\r\n%b\r\n" % (1 << 18, b" " * (1 << 18))

    answer = read_to_the_end(ingest, posted(sender, chunk * 5, "Transfer-Encoding: chunked"))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer


def test_what_comes_in_one_piece_with_a_refused_request_disturbs_nobody(ingest, sender):
    body = told(sender)
    valid = posted(sender, body, f"Content-Length: {len(body)}")
    refused = posted(sender, b"", "Content-Length: 0", *(f"X-{n}: a" for n in range(200)))

    answer = read_to_the_end(ingest, refused + valid + valid, is_half_closed=True)
    after = [ingest.post(sender.path, sender.says(TEN)) for _ in range(3)]

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"431"]
    assert [one.status for one in after] == [200, 200, 200]
    assert [row.measured_at for row in sender.positions()] == [TEN]


def test_what_is_only_asked_about_is_answered_without_a_body(ingest):
    answer = read_to_the_end(ingest, b"HEAD /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.fault("F-038")
def test_an_unknown_path_is_not_found(ingest, sender):
    answer = ingest.ask("POST", "/nowhere", b"", {"Authorization": f"Bearer {sender.token}"})

    assert (answer.status, answer.code) == (404, "not-found")


@pytest.mark.fault("F-038")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_wrong_method_is_told_the_right_one(ingest, sender, method):
    answer = ingest.ask(method, sender.path)

    assert (answer.status, answer.code) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.fault("F-040")
@pytest.mark.parametrize("accepted", ["application/xml", "text/html", "image/*;q=0", "/"])
def test_whatever_is_accepted_the_answer_is_json(ingest, sender, accepted):
    headers = {"Accept": accepted, "Content-Type": "application/json"}

    answer = ingest.ask("POST", sender.path, json.dumps(sender.says()).encode(), headers)

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")


@pytest.mark.fault("F-036")
def test_no_header_of_the_senders_is_believed(ingest, sender):
    named = ("X-Forwarded-For", "X-Real-IP", "X-Forwarded-Host", "Host", "Forwarded")
    headers = dict.fromkeys(named, "evil.example") | {"Content-Type": "application/json"}

    answer = ingest.ask("POST", sender.path, b"{", headers)

    assert answer.status == 400
    assert b"evil" not in answer.body + json.dumps(answer.headers).encode()


@pytest.mark.parametrize("packed", [True, False])
def test_a_packed_body_is_unpacked_within_the_limit(ingest, sender, packed):
    body = json.dumps(sender.says()).encode() if packed else b" " * (8 << 20)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}

    answer = ingest.ask("POST", sender.path, gzip.compress(body), headers)

    assert answer.status == (200 if packed else 413)


@dataclass
class Slow:
    """A connection that sends a start and then a byte at a time, or nothing more."""

    wire: socket.socket
    drips: bool

    def drip(self) -> None:
        if self.drips:
            with suppress(OSError):
                self.wire.send(b"x")

    def is_cut(self) -> bool:
        try:
            while self.wire.recv(4096):
                pass
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True


@pytest.fixture
def slow_ones(ingest: Ingest, sender: Sender) -> Iterator[list[Slow]]:
    """Return 200 connections that are slow before, in and after the head, and in the body."""
    line = f"POST {sender.path} HTTP/1.1\r\nHost: x\r\n".encode()
    head = line + b"Content-Type: application/json\r\nContent-Length: 500\r\n\r\n"
    starts = [(b"", False), (line, True), (head, True), (head + b"{", True), (head, False)]
    with ExitStack() as stack:
        slow = []
        for start, drips in starts * 40:
            wire = socket.create_connection(("127.0.0.1", ingest.port), 5)
            stack.enter_context(wire)
            wire.sendall(start)
            wire.setblocking(False)
            slow.append(Slow(wire, drips))
        yield slow


@pytest.mark.slow
@pytest.mark.fault("F-039", "F-008")
def test_who_sends_a_byte_a_second_is_cut_and_holds_nobody_up(ingest, sender, slow_ones):
    with closing(Client(ingest.port)) as client:
        for _ in range(23):
            for one in slow_ones:
                one.drip()
            assert client.post(sender.path, sender.says()).status == 200
            time.sleep(1.0)

    eventually(lambda: all(one.is_cut() for one in slow_ones), 3.0, "some are still open")


@pytest.mark.fault("F-008")
def test_a_body_that_never_comes_does_not_keep_a_process_from_ending(start):
    ingest = start()
    with socket.create_connection(("127.0.0.1", ingest.port)) as wire:
        wire.sendall(b"POST /ingest/json HTTP/1.1\r\nHost: x\r\n")

        assert ingest.stop() in (0, -signal.SIGTERM)
