"""The socket of a console: frames from the client, frames to the client, and nudges."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import redis
from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error

from accounts.models import User
from alerts.stream import alerts_after, newest_number
from core.socket_groups import PROVIDER_GROUP, organisation_group, user_group
from tracker.live import access, frames
from tracker.live.database_threads import query_in_thread
from tracker.live.hub import Hub, Viewer, ensure_started

logger = logging.getLogger(__name__)

SUB_PROTOCOL: Final = "live.v1.json"
# 4008 and so on stand for 1008 and so on, which daphne lets no application send.
POLICY, TOO_LARGE, FAILED, TRY_LATER, SIGNED_OUT = 4008, 4009, 4011, 4013, 4401
FRAMES_A_SECOND: Final = 20
ERRORS_ALLOWED: Final = 10
ALERTS_AT_ONCE: Final = 100
# An alias that no channel layer has.
WITHOUT_LAYER: Final = "none"
_REDIS_ERRORS = (redis.RedisError, OSError)


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """A live socket. It joins the groups of its user; frames of assets come from the hub.

    Behind `handshake.guarded`. A nudge only shortens the wait: the hub checks access and looks
    for alerts every few seconds, so a socket needs no channel layer while Redis is away.
    """

    def __init__(self) -> None:
        super().__init__()
        self._hub: Hub = ensure_started()
        self._viewer: Viewer | None = None
        self._writing: asyncio.Task[None] | None = None
        self._joined: set[str] = set()
        self._has_begun = self._is_closed = False
        self._errors = 0
        self._received_at: deque[float] = deque(maxlen=FRAMES_A_SECOND)
        self._alerts_nudged = self._alerts_checked = -1
        self._alerts_after: int | None = None
        # Whether the database is known to have reached the number that the client named.
        self._is_place_checked = False
        self._restores = self._hub.restores

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        if not self._hub.is_connected_to_redis:
            self.channel_layer_alias = WITHOUT_LAYER
        try:
            try:
                await super().__call__(scope, receive, send)
            except _REDIS_ERRORS:
                if self._has_begun:
                    raise
                # Redis has just gone: no channel could be opened, and no message was received.
                self.channel_layer_alias = WITHOUT_LAYER
                await super().__call__(scope, receive, send)
        finally:
            await self._clean_up()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Call the handler of `message` as Channels does, but in this thread.

        Channels also closes old database connections, in another thread for each message; ours
        are in threads of our own. With 200 viewers who acknowledge each tick, the change of
        threads cost the process a third of its time.
        """
        try:
            await getattr(self, get_handler_name(message))(message)
        except StopConsumer:
            raise
        except Exception:
            logger.exception("a live socket failed")
            await self._end(FAILED)

    # --- life ---------------------------------------------------------------

    async def connect(self) -> None:
        self._has_begun = True
        offered = self.scope.get("subprotocols")
        if offered and SUB_PROTOCOL not in offered:
            await self.close()
            return
        protocol = SUB_PROTOCOL if offered else None
        credential: access.SocketCredential = self.scope["credential"]
        try:
            found = await query_in_thread(partial(access.accesses_of, [credential]))
        except Error:
            # The credential could not be checked, so the only answer is "later".
            await self.accept(protocol)
            await self._end(TRY_LATER)
            return
        opened = found.get(credential)
        if opened is None:
            await self.close()
            return
        await self.accept(protocol)
        self._viewer = self._hub.join(credential, opened)
        await self._join_groups(opened)
        self._writing = asyncio.create_task(self._send_frames(self._viewer))

    async def _end(self, code: int) -> None:
        if not self._is_closed:
            self._is_closed = True
            await self.close(code)

    async def _clean_up(self) -> None:
        """Free the viewer, its task and its groups, however the socket ended."""
        if self._writing is not None:
            self._writing.cancel()
        if self._viewer is not None:
            self._hub.leave(self._viewer)
        await self._leave_groups(self._joined.copy())

    # --- nudges ---------------------------------------------------------------

    async def alert_changed(self, event: dict[str, Any]) -> None:
        self._alerts_nudged = max(self._alerts_nudged, event["number"])
        if self._viewer is not None:
            self._viewer.due.set()

    async def access_changed(self, event: dict[str, Any]) -> None:
        try:
            await self._hub.recheck_access([self._viewer] if self._viewer else [])
        except Error:
            logger.info("a change of access waits for the next check: no database")

    async def _join_groups(self, opened: access.Access) -> None:
        if self.channel_layer is None:
            return
        wanted = _groups_of(opened)
        try:
            for group in wanted - self._joined:
                await self.channel_layer.group_add(group, self.channel_name)
                self._joined.add(group)
        except _REDIS_ERRORS:
            logger.debug("a live socket goes without nudges: no Redis")
        await self._leave_groups(self._joined - wanted)

    async def _leave_groups(self, groups: set[str]) -> None:
        for group in groups:
            self._joined.discard(group)
            try:
                await self.channel_layer.group_discard(group, self.channel_name)
            except _REDIS_ERRORS:
                logger.debug("a live socket cannot leave a group: no Redis")

    # --- frames from the client --------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._is_closed or self._viewer is None:
            return
        if _is_too_large(text_data or bytes_data or b""):
            await self._end(TOO_LARGE)
            return
        now = time.monotonic()
        if len(self._received_at) == FRAMES_A_SECOND and now - self._received_at[0] < 1.0:
            await self._send_error(
                "too-many-frames", f"more than {FRAMES_A_SECOND} frames a second"
            )
            return
        self._received_at.append(now)
        try:
            # A binary frame is read as an empty text: no frame either.
            self._handle(self._viewer, frames.read(text_data or ""), now)
        except ValueError as error:
            await self._send_error("malformed-frame", str(error))

    def _handle(self, viewer: Viewer, frame: frames.ClientFrame, now: float) -> None:
        match frame:
            case frames.Subscribe():
                viewer.connection.subscribe(frame, now=now)
                if frame.epoch and not viewer.connection.epoch:
                    # It followed another process, or another state of the database.
                    viewer.connection.add_changed_lists("alerts")
                self._alerts_after = frame.alerts_after
                self._alerts_checked = -1
                self._is_place_checked = False
                viewer.due.set()
            case frames.Ack():
                viewer.connection.ack(frame.seq, now=now)
            case frames.Pause():
                viewer.connection.is_paused = True
            case frames.Resume():
                viewer.connection.is_paused = False

    async def _send_error(self, code: str, detail: str) -> None:
        self._errors += 1
        await self.send(frames.text("error", code=code, detail=detail))
        if self._errors >= ERRORS_ALLOWED:
            await self._end(POLICY)

    # --- frames to the client -----------------------------------------------

    async def _send_frames(self, viewer: Viewer) -> None:
        seen = viewer.access
        try:
            while True:
                await viewer.due.wait()
                viewer.due.clear()
                if viewer.is_ended:
                    await self._end(SIGNED_OUT)
                    return
                if viewer.access.permitted != seen.permitted:
                    seen = viewer.access
                    await self._join_groups(seen)
                await self._send_due(viewer)
        except Exception:
            logger.exception("a live socket failed")
            await self._end(FAILED)

    async def _send_due(self, viewer: Viewer) -> None:
        is_subscribed = viewer.connection.is_subscribed
        if self._restores != self._hub.restores:
            self._restores = self._hub.restores
            self._alerts_nudged = self._alerts_checked = -1
            self._is_place_checked = False
        if is_subscribed and not self._is_place_checked:
            # Before the snapshot: what is raised once the client has it is new to the client.
            await self._find_place(viewer)
        now, server_time = time.monotonic(), time.time_ns() // 1_000_000
        for text in viewer.connection.frames(now=now, server_time=server_time):
            await self.send(text)
        after = self._alerts_after if self._is_place_checked else None
        if after is not None and viewer.connection.check_pace(now):
            await self._send_alerts(viewer.access.user, after)

    async def _find_place(self, viewer: Viewer) -> None:
        """Go on after the number that the client named, unless the database does not reach it.

        Then the database was restored to an older state: its numbers come again, for other alerts.
        """
        try:
            newest = await query_in_thread(newest_number)
        except Error:
            return  # The next tick asks again.
        if self._alerts_after is not None and self._alerts_after > newest:
            viewer.connection.add_changed_lists("alerts")
        if self._alerts_after is None or self._alerts_after > newest:
            self._alerts_after = newest
        self._is_place_checked = True

    async def _send_alerts(self, user: User, after: int) -> None:
        """Send alerts that are new to this viewer, lowest number first; at most a few in a tick."""
        newest = max(self._hub.newest_alert, self._alerts_nudged)
        if newest <= self._alerts_checked:
            return
        try:
            rows = await query_in_thread(partial(alerts_after, user, after, ALERTS_AT_ONCE))
        except Error:
            return  # The next tick asks again.
        for row in rows:
            self._alerts_after = row["number"]
            await self.send(frames.text("alert", number=row["number"], alert=row))
        if len(rows) < ALERTS_AT_ONCE:
            self._alerts_checked = newest


def _groups_of(opened: access.Access) -> set[str]:
    if opened.permitted is None:
        return {PROVIDER_GROUP, user_group(opened.user.pk)}
    return {user_group(opened.user.pk), *map(organisation_group, opened.permitted)}


def _is_too_large(content: str | bytes) -> bool:
    size = len(content.encode()) if isinstance(content, str) else len(content)
    return size > frames.FRAME_LIMIT_BYTES
