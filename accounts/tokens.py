"""Tokens: made once, shown once, stored as a keyed hash."""

from __future__ import annotations

import base64
import hmac
import secrets

from django.conf import settings

PREFIX_LENGTH = 6


def new_token() -> str:
    """Return a fresh token with 192 random bits, safe in a URL path."""
    return secrets.token_urlsafe(24)


def derived_token(*words: object) -> str:
    """Return the token derived from `words` and `TOKEN_KEY`: the same each time.

    For commands on the server, which have the key anyway. A dump of the database is not enough
    to derive it.
    """
    # A key of its own, so that no stored digest is ever a token.
    key = hmac.digest(settings.TOKEN_KEY.encode(), b"derived tokens", "sha256")
    text = "\0".join(str(word) for word in words)
    return base64.urlsafe_b64encode(hmac.digest(key, text.encode(), "sha256")[:24]).decode()


def digest_of(token: str) -> str:
    """Return the digest to store for `token`: HMAC-SHA-256 under `TOKEN_KEY`, in hex."""
    return hmac.digest(settings.TOKEN_KEY.encode(), token.encode(), "sha256").hex()


def prefix_of(token: str) -> str:
    """Return the part of `token` that may be shown, so that people can distinguish tokens."""
    return token[:PREFIX_LENGTH]
