"""A real daphne over the test database, a Redis that may be killed, and sockets."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import pytest
import redis
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from accounts.models import User
from assets.models import Asset
from core.broadcast import Moved, Publisher
from positions.models import AssetState
from positions.store import lock_states
from tests import builders
from tests.live.world import Client
from tracker.road.batch_frames import frames_of

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_S = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(claim: Callable[[], object], within_s: float = 10.0) -> None:
    """Wait until `claim` holds; fail when it does not in time."""
    until = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.02)


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False


@dataclass
class RedisServer:
    """A Redis of the test's own, to be killed and started again on the same port."""

    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd="/tmp")
        eventually(lambda: answers(self.port))

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@dataclass
class Daphne:
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/live/"

    @property
    def resident_bytes(self) -> int:
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


def start_daphne(
    redis_url: str, *, ping_s: int = 20, log: IO[bytes] | None = None, database: str = ""
) -> Daphne:
    port = free_port()
    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    environment = os.environ | {
        "DATABASE_URL": f"{base}/{database or settings.DATABASES['default']['NAME']}",
        "REDIS_URL": redis_url,
        "SECRET_KEY": settings.SECRET_KEY,
    }
    command = [
        sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "-v", "0",
        "--websocket-max-message-size", "65536", "--websocket-max-frame-size", "65536",
        "--ping-interval", str(ping_s), "--ping-timeout", str(ping_s), "tracker.asgi:application",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    eventually(lambda: answers(port) or process.poll() is not None, STARTS_WITHIN_S)
    assert process.poll() is None, "daphne did not start"
    return Daphne(port, process)


def stop_daphne(daphne: Daphne) -> None:
    daphne.process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        daphne.process.wait(10)
    daphne.process.kill()


@pytest.fixture(scope="module")
def own_redis() -> Iterator[RedisServer]:
    server = RedisServer(free_port())
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def daphne(django_db_setup: None, own_redis: RedisServer) -> Iterator[Daphne]:
    """Return a web process; it lives as long as the tests of a module."""
    server = start_daphne(own_redis.url)
    yield server
    stop_daphne(server)


@pytest.fixture(scope="module")
def publisher(own_redis: RedisServer) -> Iterator[Publisher]:
    publisher = Publisher(lambda: redis.Redis.from_url(own_redis.url, socket_timeout=1.0))
    yield publisher
    publisher.close()


@dataclass
class Socket:
    """A console: acknowledges what it takes, unless told to be slow."""

    wire: ClientConnection
    client: Client = field(default_factory=Client)

    def say(self, text: str) -> None:
        self.wire.send(text)

    def subscribe(self) -> None:
        epoch = f'"{self.client.epoch}"' if self.client.epoch else "null"
        self.say(f'{{"type":"subscribe","epoch":{epoch},"seq":{self.client.seq}}}')

    def take(self, timeout_s: float = 0.05, *, acknowledges: bool = True) -> bool:
        """Take one frame, if there is one in time."""
        try:
            text = self.wire.recv(timeout_s)
        except TimeoutError:
            return False
        before = self.client.seq
        self.client.take(str(text))
        if acknowledges and self.client.seq != before:
            self.say(f'{{"type":"ack","seq":{self.client.seq}}}')
        return True

    def until(self, claim: Callable[[Client], object], within_s: float = 10.0) -> None:
        """Take frames until `claim` holds of what the console has made of them."""
        end = time.monotonic() + within_s
        while not claim(self.client):
            assert time.monotonic() < end, f"never: {self.client}"
            self.take()


@pytest.fixture
def open_socket(daphne: Daphne) -> Iterator[Callable[..., Socket]]:
    """Return a function that opens a socket, with a token or the headers given."""
    with contextlib.ExitStack() as stack:

        def opened(token: str = "", **given: Any) -> Socket:
            given.setdefault("additional_headers", {})
            if token:
                given["additional_headers"]["Authorization"] = f"Token {token}"
            given.setdefault("subprotocols", ["live.v1.json"])
            opening = connect(daphne.url, max_size=None, compression=None, **given)
            return Socket(stack.enter_context(opening))

        yield opened


def commit(asset: Asset, at_s: float, *, lon_deg: float = 9.7) -> Moved:
    """Let `asset` have been somewhere `at_s` seconds after now; return the frame to publish."""
    at = timezone.now() + timedelta(seconds=at_s)
    given = {"fix_at": at, "lon_deg": lon_deg, "lat_deg": 52.4, "method": "gnss"}
    times = {"measured_at": at, "received_at": timezone.now()}
    whose = {"organisation_id": asset.organisation_id}
    AssetState.objects.update_or_create(asset=asset, defaults=given | times | whose)
    with transaction.atomic():
        states = lock_states([asset.pk]).values()
    [frame] = frames_of(states, [], [])
    assert isinstance(frame, Moved)
    return frame


@pytest.fixture
def token(viewer: User) -> str:
    return builders.make_api_token(viewer)


def subscribed(open_socket: Callable[..., Socket], token: str) -> Socket:
    console = open_socket(token)
    console.subscribe()
    console.until(lambda client: client.snapshots)
    return console


def close_code(console: Socket, within_s: float = 10.0) -> int:
    """Read until the server closes; return its code."""
    end = time.monotonic() + within_s
    try:
        while time.monotonic() < end:
            console.take()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006
    pytest.fail("it stays open")
