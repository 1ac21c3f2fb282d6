"""The same handler behind several transports: the least there can be, and our door.

`python -m benchmarks.tools.transports HANDLER --host … --port …` serves it by the transport of the
product; granian takes the applications named after its two interfaces.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
os.environ.setdefault("INGEST_ONLY", "1")
django.setup()
# As the ingest process has it, for all alike.
sys.setswitchinterval(0.00005)

from tracker.ingest.application import IngestApplication  # noqa: E402
from tracker.ingest.asgi import answer_over_asgi  # noqa: E402
from tracker.ingest.door import AdmittedRequest  # noqa: E402
from tracker.ingest.replies import Reply  # noqa: E402
from tracker.ingest.request import RequestHead, head_of  # noqa: E402

DONE = Reply(200, [(b"content-type", b"application/json")], b'{"disposition":"stored"}')
NOBODY: Any = None
HANDLERS = ("nothing", "door")


class Nothing:
    """Takes everything and does nothing with it."""

    def admit(self, head: RequestHead) -> AdmittedRequest:
        return AdmittedRequest(head, NOBODY, None, None)

    def take(self, admitted: AdmittedRequest, body: bytes, answer: Callable[[Reply], None]) -> None:
        answer(DONE)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        await answer_over_asgi(self, scope, receive, send, 10.0)


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def rsgi(entrance: Any) -> Any:
    """Return `entrance` as an application of RSGI, granian's own interface."""

    async def application(scope: Any, protocol: Any) -> None:
        if isinstance(entrance, IngestApplication):
            await entrance._start_late()
        headers = [(name.encode(), value.encode()) for name, value in scope.headers.items()]
        query = scope.query_string.encode()
        peer = scope.client.rpartition(":")[0]
        reply = entrance.admit(head_of(scope.method, scope.path, query, headers, peer))
        if not isinstance(reply, Reply):
            body = await protocol()
            answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
            entrance.take(reply, body, answered.set_result)
            reply = await answered
        given = [(name.decode(), value.decode()) for name, value in reply.headers]
        protocol.response_bytes(reply.status, given, reply.body)

    return application


asgi_nothing: Any = Nothing()
rsgi_nothing = rsgi(asgi_nothing)


def __getattr__(name: str) -> Any:
    # A door only where one is asked for: it opens a spool and threads.
    if name == "asgi_door":
        return IngestApplication()
    if name == "rsgi_door":
        return rsgi(IngestApplication())
    raise AttributeError(name)


def main() -> None:
    import uvicorn

    from tracker.ingest.__main__ import config

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("handler", choices=HANDLERS)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    entrance = IngestApplication() if options.handler == "door" else Nothing()
    uvicorn.Server(config(options.host, options.port, app=entrance)).run()


if __name__ == "__main__":
    main()
