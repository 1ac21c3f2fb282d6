"""One WebSocket: the handshake, what the client says, and what it is sent."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from django.db import Error

from alerts.stream import alerts_after
from tracker.live import access, frames
from tracker.live.database import asked
from tracker.live.hub import Hub, Viewer, ensure_started

logger = logging.getLogger(__name__)

SUB_PROTOCOL: Final = "live.v1.json"
# The client's own farewell needs no answer. 4008 and so on stand for 1008 and so on, which
# daphne lets no application send.
LEFT, POLICY, TOO_LARGE, FAILED, TRY_LATER, SIGNED_OUT = 1000, 4008, 4009, 4011, 4013, 4401
FRAMES_A_SECOND: Final = 20
ERRORS_ALLOWED: Final = 10
ALERTS_AT_ONCE: Final = 100

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def live(scope: Message, receive: Receive, send: Send) -> None:
    """The ASGI application of `/ws/live/`."""
    await receive()
    opened = await _opened(scope)
    if opened is None:
        await refuse(scope, receive, send)
        return
    protocol = SUB_PROTOCOL if scope.get("subprotocols") else None
    await send({"type": "websocket.accept", "subprotocol": protocol})
    if isinstance(opened, int):
        await send({"type": "websocket.close", "code": opened})
        return
    hub = ensure_started()
    viewer = hub.join(*opened)
    try:
        await Socket(hub, viewer, receive, send).serve()
    finally:
        hub.part(viewer)


async def refuse(scope: Message, receive: Receive, send: Send) -> None:
    """Answer the handshake with 403."""
    await send({"type": "websocket.close"})


async def _opened(scope: Message) -> tuple[access.Credential, access.Access] | int | None:
    """Return who comes in, or the code to close with, or None to refuse."""
    offered = scope.get("subprotocols")
    if offered and SUB_PROTOCOL not in offered:
        return None
    try:
        credential = access.credential_of(scope["headers"])
        if credential is None:
            return None
        opened = (await asked(partial(access.accesses, [credential]))).get(credential)
    except access.OriginRefused as error:
        logger.warning("live socket refused: origin %r is not ours", str(error)[:200])
        return None
    except Error:
        # Nothing has been checked, so nothing is said but "later".
        return TRY_LATER
    return None if opened is None else (credential, opened)


class Socket:
    """Reads and writes side by side until one of them ends, with a close code."""

    def __init__(self, hub: Hub, viewer: Viewer, receive: Receive, send: Send) -> None:
        self._hub, self._viewer = hub, viewer
        self._receive, self._send = receive, send
        self._connection = viewer.connection
        self._errors = 0
        self._came_at: deque[float] = deque(maxlen=FRAMES_A_SECOND)
        self._alerts_seen = -1

    async def serve(self) -> None:
        tasks = [asyncio.create_task(job()) for job in (self._read, self._write, self._end)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            code = _code_of(next(iter(done)))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if code != LEFT:
            await self._send({"type": "websocket.close", "code": code})

    async def _end(self) -> int:
        await self._viewer.ended.wait()
        return SIGNED_OUT

    # --- what the client says ----------------------------------------------

    async def _read(self) -> int:
        while self._errors < ERRORS_ALLOWED:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return LEFT
            text = message.get("text")
            if _is_too_large(text or message.get("bytes") or b""):
                return TOO_LARGE
            await self._said(text)
        return POLICY

    async def _said(self, text: str | None) -> None:
        now = time.monotonic()
        if len(self._came_at) == FRAMES_A_SECOND and now - self._came_at[0] < 1.0:
            await self._error("too-many-frames", f"more than {FRAMES_A_SECOND} frames a second")
            return
        self._came_at.append(now)
        try:
            # A binary frame is not one of ours either.
            self._take(frames.read(text or ""), now)
        except ValueError as error:
            await self._error("malformed-frame", str(error))

    def _take(self, frame: frames.ClientFrame, now: float) -> None:
        match frame:
            case frames.Subscribe():
                self._connection.subscribe(frame, now=now)
                self._viewer.alerts_after = frame.alerts_after
                self._alerts_seen = -1
                self._viewer.due.set()
            case frames.Ack():
                self._connection.ack(frame.seq, now=now)
            case frames.Pause():
                self._connection.is_paused = True
            case frames.Resume():
                self._connection.is_paused = False

    async def _error(self, code: str, detail: str) -> None:
        self._errors += 1
        await self._say(frames.text("error", code=code, detail=detail))

    # --- what it is sent ----------------------------------------------------

    async def _write(self) -> int:
        while True:
            await self._viewer.due.wait()
            self._viewer.due.clear()
            now, server_time = time.monotonic(), time.time_ns() // 1_000_000
            for text in self._connection.frames(now=now, server_time=server_time):
                await self._say(text)
            if self._connection.is_subscribed and self._connection.may_send(now):
                await self._tell_alerts()

    async def _tell_alerts(self) -> None:
        """Send what is new to this viewer, oldest first; a few now, and more at the next tick."""
        known = self._hub.alerts_known
        if known <= self._alerts_seen:
            return
        if self._viewer.alerts_after is None:
            self._viewer.alerts_after = known
        after, user = self._viewer.alerts_after, self._viewer.access.user
        try:
            rows = await asked(partial(alerts_after, user, after, ALERTS_AT_ONCE))
        except Error:
            return  # The next tick asks again.
        for row in rows:
            self._viewer.alerts_after = row["number"]
            await self._say(frames.text("alert", number=row["number"], alert=row))
        if len(rows) < ALERTS_AT_ONCE:
            self._alerts_seen = known

    async def _say(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})


def _is_too_large(content: str | bytes) -> bool:
    size = len(content.encode()) if isinstance(content, str) else len(content)
    return size > frames.FRAME_LIMIT_BYTES


def _code_of(task: asyncio.Task[int]) -> int:
    error = task.exception()
    if error is None:
        return task.result()
    logger.error("a live socket failed", exc_info=error)
    return FAILED
