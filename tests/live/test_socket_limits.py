"""The live socket against what would confuse it or fill its memory."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

from accounts.models import Organisation
from core.broadcast import Moved, Publisher
from tests import builders
from tests.live.conftest import (
    Daphne,
    RedisServer,
    Socket,
    close_code,
    commit,
    eventually,
    start_daphne,
    stop_daphne,
    subscribed,
)  # fmt: skip

Open = Callable[..., Socket]

pytestmark = pytest.mark.django_db(transaction=True)


# --- what is not understood ----------------------------------------------------------


@pytest.mark.fault("F-091")
@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"type":"fly"}', '{"type":"ack","seq":"x"}', '{"type":"ack","seq":1,"a":1}'],
)
def test_what_is_not_understood_is_answered_with_an_error(
    open_socket: Open, token: str, text: str
) -> None:
    console = open_socket(token)

    console.say(text)

    assert json.loads(console.wire.recv(5))["code"] == "malformed-frame"


@pytest.mark.fault("F-091")
def test_the_tenth_error_closes_the_socket(open_socket: Open, token: str) -> None:
    console = open_socket(token)

    for _ in range(10):
        console.say("nonsense")

    assert close_code(console) == 4008
    assert len(console.client.others) == 10


@pytest.mark.fault("F-091")
def test_more_than_twenty_frames_a_second_are_errors(open_socket: Open, token: str) -> None:
    console = open_socket(token)

    for _ in range(40):
        console.say('{"type":"pause"}')

    assert close_code(console) == 4008
    assert {frame["code"] for frame in console.client.others} == {"too-many-frames"}


# --- what would fill the memory --------------------------------------------------------


def send_all(console: Socket, text: str | Iterator[str]) -> None:
    """Send as much as the server takes."""
    with contextlib.suppress(ConnectionClosed):
        console.wire.send(text)


@pytest.mark.fault("F-090")
def test_a_large_message_closes_the_socket_and_is_not_held(
    open_socket: Open, token: str, daphne: Daphne
) -> None:
    subscribed(open_socket, token)
    before = daphne.resident_bytes
    whole, parts = open_socket(token), open_socket(token)

    send_all(whole, "x" * ((1 << 20) + 1))
    send_all(parts, ("x" * 50_000 for _ in range(1000)))

    assert {close_code(whole), close_code(parts)} <= {4009, 1006}
    assert daphne.resident_bytes - before < 5 << 20


@pytest.mark.fault("F-092")
def test_a_reader_that_stops_costs_little_and_then_gets_the_newest(
    open_socket: Open, token: str, north: Organisation, daphne: Daphne, publisher: Publisher
) -> None:
    vans = [builders.make_van(north) for _ in range(20)]
    console = subscribed(open_socket, token)
    frames = [commit(van, 0) for van in vans]
    publisher.put(frames)
    before = daphne.resident_bytes

    for update in range(1, 250):
        publisher.put([_later(frame, update) for frame in frames])
        time.sleep(0.012)
    # What counts in the end is committed: the hub compares with the database.
    last = commit(vans[0], 300)
    publisher.put([last])
    newest = last.columns["measured_at"][0]

    assert daphne.resident_bytes - before < 5 << 20
    console.until(lambda client: client.assets.get(vans[0].pk, {}).get("measured_at") == newest)


def _later(frame: Moved, seconds: int) -> Moved:
    at = [(frame.columns["measured_at"][0] or 0) + seconds * 1000]
    columns = frame.columns | {"measured_at": at, "fix_at": at}
    return msgspec.structs.replace(frame, columns=columns)


@pytest.mark.slow
@pytest.mark.fault("F-097")
def test_a_peer_that_vanished_is_found_by_ping(own_redis: RedisServer, token: str) -> None:
    server = start_daphne(own_redis.url, ping_s=2)
    try:
        peer = socket.create_connection(("127.0.0.1", server.port))
        peer.sendall(
            b"GET /ws/live/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Authorization: Token " + token.encode() + b"\r\n\r\n"
        )
        assert b" 101 " in peer.recv(4096)

        # Without a word from the peer it ends, by a reset or without one.
        peer.settimeout(15.0)
        with contextlib.suppress(ConnectionResetError):
            eventually(lambda: peer.recv(4096) == b"", within_s=15.0)
    finally:
        stop_daphne(server)
