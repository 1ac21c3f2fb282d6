"""`python -m tracker.ingest`: the ingest process, which is uvicorn with our transport.

With `--workers N` there are N processes behind one port, so that as many cores decode and judge.
They share no state but the database.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

import django
import uvicorn

from tracker.ingest.shared_metrics import shared_metrics
from tracker.ingest.workers import supervise

# More processes would only wait for each other.
MAX_WORKERS = 256


def main() -> None:
    options = parse()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
    os.environ.setdefault("PROCESS_NAME", "tracker-ingest")
    os.environ.setdefault("INGEST_ONLY", "1")
    with shared_metrics():
        django.setup()
        if options.workers == 1:
            serve(options.host, options.port)
        else:
            serve_together(options)


def serve_together(options: argparse.Namespace) -> None:
    """Serve with several processes until a signal ends them."""
    from django.db import connection
    from prometheus_client.multiprocess import mark_process_dead

    from positions.durability import refuse_to_start

    # Otherwise workers would be restarted for ever over a database that is not durable.
    refuse_to_start(connection, waits=False)
    listener = config(options.host, options.port, app=None).bind_socket()
    supervise(
        options.workers,
        lambda: serve(options.host, options.port, sockets=[listener]),
        on_death=mark_process_dead,
    )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tracker.ingest", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--workers", type=int, default=1, help="processes behind the port")
    options = parser.parse_args()
    if not 1 <= options.workers <= MAX_WORKERS:
        parser.error(f"--workers: from 1 to {MAX_WORKERS}")
    return options


def serve(host: str, port: int, sockets: list[Any] | None = None) -> None:
    """Serve until a signal ends the process."""
    # The committing thread waits for the database many times a batch. With the default of 5 ms
    # it would then wait as long for the interpreter each time that the door is busy.
    sys.setswitchinterval(0.00005)

    from tracker.ingest.application import IngestApplication

    server = uvicorn.Server(config(host, port, app=IngestApplication()))
    server.run(sockets=sockets)
    if not server.started:
        sys.exit(3)


def config(host: str, port: int, app: Any) -> uvicorn.Config:
    from tracker.ingest.transport import SenderConnection

    return uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=SenderConnection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        # Quotas count by the address of the peer, not by a header of the client (fault F-036).
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=25,
        backlog=2048,
    )


if __name__ == "__main__":
    main()
