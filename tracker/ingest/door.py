"""The door: `/ingest/{format}/{token}`, or `/ingest/{format}` with Bearer or Basic.

An ASGI callable without Django's request handling, which alone would cost ten times what
an uplink costs here.
"""

from __future__ import annotations

import time
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from assets.registry import Registry, SourceEntry
from tracker.errors import (
    CredentialsInvalid,
    MethodNotAllowed,
    NotFound,
    Refused,
    UnreadableUplink,
    UnsupportedMediaType,
)
from tracker.ingest.batcher import Batcher
from tracker.ingest.metrics import Metrics
from tracker.ingest.quotas import Quota
from tracker.ingest.replies import Reply, problem_reply, reply_of, respond
from tracker.ingest.request import (
    Credential,
    HungUp,
    Receive,
    Scope,
    Send,
    body_of,
    credential_of,
    headers_of,
)
from tracker.road.delivery import Delivery
from tracker.wire.registry import FORMATS, detect
from tracker.wire.uplink import Decoded, Uplink, WireFormat

# Headers that a wire format may read, and that are kept with what is set aside.
KEPT_HEADERS = ("x-limit-u", "x-limit-d", "x-tts-domain", "user-agent")


class Door:
    """Answers one request; the batcher makes what it brings durable first."""

    def __init__(self, registry: Registry, batcher: Batcher, metrics: Metrics) -> None:
        self._registry = registry
        self._batcher = batcher
        self._metrics = metrics
        self._wrong_tokens = Quota(settings.WRONG_TOKENS_PER_MINUTE)
        self._devices = Quota(settings.OBSERVATIONS_PER_DEVICE_AND_MINUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._metrics.requests += 1
        try:
            reply = await self._answer(scope, receive)
        except HungUp:
            return
        except Exception as error:  # the last resort: a bug of ours is a 500, never a hang
            reply = problem_reply(error)
        answers = self._metrics.answers
        answers[reply.status] = answers.get(reply.status, 0) + 1
        await respond(send, reply)

    async def _answer(self, scope: Scope, receive: Receive) -> Reply:
        headers = headers_of(scope)
        name, token = _path(scope["path"])
        credential = credential_of(headers, token)
        source = self._source(credential, scope)
        wire_format = _format(name, scope["method"], source)
        body = await body_of(
            headers,
            receive,
            limit_bytes=settings.BODY_LIMIT_BYTES,
            timeout_s=settings.READ_TIMEOUT_S,
        )
        uplink = _uplink(scope, headers, body, credential.user)
        wire_format = wire_format or _detected(uplink, source)
        delivery = self._delivery(uplink, wire_format, source)
        receipt = await self._batcher.submit(delivery, len(body))
        return reply_of(receipt, wire_format)

    def _source(self, credential: Credential, scope: Scope) -> SourceEntry:
        source = self._registry.source_of_token(credential.token)
        if source is None:
            peer = (scope.get("client") or ("",))[0]
            self._wrong_tokens.take(peer, 1, time.monotonic())
            raise CredentialsInvalid("this token opens nothing")
        return source

    def _delivery(self, uplink: Uplink, wire_format: WireFormat, source: SourceEntry) -> Delivery:
        decoded = _decoded(uplink, wire_format)
        if not wire_format.is_lenient:
            self._charge(decoded, source)
        is_plain = not (decoded.refusals or decoded.set_aside)
        is_all_known = is_plain and all(
            self._registry.device(source.organisation_id, observation.device)
            for observation in decoded.observations
        )
        return Delivery(
            organisation_id=source.organisation_id,
            source_id=source.id,
            device_id=source.device_id,
            registers_devices=source.registers_devices,
            is_lenient=wire_format.is_lenient,
            received_at=uplink.received_at,
            observations=decoded.observations,
            indexes=decoded.indexes,
            refusals=decoded.refusals,
            set_aside=decoded.set_aside,
            # Only what may have to be set aside needs its bytes any longer.
            uplink=None if is_all_known and not wire_format.is_lenient else uplink,
        )

    def _charge(self, decoded: Decoded, source: SourceEntry) -> None:
        now_s = time.monotonic()
        if len(decoded.observations) == 1:
            self._devices.take((source.id, decoded.observations[0].device), 1, now_s)
            return
        amounts: dict[str, int] = {}
        for observation in decoded.observations:
            amounts[observation.device] = amounts.get(observation.device, 0) + 1
        for device, amount in amounts.items():
            self._devices.take((source.id, device), amount, now_s)


def _path(path: str) -> tuple[str, str]:
    """Return format and token, of which the latter may be empty."""
    _, _, rest = path.partition("/ingest/")
    name, _, token = rest.partition("/")
    return name, token.rstrip("/")


def _format(name: str, method: str, source: SourceEntry) -> WireFormat | None:
    """Return the format to read by; None where it is to be detected."""
    if name == "auto":
        return None
    wire_format = FORMATS.get(name)
    if wire_format is None:
        raise NotFound("there is no such wire format")
    if source.wire_format not in (name, "auto"):
        raise NotFound("the token belongs to a source of another wire format")
    if method not in wire_format.methods:
        raise MethodNotAllowed(wire_format.methods)
    return wire_format


def _detected(uplink: Uplink, source: SourceEntry) -> WireFormat:
    name = detect(uplink) or source.wire_format
    wire_format = FORMATS.get(name)
    if wire_format is None:
        raise UnsupportedMediaType("no known wire format looks like this")
    return wire_format


def _uplink(scope: Scope, headers: dict[str, str], body: bytes, user: str | None) -> Uplink:
    received_at: datetime = timezone.now()
    return Uplink(
        received_at=received_at,
        body=body,
        content_type=headers.get("content-type"),
        query=scope["query_string"].decode("latin-1"),
        headers={name: headers[name] for name in KEPT_HEADERS if name in headers},
        user=user,
    )


def _decoded(uplink: Uplink, wire_format: WireFormat) -> Decoded:
    """Decode; of a lenient sender's unreadable uplink make one that is to be set aside."""
    try:
        _require_media_type(uplink, wire_format)
        if "%00" in uplink.query:
            raise UnreadableUplink("U+0000 cannot be stored.", code="forbidden-character")
        return wire_format.decode(uplink)
    except Refused as error:
        if not wire_format.is_lenient:
            raise
        return Decoded(message="unreadable", set_aside=f"{error.code}: {error.detail}")


def _require_media_type(uplink: Uplink, wire_format: WireFormat) -> None:
    if not wire_format.media_types or not uplink.body:
        return
    media_type = (uplink.content_type or "").partition(";")[0].strip().lower()
    if media_type not in wire_format.media_types:
        raise UnsupportedMediaType(f"send {' or '.join(wire_format.media_types)}")
