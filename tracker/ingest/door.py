"""The door: `/ingest/{format}/{token}`, or `/ingest/{format}` with Bearer or Basic.

Plain calls without Django's request handling, which alone would cost ten times what an
uplink costs here. Who brings a request, over ASGI or straight from the socket, first lets
`admit` see its head and then hands its body to `take`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from django.conf import settings
from msgspec import Struct

from assets.registry import Registry, SourceEntry
from core.errors import (
    CredentialsInvalid,
    MethodNotAllowed,
    NotFound,
    Refused,
    TrackerError,
    UnreadableUplink,
    UnsupportedMediaType,
)
from tracker.ingest.batcher import Batcher
from tracker.ingest.metrics import Metrics
from tracker.ingest.quotas import Quota
from tracker.ingest.replies import Reply, problem_reply, reply_of
from tracker.ingest.request import (
    Credential,
    Head,
    credential_of,
    require_length,
    require_tls,
    unpacked,
)
from tracker.road.delivery import Delivery, Receipt
from wire.registry import FORMATS, detect
from wire.uplink import Decoded, Uplink
from wire.wire_format import WireFormat

# Headers that a wire format may read, and that are kept with what is set aside.
KEPT_HEADERS = ("x-limit-u", "x-limit-d", "x-tts-domain", "user-agent")

Answer = Callable[[Reply], None]


class Admitted(Struct, frozen=True):
    """A request whose token is good. `wire_format` is None where it is to be detected."""

    head: Head
    source: SourceEntry
    wire_format: WireFormat | None
    user: str | None


class Door:
    """Decides on a request; the batcher makes what it brings durable before it is answered."""

    def __init__(self, registry: Registry, batcher: Batcher, metrics: Metrics) -> None:
        self._registry = registry
        self._batcher = batcher
        self._metrics = metrics
        self._wrong_tokens = Quota(settings.WRONG_TOKENS_PER_MINUTE)
        self._devices = Quota(settings.OBSERVATIONS_PER_DEVICE_AND_MINUTE)
        # Read once: settings are looked up by way of two proxies.
        self._limit_bytes: int = settings.BODY_LIMIT_BYTES
        self._is_tls_only: bool = settings.INGEST_URL.startswith("https://")

    def admit(self, head: Head) -> Admitted:
        """Return who may come in. Raises, before a body is read, for whom it is not worth it."""
        if self._is_tls_only:
            require_tls(head.headers)
        name, token = _path(head.path)
        credential = credential_of(head.headers, token)
        source = self._source(credential, head.peer)
        wire_format = _format(name, head.method, source)
        require_length(head.headers, self._limit_bytes)
        return Admitted(head, source, wire_format, credential.user)

    def take(self, admitted: Admitted, body: bytes, answer: Answer) -> None:
        """Read what was brought; `answer` is called once it is durable or refused."""
        self._metrics.requests += 1
        began_at = time.perf_counter()
        try:
            body = unpacked(body, admitted.head.headers, self._limit_bytes)
            uplink = _uplink(admitted, body)
            wire_format = admitted.wire_format or _detected(uplink, admitted.source)
            delivery = self._delivery(uplink, wire_format, admitted.source)
            done = partial(self._answer, wire_format, answer, began_at)
            self._batcher.submit(delivery, len(body), done)
        except Exception as error:  # the last resort: a bug of ours is a 500, never a hang
            answer(self.count(problem_reply(error)))

    def refuse(self, error: Exception) -> Reply:
        """Return the answer to a request that was not admitted, or never became whole."""
        self._metrics.requests += 1
        return self.count(problem_reply(error))

    def count(self, reply: Reply) -> Reply:
        answers = self._metrics.answers
        answers[reply.status] = answers.get(reply.status, 0) + 1
        return reply

    def _answer(
        self,
        wire_format: WireFormat,
        answer: Answer,
        began_at: float,
        receipt: Receipt | TrackerError,
    ) -> None:
        try:
            if isinstance(receipt, Receipt):
                reply = reply_of(receipt, wire_format)
            else:
                reply = problem_reply(receipt)
        except Exception as error:  # as above
            reply = problem_reply(error)
        self._metrics.answer_s.note(time.perf_counter() - began_at)
        answer(self.count(reply))

    def _source(self, credential: Credential, peer: str) -> SourceEntry:
        source = self._registry.source_of_token(credential.token)
        if source is None:
            self._wrong_tokens.take(peer, 1, time.monotonic())
            raise CredentialsInvalid("this token opens nothing")
        return source

    def _delivery(self, uplink: Uplink, wire_format: WireFormat, source: SourceEntry) -> Delivery:
        decoded = _decoded(uplink, wire_format)
        if not wire_format.is_lenient:
            self._charge(decoded, source)
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
            uplink=None if self._is_plain(decoded, wire_format, source) else uplink,
        )

    def _is_plain(self, decoded: Decoded, wire_format: WireFormat, source: SourceEntry) -> bool:
        if wire_format.is_lenient or decoded.refusals or decoded.set_aside:
            return False
        device, organisation_id = self._registry.device, source.organisation_id
        for observation in decoded.observations:
            if device(organisation_id, observation.device) is None:
                return False
        return True

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


def _uplink(admitted: Admitted, body: bytes) -> Uplink:
    headers = admitted.head.headers
    return Uplink(
        received_at=datetime.now(UTC),
        body=body,
        content_type=headers.get("content-type"),
        query=admitted.head.query,
        headers={name: headers[name] for name in KEPT_HEADERS if name in headers},
        user=admitted.user,
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
