"""Corrections of what the web process sends, below everything that answers in it."""

from __future__ import annotations

from typing import Any

from tracker.web_metrics import Application, Receive, Scope, Send


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
