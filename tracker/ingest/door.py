"""The door: `/ingest/{format}/{token}`, or `/ingest/{format}` with Bearer or Basic.

Plain calls without Django's request handling, which alone would cost ten times as much as an uplink
costs here. A transport calls `admit` with the head of a request, and then `take` with its body.
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
from tracker.ingest.door_metrics import DoorMetrics
from tracker.ingest.replies import Reply, problem_reply, reply_of
from tracker.ingest.request import (
    RequestHead,
    SourceCredential,
    decompressed,
    require_length,
    require_tls,
    source_credential,
)
from tracker.intake.delivery_factory import recognised_format
from tracker.intake.intake import Intake
from tracker.intake.quotas import Quota
from tracker.road.delivery import Receipt
from wire.registry import FORMATS
from wire.uplink import Uplink
from wire.wire_format import WireFormat

# Headers that a wire format may read, and that are kept with an uplink that is set aside.
KEPT_HEADERS = ("x-limit-u", "x-limit-d", "x-tts-domain", "user-agent")

# The methods of all formats together.
METHODS = tuple(sorted({method for one in FORMATS.values() for method in one.methods}))

SendReply = Callable[[Reply], None]


class AdmittedRequest(Struct, frozen=True):
    """A request with a valid token. `wire_format` is None if it must be detected."""

    head: RequestHead
    source: SourceEntry
    wire_format: WireFormat | None
    user: str | None


class Door:
    """Admits requests, submits their uplinks to the intake, and answers once they are durable."""

    def __init__(self, intake: Intake, metrics: DoorMetrics) -> None:
        self._intake = intake
        self._metrics = metrics
        self._wrong_tokens = Quota(settings.WRONG_TOKENS_PER_MINUTE)
        # Read once: each look-up of a setting goes through two proxies.
        self._limit_bytes: int = settings.BODY_LIMIT_BYTES
        self._is_tls_only: bool = settings.INGEST_URL.startswith("https://")

    def admit(self, head: RequestHead) -> AdmittedRequest:
        """Return the admitted request. Raises Refused, before its body is read, if it is not."""
        if self._is_tls_only:
            require_tls(head.headers)
        name, token, event = _path(head.path)
        credential = source_credential(head.headers, token)
        source = self._source(credential, head.peer)
        wire_format = _format(name, head.method, source)
        if event and wire_format is not None and not wire_format.has_event_paths:
            raise NotFound(f"there is no /{event[:64]} behind the token")
        require_length(head.headers, self._limit_bytes)
        return AdmittedRequest(head, source, wire_format, credential.user)

    def take(self, admitted: AdmittedRequest, body: bytes, send_reply: SendReply) -> None:
        """Submit the uplink of a request; `send_reply` is called once it is durable or refused."""
        self._metrics.requests += 1
        began_at = time.perf_counter()
        try:
            body = decompressed(body, admitted.head.headers, self._limit_bytes)
            uplink = _uplink(admitted, body)
            source = admitted.source
            wire_format = admitted.wire_format or recognised_format(uplink)
            on_result = partial(self._answer, wire_format, send_reply, began_at)
            self._intake.submit(uplink, source.origin, wire_format, on_result)
        except Exception as error:  # the last resort: a bug of ours is a 500, never a hang
            send_reply(self.count(problem_reply(error)))

    def refuse(self, error: Exception) -> Reply:
        """Return the reply to a request that was not admitted."""
        self._metrics.requests += 1
        return self.count(problem_reply(error))

    def count(self, reply: Reply) -> Reply:
        """Count a reply by its status, and return it."""
        answers = self._metrics.answers
        answers[reply.status] = answers.get(reply.status, 0) + 1
        return reply

    def _answer(
        self,
        wire_format: WireFormat,
        send_reply: SendReply,
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
        self._metrics.answer_s.observe(time.perf_counter() - began_at)
        send_reply(self.count(reply))

    def _source(self, credential: SourceCredential, peer: str) -> SourceEntry:
        source = self._intake.registry.source_of_token(credential.token)
        if source is None:
            self._wrong_tokens.take(peer, 1, time.monotonic())
            raise CredentialsInvalid("this token opens nothing")
        return source


def _path(path: str) -> tuple[str, str, str]:
    """Return the format's name, the token, and what follows it; the last two may be empty."""
    _, _, rest = path.partition("/ingest/")
    name, _, rest = rest.partition("/")
    token, _, event = rest.partition("/")
    return name, token, event.strip("/")


def _format(name: str, method: str, source: SourceEntry) -> WireFormat | None:
    """Return the wire format by its name; None if it must be detected."""
    if name == "auto":
        if method not in METHODS:
            raise MethodNotAllowed(METHODS)
        return None
    wire_format = FORMATS.get(name)
    if wire_format is None:
        raise NotFound("there is no such wire format")
    if source.wire_format not in (name, "auto"):
        raise NotFound("the token belongs to a source of another wire format")
    if method not in wire_format.methods:
        raise MethodNotAllowed(wire_format.methods)
    return wire_format


def _uplink(admitted: AdmittedRequest, body: bytes) -> Uplink:
    headers = admitted.head.headers
    return Uplink(
        received_at=datetime.now(UTC),
        body=body,
        content_type=headers.get("content-type"),
        query=admitted.head.query,
        headers={name: headers[name] for name in KEPT_HEADERS if name in headers},
        user=admitted.user,
    )
