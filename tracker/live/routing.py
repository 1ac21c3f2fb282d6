"""The addresses of sockets."""

from __future__ import annotations

from channels.routing import URLRouter
from django.urls import path, re_path

from tracker.live.consumer import LiveConsumer
from tracker.live.handshake import guarded, refuse

application = URLRouter(
    [
        path("ws/live/", guarded(LiveConsumer.as_asgi())),  # type: ignore[arg-type]
        # Any other address is refused like a socket without access, not with a traceback.
        re_path(r"", refuse),  # type: ignore[arg-type]
    ]
)
