"""`Idempotency-Key`: a POST sent twice is carried out once, and answered alike.

The record is written in the transaction of the action itself, so that neither can exist without
the other. A second request that arrives meanwhile waits for the first. Refused requests changed
nothing and are not remembered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed

from accounts.authentication import TokenAuthentication
from accounts.models import IdempotencyRecord, User
from core.errors import Conflict, TooLarge, TrackerError, Unprocessable
from core.rest.problem import problem_of, request_id_of, response_of

KEPT_FOR = timedelta(hours=24)
MAX_KEY_LENGTH = 255
MAX_BODY_BYTES = 1 << 20


class IdempotencyMiddleware:
    """Covers every POST under /api/; runs after the middleware that finds the session's user."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.headers.get("Idempotency-Key")
        if key is None or request.method != "POST" or not request.path.startswith("/api/"):
            return self._get_response(request)
        user = _user_of(request)
        if user is None or request.content_type == "multipart/form-data":
            return self._get_response(request)
        try:
            return self._answer(request, user, key)
        except (TrackerError, OperationalError) as error:
            return response_of(problem_of(error, request_id_of(request)))

    def _answer(self, request: HttpRequest, user: User, key: str) -> HttpResponse:
        if not (key.isascii() and key.isprintable() and 0 < len(key) <= MAX_KEY_LENGTH):
            raise Unprocessable("Not an Idempotency-Key.", code="idempotency-key-invalid")
        digest = _digest_of(request)
        with transaction.atomic():
            record, is_first = _claim(user, key, digest)
            if not is_first:
                return _repeated_answer(record, digest)
            response = self._get_response(request)
            if response.status_code >= 400 or response.streaming:
                transaction.set_rollback(True)
            else:
                _remember(record, response)
        return response


def _user_of(request: HttpRequest) -> User | None:
    try:
        authenticated = TokenAuthentication().authenticate(request)
    except AuthenticationFailed:
        return None
    if authenticated:
        return authenticated[0]
    return request.user if isinstance(request.user, User) else None


def _digest_of(request: HttpRequest) -> str:
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    try:
        digest.update(request.body)
    except RequestDataTooBig as error:
        raise TooLarge("The body is larger than this path reads.") from error
    return digest.hexdigest()


def _claim(user: User, key: str, digest: str) -> tuple[IdempotencyRecord, bool]:
    """Return the record of `key`, and whether it is new. Waits for a request that holds it."""
    mine = IdempotencyRecord.objects.filter(user=user)
    mine.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
    record, is_first = mine.get_or_create(user=user, key=key, defaults={"digest": digest})
    return record, is_first


def _remember(record: IdempotencyRecord, response: HttpResponse) -> None:
    # A token is shown once and stored nowhere, not even here.
    is_secret = "no-store" in response.headers.get("Cache-Control", "")
    record.status = response.status_code
    record.content_type = response.headers.get("Content-Type", "")
    record.location = response.headers.get("Location", "")
    is_kept = not is_secret and len(response.content) <= MAX_BODY_BYTES
    record.body = response.content if is_kept else None
    record.save(update_fields=["status", "content_type", "location", "body"])


def _repeated_answer(record: IdempotencyRecord, digest: str) -> HttpResponse:
    if record.digest != digest:
        raise Unprocessable(
            "The Idempotency-Key was used for another request.", code="idempotency-key-reused"
        )
    if record.body is None:
        raise Conflict("This was done before; its secret is not kept.", code="shown-once")
    headers: dict[str, Any] = {"Idempotent-Replayed": "true"}
    if record.location:
        headers["Location"] = record.location
    return HttpResponse(
        bytes(record.body),
        status=record.status,
        content_type=record.content_type,
        headers=headers,
    )
