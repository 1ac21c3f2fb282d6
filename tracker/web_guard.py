"""The web process between its server and Django: answers to HEAD, and turns of requests."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from core.errors import Unavailable
from core.rest.problem import new_request_id, problem_of
from tracker.web_metrics import Application, Receive, Scope, Send

# Somebody who waited so long has left, or tries again.
TURN_WITHIN_S: Final = 30.0
# Probes ask whether the process is overloaded: they do not wait behind the load.
WITHOUT_TURN: Final = ("/healthz", "/readyz")


def without_bodies_of_heads(application: Application) -> Application:
    """Return `application`, whose answers to HEAD have no body.

    Django sends the body of a GET to whoever asks by HEAD, and daphne leaves out its first 64 KiB
    only: the rest would be read as the next answer on the connection.
    """

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "HEAD":
            await application(scope, receive, send)
            return

        async def without_body(message: Any) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await application(scope, receive, without_body)

    return answering


def taking_turns(application: Application, at_once: int) -> Application:
    """Return `application`, of which `at_once` requests are answered at a time; others wait.

    Each request in Django has a thread, and soon a connection of the pool. Where more came at once
    than the pool has, those that got none in time were answered 503, good ones as well as bad.
    """
    turns = asyncio.Semaphore(at_once)

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in WITHOUT_TURN:
            await application(scope, receive, send)
            return
        try:
            await asyncio.wait_for(turns.acquire(), TURN_WITHIN_S)
        except TimeoutError:
            await _answer(send, Unavailable("The server is overloaded."))
            return
        try:
            await application(scope, receive, send)
        finally:
            turns.release()

    return answering


async def _answer(send: Send, error: Exception) -> None:
    status, headers, body = problem_of(error, new_request_id())
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
