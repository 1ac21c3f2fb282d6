"""HTTP/1.1 of the ingest process: from the socket to the door and back.

A connection parses with httptools and calls the door without a task, an event or a message in
between, which cost more than the work of the door on an uplink. uvicorn listens, accepts and ends,
with `SenderConnection` in place of its own protocol for ASGI.

Slow senders are timed out (fault F-039), and errors are never answered in plain text (rule G2).
"""

from __future__ import annotations

import asyncio
from collections import deque
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote

import httptools
from django.conf import settings

from core.errors import (
    HeadersTooLarge,
    RequestTimeout,
    TrackerError,
    UnreadableUplink,
)
from tracker.ingest.asgi import RequestHandler
from tracker.ingest.door import AdmittedRequest
from tracker.ingest.replies import Reply, problem_reply
from tracker.ingest.request import head_of, too_large

HEAD_TIMEOUT_S = 10.0
KEEP_ALIVE_S = 75.0
# The interval at which a connection checks its deadline; a timer for each request costs too much.
CHECK_DEADLINE_EVERY_S = 1.0
# The limits of the door are lower; beyond this a head is refused before its end.
MAX_HEAD_BYTES = 64 * 1024
# The rest of a refused request is read and discarded, for so long and so much: closing at once
# would reset the connection, and the sender might not receive the reply.
LINGER_S = 2.0
LINGER_BYTES = 1 << 20
# With so many pipelined requests unanswered, no more is read from a connection.
MAX_PIPELINED = 16
NEVER = float("inf")

_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Exchange:
    """A request on a connection, and its reply once there is one."""

    __slots__ = ("_connection", "admitted", "body", "is_head", "is_last", "reply", "size")

    def __init__(self, connection: SenderConnection) -> None:
        self._connection = connection
        self.admitted: AdmittedRequest | None = None
        self.body: list[bytes] = []
        self.size = 0
        self.is_head = False
        self.is_last = False
        self.reply: Reply | None = None

    def answer(self, reply: Reply) -> None:
        """Send the reply as soon as the replies to earlier requests are sent."""
        self.reply = reply
        self._connection.flush()


class SenderConnection(asyncio.Protocol):
    """A connection of a sender. uvicorn makes it, and names its arguments and `shutdown`."""

    def __init__(
        self,
        config: Any,
        server_state: Any,
        app_state: Any,
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        self._handler: RequestHandler = config.loaded_app
        self._state = server_state
        # Read once: each look-up of a setting goes through a proxy.
        self._read_timeout_s: float = settings.READ_TIMEOUT_S
        self._body_limit_bytes: int = settings.BODY_LIMIT_BYTES
        self._loop = _loop or asyncio.get_event_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._peer = ""
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = NEVER
        # In the order of their arrival, which is the order of the replies.
        self._exchanges: deque[Exchange] = deque()
        self._current: Exchange | None = None
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._is_in_head = True
        self._has_begun_request = False
        self._is_paused = False
        # Once set, further bytes of the sender are discarded.
        self._ignores_input = False
        # Once set, no more is written: the last reply was.
        self._is_closing = False
        self._discarded_bytes = 0

    # --- asyncio --------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._state.connections.add(self)
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if isinstance(peer, tuple) else ""
        self._deadline = self._loop.time() + HEAD_TIMEOUT_S
        self._timer = self._loop.call_later(CHECK_DEADLINE_EVERY_S, self._check_deadline)

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        self._ignores_input, self._transport = True, None
        self._exchanges.clear()
        # A reference cycle, which only the garbage collector would free.
        del self._parser

    def data_received(self, data: bytes) -> None:
        if self._ignores_input:
            self._discarded_bytes += len(data)
            if self._discarded_bytes > LINGER_BYTES:
                self._close()
            return
        if self._is_in_head:
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(HeadersTooLarge(f"at most {MAX_HEAD_BYTES} bytes"))
                return
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No other protocol is supported. The request is answered as any other.
            self._ignores_input = True
            self._mark_last()
        except httptools.HttpParserError:
            self._refuse(UnreadableUplink("this is no HTTP request", code="bad-request"))

    def eof_received(self) -> bool:
        """Keep the connection half open for replies that are still to be sent."""
        self._mark_last()
        return bool(self._exchanges) and self._current is None

    def pause_writing(self) -> None:
        """Read no more from a sender that does not read its replies."""
        if self._transport is not None and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None and self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()

    def shutdown(self) -> None:
        """Close after the replies to current requests; uvicorn calls it before the process ends."""
        if self._exchanges:
            self._mark_last()
        else:
            self._close()

    # --- httptools ------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._url, self._headers = b"", []
        self._has_begun_request = True
        self._deadline = self._loop.time() + HEAD_TIMEOUT_S

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if self._is_closing:
            return  # It arrived together with a request that was the last.
        self._is_in_head, self._has_begun_request, self._head_bytes = False, False, 0
        self._current = exchange = Exchange(self)
        self._exchanges.append(exchange)
        self._deadline = self._loop.time() + self._read_timeout_s
        method = self._parser.get_method().decode("ascii")
        exchange.is_head = method == "HEAD"
        exchange.is_last = not self._parser.should_keep_alive()
        admitted = self._admitted(method)
        if isinstance(admitted, Reply):
            exchange.answer(admitted)
            return
        exchange.admitted = admitted
        if admitted.head.headers.get("expect", "").lower() == "100-continue":
            self._ask_for_body(exchange)

    def on_body(self, body: bytes) -> None:
        exchange = self._current
        if exchange is None or exchange.admitted is None or exchange.reply is not None:
            return  # The request is answered already.
        exchange.body.append(body)
        exchange.size += len(body)
        if exchange.size > self._body_limit_bytes:
            self._answer_error(exchange, too_large(self._body_limit_bytes))

    def on_message_complete(self) -> None:
        if self._is_closing:
            # Answered before its body was complete; now all of it is read.
            self._close()
            return
        exchange, self._current = self._current, None
        self._is_in_head = True
        self._deadline = NEVER if self._exchanges else self._loop.time() + KEEP_ALIVE_S
        if exchange is None or exchange.admitted is None or exchange.reply is not None:
            return
        self._handler.take(exchange.admitted, b"".join(exchange.body), exchange.answer)
        if len(self._exchanges) > MAX_PIPELINED:
            self.pause_writing()

    # --- replies --------------------------------------------------------------

    def flush(self) -> None:
        """Write the replies that are next in order."""
        transport, exchanges = self._transport, self._exchanges
        if transport is None or self._is_closing:
            return
        while exchanges and (reply := exchanges[0].reply) is not None:
            exchange = exchanges.popleft()
            is_last = exchange.is_last or _closes(reply)
            transport.write(self._written(reply, is_last=is_last, is_head=exchange.is_head))
            if is_last:
                self._close_after_reply(
                    is_all_read=exchange is not self._current and not self._ignores_input
                )
                return
        if not exchanges:
            self.resume_writing()
            if self._current is None and not self._has_begun_request:
                self._deadline = self._loop.time() + KEEP_ALIVE_S

    def _written(self, reply: Reply, *, is_last: bool, is_head: bool) -> bytes:
        parts = [b"HTTP/1.1 %d %b\r\n" % (reply.status, _REASONS.get(reply.status, b""))]
        # uvicorn keeps the date there.
        for name, value in self._state.default_headers:
            parts.append(b"%b: %b\r\n" % (name, value))
        for name, value in reply.headers:
            parts.append(b"%b: %b\r\n" % (name, value))
        if is_last and not _closes(reply):
            parts.append(b"connection: close\r\n")
        parts.append(b"content-length: %d\r\n\r\n" % len(reply.body))
        if not is_head:
            parts.append(reply.body)
        return b"".join(parts)

    def _admitted(self, method: str) -> AdmittedRequest | Reply:
        try:
            path, query = _target(self._url)
            head = head_of(method, path, query, self._headers, self._peer)
        except TrackerError as error:
            return problem_reply(error)
        return self._handler.admit(head)

    def _ask_for_body(self, exchange: Exchange) -> None:
        if self._transport is not None and self._exchanges[0] is exchange:
            self._transport.write(_CONTINUE)

    def _answer_error(self, exchange: Exchange, error: TrackerError) -> None:
        """Answer an incomplete request with an error; no request can follow it."""
        exchange.is_last = True
        exchange.answer(problem_reply(error))

    def _refuse(self, error: TrackerError) -> None:
        """Answer bytes that are no request with an error."""
        self._ignores_input = True
        exchange = self._current
        if exchange is None:
            exchange = Exchange(self)
            self._exchanges.append(exchange)
        if exchange.reply is None:
            self._answer_error(exchange, error)
        else:
            self._close()

    def _mark_last(self) -> None:
        if self._exchanges:
            self._exchanges[-1].is_last = True

    def _close_after_reply(self, *, is_all_read: bool) -> None:
        """Close after the last reply: at once if the sender's bytes are all read."""
        if is_all_read or self._transport is None or not self._transport.can_write_eof():
            self._close()
            return
        self._ignores_input = self._is_closing = True
        self._current = None
        self._deadline = self._loop.time() + LINGER_S
        self._transport.write_eof()

    def _close(self) -> None:
        self._ignores_input = self._is_closing = True
        if self._transport is not None:
            self._transport.close()

    def _check_deadline(self) -> None:
        if self._transport is None:
            return
        self._timer = self._loop.call_later(CHECK_DEADLINE_EVERY_S, self._check_deadline)
        if self._loop.time() < self._deadline:
            return
        exchange = self._current
        if exchange is None or exchange.reply is not None:
            self._close()
            return
        # If the reply is not read either, the next check closes.
        seconds = self._read_timeout_s
        self._answer_error(exchange, RequestTimeout(f"the body did not come within {seconds:g} s"))


def _target(url: bytes) -> tuple[str, bytes]:
    """Return the decoded path and the raw query. Raises UnreadableUplink."""
    path, _, query = url.partition(b"?")
    if not url.startswith(b"/") or b"#" in url:
        try:
            parsed = httptools.parse_url(url)
        except httptools.HttpParserInvalidURLError as error:
            raise UnreadableUplink("this is no address", code="bad-request") from error
        path, query = parsed.path or b"/", parsed.query or b""
    text = path.decode("latin-1")
    return (unquote(text) if "%" in text else text), query


def _closes(reply: Reply) -> bool:
    return (b"connection", b"close") in reply.headers
