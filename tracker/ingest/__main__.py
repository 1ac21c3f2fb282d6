"""`python -m tracker.ingest`: the ingest process, uvicorn with what this door needs."""

from __future__ import annotations

import argparse
import asyncio
import os
from typing import Any

import django
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PatientHttp(HttpToolsProtocol):
    """Closes connections that do not finish a request line and headers in time (fault F-039)."""

    timeout_s = 10.0
    _impatience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._impatience = self.loop.call_later(self.timeout_s, self._lose_patience)

    def on_headers_complete(self) -> None:
        self._calm()
        super().on_headers_complete()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._calm()
        self._impatience = self.loop.call_later(self.timeout_s, self._lose_patience)

    def connection_lost(self, exc: Exception | None) -> None:
        self._calm()
        super().connection_lost(exc)

    def _calm(self) -> None:
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None

    def _lose_patience(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tracker.ingest", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
    os.environ.setdefault("PROCESS_NAME", "tracker-ingest")
    django.setup()

    from tracker.ingest.application import Ingest

    uvicorn.run(
        Ingest(),
        host=options.host,
        port=options.port,
        loop="uvloop",
        http=PatientHttp,
        lifespan="on",
        log_config=None,
        access_log=False,
        # The real peer counts for quotas; a header of the client's does not (fault F-036).
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=25,
        timeout_keep_alive=75,
        backlog=2048,
    )


if __name__ == "__main__":
    main()
