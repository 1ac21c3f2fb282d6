"""The door over ASGI, for servers of that protocol; `transport` is faster."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from django.conf import settings

from core.errors import RequestTimeout, TrackerError
from tracker.ingest.door import AdmittedRequest, SendReply
from tracker.ingest.replies import Reply, problem_reply
from tracker.ingest.request import RequestHead, head_of, too_large

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class RequestHandler(Protocol):
    """The ingest application, as both transports call it."""

    def admit(self, head: RequestHead) -> AdmittedRequest | Reply: ...
    def take(self, admitted: AdmittedRequest, body: bytes, send_reply: SendReply) -> None: ...


class SenderDisconnected(Exception):
    """The sender disconnected before its body was complete, so it cannot be answered."""


async def answer_over_asgi(
    handler: RequestHandler, scope: Scope, receive: Receive, send: Send, read_timeout_s: float
) -> None:
    """Answer one request."""
    try:
        reply = await _reply(handler, scope, receive, read_timeout_s)
    except SenderDisconnected:
        return
    except TrackerError as error:
        reply = problem_reply(error)
    headers = [*reply.headers, (b"content-length", str(len(reply.body)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _reply(
    handler: RequestHandler, scope: Scope, receive: Receive, read_timeout_s: float
) -> Reply:
    peer = (scope.get("client") or ("",))[0]
    raw_headers = [(name.lower(), value) for name, value in scope["headers"]]
    head = head_of(scope["method"], scope["path"], scope["query_string"], raw_headers, peer)
    admitted = handler.admit(head)
    if isinstance(admitted, Reply):
        return admitted
    try:
        async with asyncio.timeout(read_timeout_s):
            body = await _body(receive)
    except TimeoutError as error:
        raise RequestTimeout(f"the body did not come within {read_timeout_s:g} s") from error
    answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
    handler.take(admitted, body, lambda reply: _set_reply(answered, reply))
    return await answered


def _set_reply(future: asyncio.Future[Reply], reply: Reply) -> None:
    if not future.cancelled():  # The sender may have disconnected; its uplink is stored anyway.
        future.set_result(reply)


async def _body(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise SenderDisconnected
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > settings.BODY_LIMIT_BYTES:
            raise too_large(settings.BODY_LIMIT_BYTES)
        if not message.get("more_body"):
            return b"".join(parts)
