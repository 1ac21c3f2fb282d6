"""HTTP as this door speaks it: patient for so long and no longer, and never in plain text."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tracker.errors import HeadersTooLarge, TrackerError, UnreadableUplink
from tracker.ingest.replies import problem_reply

HEAD_TIMEOUT_S = 10.0
# What the door answers itself about a slow body comes first.
BODY_GRACE_S = 2.0
# The door refuses far less; beyond this not even the end of the head is waited for.
MAX_HEAD_BYTES = 64 * 1024


class PatientHttp(HttpToolsProtocol):
    """Closes connections whose request does not arrive in time (fault F-039)."""

    _impatience: asyncio.TimerHandle | None = None
    _is_in_head = True
    _head_bytes = 0
    _is_last_chance = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait(HEAD_TIMEOUT_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._calm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_in_head:
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(HeadersTooLarge(f"at most {MAX_HEAD_BYTES} bytes"))
                return
            self._head_bytes += len(data)
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._calm()
        self._is_in_head, self._is_last_chance = True, False
        self._wait(HEAD_TIMEOUT_S)

    def on_headers_complete(self) -> None:
        self._is_in_head, self._head_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._calm()
        self._is_in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(UnreadableUplink(msg, code="bad-request"))

    def _wait(self, seconds: float) -> None:
        self._impatience = self.loop.call_later(seconds, self._lose_patience)

    def _calm(self) -> None:
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None

    def _lose_patience(self) -> None:
        if self.transport.is_closing():
            return
        if self._is_in_head or self._is_last_chance:
            self.transport.close()
        else:
            self._is_last_chance = True
            self._wait(settings.READ_TIMEOUT_S + BODY_GRACE_S)

    def _refuse(self, error: TrackerError) -> None:
        """Answer what is no request that the door could be asked about."""
        if self.transport.is_closing():
            return
        reply = problem_reply(error)
        head = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}".encode()]
        head += [name + b": " + value for name, value in reply.headers if name != b"connection"]
        head += [b"content-length: %d" % len(reply.body), b"connection: close"]
        self.transport.write(b"\r\n".join(head) + b"\r\n\r\n" + reply.body)
        self.transport.close()
