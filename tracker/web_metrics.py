"""Metrics of the web process: how long its pages and its API take to answer."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from prometheus_client import Histogram

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

ANSWERS: Final = Histogram(
    "tracker_web_answer_seconds",
    "From a request to the end of its answer, by HTTP status",
    ["status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)


def measured(application: Application) -> Application:
    """Return `application`, whose answers are measured."""

    async def measuring(scope: Scope, receive: Receive, send: Send) -> None:
        began_at = time.perf_counter()
        statuses: list[int] = []

        async def noting(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        await application(scope, receive, noting)
        for status in statuses:
            ANSWERS.labels(status).observe(time.perf_counter() - began_at)

    return measuring
