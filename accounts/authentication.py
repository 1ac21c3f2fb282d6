"""Authentication by a person's API token, or by the session of the console."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from django.http import HttpRequest
from django.utils import timezone
from rest_framework import authentication
from rest_framework.authentication import get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import actions
from accounts.models import ApiToken, User
from accounts.tokens import digest_of
from core.rest.problem import CHALLENGE

KEYWORDS = (b"token", b"bearer")
# People look for the day of last use; a write for each request would cost too much.
NOTE_USE_EVERY = timedelta(minutes=1)


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Token …`, or `Bearer …`."""

    def authenticate(self, request: Request | HttpRequest) -> tuple[User, ApiToken] | None:
        keyword, _, token = (
            get_authorization_header(cast("Request", request)).strip().partition(b" ")
        )
        if keyword.lower() not in KEYWORDS:
            return None
        row = authenticate_token(token.strip().decode("latin-1"))
        if row is None:
            raise AuthenticationFailed
        return row.user, row

    def authenticate_header(self, request: Request) -> str:
        # With this header the framework answers 401, without it 403.
        return CHALLENGE


class SessionAuthentication(authentication.SessionAuthentication):
    """The console's session cookie; a change needs the CSRF token as well."""

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


def authenticate_token(token: str) -> ApiToken | None:
    """Return the row of a valid token and record its use; None if it is not valid."""
    row = (
        ApiToken.objects.select_related("user")
        .filter(digest=digest_of(token), revoked_at=None, user__is_active=True)
        .first()
    )
    if row is None:
        return None
    now = timezone.now()
    if row.last_used_at is None or now - row.last_used_at > NOTE_USE_EVERY:
        actions.note_token_use(token=row, at=now)
    return row
