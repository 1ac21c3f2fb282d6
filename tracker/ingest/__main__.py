"""`python -m tracker.ingest`: the ingest process, uvicorn with what this door needs."""

from __future__ import annotations

import argparse
import os
import sys

import django
import uvicorn


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tracker.ingest", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
    os.environ.setdefault("PROCESS_NAME", "tracker-ingest")
    os.environ.setdefault("INGEST_ONLY", "1")
    django.setup()
    # The committing thread comes back from the database many times a batch. At the usual
    # 5 ms it would wait as long for its turn each time that the door is busy.
    sys.setswitchinterval(0.00005)

    from tracker.ingest.application import Ingest
    from tracker.ingest.transport import Connection

    uvicorn.run(
        Ingest(),
        host=options.host,
        port=options.port,
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        # The real peer counts for quotas; a header of the client's does not (fault F-036).
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=25,
        backlog=2048,
    )


if __name__ == "__main__":
    main()
