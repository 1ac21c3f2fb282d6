"""The ASGI application: the hot door before Django, the live socket, and Django for the rest.

`application` is the whole of it for one process (daphne). `ingest` is the hot door alone,
for processes of its own, so that viewers cannot slow devices.
"""

from __future__ import annotations

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
os.environ.setdefault("DATABASE_POOL_SIZE", "10")
django_application = get_asgi_application()

# Only now: these need Django's apps.
from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from core.rest.query_parameters import known_parameters  # noqa: E402
from positions.durability import refuse_to_start  # noqa: E402
from tracker.ingest.application import IngestApplication  # noqa: E402
from tracker.live.database_threads import CONNECTIONS_OF_LIVE_MAP  # noqa: E402
from tracker.live.routing import application as live  # noqa: E402
from tracker.web_guard import taking_turns, without_bodies_of_heads  # noqa: E402
from tracker.web_metrics import measured  # noqa: E402

# daphne knows no lifespan: what is to end it before it opens its port belongs here.
refuse_to_start(connection, waits=False)
# And what the first request would have to wait for.
known_parameters()

ingest = IngestApplication()
# Without a pool each thread has a connection of its own. Of a pool the live map needs some, too.
at_once = max((settings.DATABASE_POOL_SIZE or 32) - CONNECTIONS_OF_LIVE_MAP, 1)
pages = measured(without_bodies_of_heads(taking_turns(django_application, at_once)))


async def http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Uplinks never enter Django's request handling."""
    is_for_door = scope["path"].startswith("/ingest/") or scope["path"] == "/metrics"
    await (ingest if is_for_door else pages)(scope, receive, send)


application = ProtocolTypeRouter({"http": http, "websocket": live, "lifespan": ingest})
