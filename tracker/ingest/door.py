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

from assets.device_registry import SourceEntry
from core.errors import CredentialsInvalid, MethodNotAllowed, NotFound, TrackerError
from tracker.ingest.metrics import DoorMetrics
from tracker.ingest.replies import Reply, problem_reply, reply_of
from tracker.ingest.request import (
    Credential,
    Head,
    credential_of,
    require_length,
    require_tls,
    unpacked,
)
from tracker.intake.deliveries import recognised_format
from tracker.intake.intake import Intake
from tracker.intake.quotas import Quota
from tracker.road.delivery import Receipt
from wire.registry import FORMATS
from wire.uplink import Uplink
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
    """Decides on a request; the intake makes what it brings durable before it is answered."""

    def __init__(self, intake: Intake, metrics: DoorMetrics) -> None:
        self._intake = intake
        self._metrics = metrics
        self._wrong_tokens = Quota(settings.WRONG_TOKENS_PER_MINUTE)
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
            source = admitted.source
            wire_format = admitted.wire_format or recognised_format(uplink, source.wire_format)
            done = partial(self._answer, wire_format, answer, began_at)
            self._intake.submit(uplink, source.origin, wire_format, done)
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
        source = self._intake.registry.source_of_token(credential.token)
        if source is None:
            self._wrong_tokens.take(peer, 1, time.monotonic())
            raise CredentialsInvalid("this token opens nothing")
        return source


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
