"""A load generator that costs little of the processor that it shares with what it measures.

One thread, one epoll, requests made beforehand: 10 to 15 µs a request. Open loop: each
request has the moment at which it should go out, and its latency counts from then, also when no
connection was free (no coordinated omission). Closed loop: as fast as the answers come.
"""

from __future__ import annotations

import gc
import re
import select
import socket
import struct
import time
from array import array
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
# Close with a reset: a port in TIME_WAIT for each report would use them all up.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
GIVE_UP_S = 15.0


@dataclass(frozen=True, kw_only=True)
class Load:
    """What to send: `requests` in their order, each at most once."""

    address: tuple[str, int]
    requests: Sequence[bytes]
    connections: int = 64
    seconds: float = 20.0
    # None for the closed loop.
    rate: float | None = None
    is_new_connection_each: bool = False


@dataclass(kw_only=True)
class Outcome:
    """What came of it. Latencies in seconds, of every answer, in the order of the answers."""

    seconds: float
    latencies_s: np.ndarray[Any, np.dtype[np.float64]]
    statuses: Counter[str] = field(default_factory=Counter)
    generator_us: float = 0.0

    @property
    def rate(self) -> float:
        good = sum(count for status, count in self.statuses.items() if status.startswith("2"))
        return good / self.seconds

    @property
    def errors(self) -> int:
        return sum(count for status, count in self.statuses.items() if not status.startswith("2"))

    def ms(self, percentile: float) -> float:
        if not len(self.latencies_s):
            return float("nan")
        return float(np.percentile(self.latencies_s, percentile)) * 1e3

    def as_json(self) -> dict[str, Any]:
        ms = {f"p{q:g}_ms": round(self.ms(q), 2) for q in (50, 90, 99, 99.9, 100)}
        return {
            "requests_per_s": round(self.rate, 1),
            **ms,
            "errors": self.errors,
            "statuses": dict(self.statuses),
            "generator_us_per_request": round(self.generator_us, 1),
        }


class _Connection:
    __slots__ = ("due", "inbox", "outbox", "socket")

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.outbox = b""
        self.inbox = b""
        self.due = 0.0


class _Run:
    def __init__(self, load: Load) -> None:
        self._load = load
        self._epoll = select.epoll()
        self._by_fd: dict[int, _Connection] = {}
        self._idle: deque[_Connection] = deque(_Connection() for _ in range(load.connections))
        self._latencies = array("d")
        self._statuses: Counter[str] = Counter()
        self._next = 0

    def run(self) -> Outcome:
        gc.collect()
        gc.disable()
        try:
            cpu_s = time.process_time()
            began = time.perf_counter()
            self._go(began)
            took_s = time.perf_counter() - began
            cpu_s = time.process_time() - cpu_s
        finally:
            gc.enable()
            for connection in list(self._by_fd.values()):
                self._drop(connection)
            self._epoll.close()
        return Outcome(
            seconds=took_s,
            latencies_s=np.frombuffer(self._latencies, dtype=np.float64),
            statuses=self._statuses,
            generator_us=cpu_s / max(1, len(self._latencies)) * 1e6,
        )

    def _go(self, began: float) -> None:
        rate = self._load.rate
        total = len(self._load.requests)
        if rate is not None:
            total = min(total, int(rate * self._load.seconds))
        end = began + self._load.seconds
        step = 1 / rate if rate else 0.0
        clock = time.perf_counter
        idle = self._idle
        while True:
            now = clock()
            may_start = self._next < total and (rate is not None or now < end)
            while idle and may_start:
                due = began + self._next * step if rate else now
                if due > now:
                    break
                self._start(idle.popleft(), due)
                may_start = self._next < total
            if not may_start and len(idle) == self._load.connections:
                return
            if now > end + GIVE_UP_S:
                self._statuses["unanswered"] += self._load.connections - len(idle)
                return
            self._wait(began + self._next * step - now if may_start and idle else 1.0)

    def _wait(self, seconds: float) -> None:
        for fd, events in self._epoll.poll(max(0.0, seconds)):
            connection = self._by_fd.get(fd)
            if connection is None:
                continue
            if connection.outbox and events & select.EPOLLOUT:
                self._write(connection)
            elif events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                self._read(connection)

    def _start(self, connection: _Connection, due: float) -> None:
        connection.due = due
        connection.outbox = self._load.requests[self._next]
        connection.inbox = b""
        self._next += 1
        if connection.socket is None:
            self._connect(connection)
        else:
            self._write(connection)

    def _connect(self, connection: _Connection) -> None:
        fresh = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        fresh.setblocking(False)
        fresh.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fresh.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        connection.socket = fresh
        self._by_fd[fresh.fileno()] = connection
        fresh.connect_ex(self._load.address)
        self._epoll.register(fresh.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _write(self, connection: _Connection) -> None:
        assert connection.socket is not None
        had_waited = connection.outbox
        try:
            sent = connection.socket.send(connection.outbox)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._failed(connection, type(error).__name__)
            return
        connection.outbox = connection.outbox[sent:]
        if connection.outbox:
            self._epoll.modify(connection.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)
        elif had_waited:
            self._epoll.modify(connection.socket.fileno(), select.EPOLLIN)

    def _read(self, connection: _Connection) -> None:
        assert connection.socket is not None
        try:
            data = connection.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            self._failed(connection, type(error).__name__)
            return
        if not data:
            self._failed(connection, "closed")
            return
        connection.inbox = connection.inbox + data if connection.inbox else data
        if is_whole_answer(connection.inbox):
            self._answered(connection)

    def _answered(self, connection: _Connection) -> None:
        self._latencies.append(time.perf_counter() - connection.due)
        self._statuses[connection.inbox[9:12].decode("latin-1")] += 1
        wants_close = b"onnection: close" in connection.inbox
        if self._load.is_new_connection_each or wants_close:
            self._drop(connection)
        self._idle.append(connection)

    def _failed(self, connection: _Connection, why: str) -> None:
        self._statuses[why] += 1
        self._drop(connection)
        self._idle.append(connection)

    def _drop(self, connection: _Connection) -> None:
        if connection.socket is not None:
            del self._by_fd[connection.socket.fileno()]
            connection.socket.close()
            connection.socket = None


def is_whole_answer(data: bytes) -> bool:
    """Whether these bytes are an HTTP/1.1 answer with all of its body."""
    head_end = data.find(b"\r\n\r\n")
    if head_end < 0:
        return False
    length = CONTENT_LENGTH.search(data, 0, head_end + 2)
    if length:
        return len(data) >= head_end + 4 + int(length[1])
    if CHUNKED.search(data, 0, head_end + 2):
        return data.endswith(b"0\r\n\r\n")
    return True


def run(load: Load) -> Outcome:
    return _Run(load).run()
