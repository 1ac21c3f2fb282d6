"""Nudges to open sockets through Channels' channel layer, for rare changes.

The layer silently drops messages that it cannot deliver. So a nudge holds no data: the socket
reads the database after a nudge, and every few seconds without a nudge.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import redis

from core.background import BackgroundQueue, OncePerProcess

# The sockets of people who see every organisation.
PROVIDER_GROUP: Final = "provider"
QUEUE_LIMIT: Final = 1_000
SEND_WITHIN_S: Final = 5.0

Nudge = tuple[str, dict[str, Any]]


def organisation_group(organisation_id: int) -> str:
    return f"organisation.{organisation_id}"


def user_group(user_id: int) -> str:
    return f"user.{user_id}"


def nudge_about_alert(organisation_id: int, number: int) -> None:
    """Make sockets that see this organisation look for alert changes up to `number`."""
    nudge = {"type": "alert.changed", "number": number}
    _sender.get().put((organisation_group(organisation_id), nudge))
    _sender.get().put((PROVIDER_GROUP, nudge))


def nudge_about_access(user_id: int) -> None:
    """Make the sockets of a user look up their rights again. Call it after the commit."""
    _sender.get().put((user_group(user_id), {"type": "access.changed"}))


class GroupSender(BackgroundQueue[Nudge]):
    """Sends each nudge to its group."""

    content, receiver = "nudges to sockets", "the channel layer"
    failures = (redis.RedisError, OSError, TimeoutError)
    at_once = 100

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None
        super().__init__(limit=QUEUE_LIMIT)

    def hand_out(self, items: Sequence[tuple[int, Nudge]]) -> None:
        if self._runner is None:
            self._runner = asyncio.Runner()
        nudges = [nudge for _, nudge in items]
        self._runner.run(asyncio.wait_for(_send(nudges), SEND_WITHIN_S))

    def finish(self) -> None:
        if self._runner is not None:
            self._runner.close()


async def _send(nudges: Sequence[Nudge]) -> None:
    # Imported here, since most processes never send a nudge.
    from channels.layers import get_channel_layer

    layer = get_channel_layer()
    assert layer is not None, "CHANNEL_LAYERS has a default"
    for group, nudge in nudges:
        await layer.group_send(group, nudge)


_sender = OncePerProcess(GroupSender)
