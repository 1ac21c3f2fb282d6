"""Tokens: made once, shown once, stored as a keyed hash."""

from __future__ import annotations

import hmac
import secrets

from django.conf import settings

PREFIX_LENGTH = 6


def new_token() -> str:
    """Return a fresh token with 192 random bits, safe in a URL path."""
    return secrets.token_urlsafe(24)


def digest_of(token: str) -> str:
    """Return what is stored for `token`: HMAC-SHA-256 under `TOKEN_KEY`, in hex."""
    return hmac.digest(settings.TOKEN_KEY.encode(), token.encode(), "sha256").hex()


def prefix_of(token: str) -> str:
    """Return the part of `token` that people may see, to tell tokens apart."""
    return token[:PREFIX_LENGTH]
