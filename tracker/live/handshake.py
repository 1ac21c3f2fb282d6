"""The handshake of a live socket: checks of its page and its credential."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import ParseResult, urlsplit

from channels.middleware import BaseMiddleware
from channels.security.websocket import OriginValidator, WebsocketDenier
from channels.sessions import CookieMiddleware
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from accounts.tokens import digest_of
from tracker.live.access import SocketCredential

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_KEYWORDS = ("token", "bearer")
refuse: Application = WebsocketDenier.as_asgi()


def guarded(application: Application) -> Application:
    """Return `application`, called only with a `credential` in its scope."""
    guards: Application = CookieMiddleware(PageValidator(CredentialMiddleware(application)))
    return guards


class PageValidator(BaseMiddleware):  # type: ignore[misc]
    """Refuses a cookie unless it comes from a page of ours (fault F-087).

    A browser sends the cookie from any page, and only `Origin` distinguishes our pages from
    others. A client with a token comes from no page.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = _header(scope, b"origin")
        if _token(scope):
            await self.inner(scope, receive, send)
        elif _is_readable(origin):
            origins = own_origins(_header(scope, b"host"))
            await OwnOriginValidator(self.inner, origins)(scope, receive, send)
        else:
            await refuse(scope, receive, send)


class OwnOriginValidator(OriginValidator):  # type: ignore[misc]
    """Logs the origins that it refuses: `PUBLIC_URL` may be wrong."""

    def valid_origin(self, parsed_origin: ParseResult | None) -> bool:
        is_ours: bool = super().valid_origin(parsed_origin)
        if not is_ours:
            origin = parsed_origin.geturl() if parsed_origin else ""
            logger.warning("live socket refused: origin %r is not ours", origin[:200])
        return is_ours


class CredentialMiddleware(BaseMiddleware):  # type: ignore[misc]
    """Puts the credential into the scope; refuses a socket without a credential."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        session_key = scope["cookies"].get(settings.SESSION_COOKIE_NAME)
        if token := _token(scope):
            credential = SocketCredential(token_digest=digest_of(token))
        elif session_key:
            credential = SocketCredential(session_key=session_key)
        else:
            await refuse(scope, receive, send)
            return
        await self.inner(scope | {"credential": credential}, receive, send)


def own_origins(host: str) -> list[str]:
    """Return the origins of our pages: the configured origins, and the origin of `host`.

    As in Django's check of forms: the exact scheme, name and port.
    """
    origins = [settings.PUBLIC_URL, *settings.CSRF_TRUSTED_ORIGINS]
    name, _ = split_domain_port(host)
    if name and validate_host(name, settings.ALLOWED_HOSTS):
        origins += [f"http://{host}", f"https://{host}"]
    return origins


def _token(scope: Scope) -> str:
    keyword, _, token = _header(scope, b"authorization").strip().partition(" ")
    return token.strip() if keyword.lower() in _KEYWORDS else ""


def _header(scope: Scope, wanted: bytes) -> str:
    found = [value for name, value in scope["headers"] if name.lower() == wanted]
    return found[-1].decode("latin-1") if found else ""


def _is_readable(origin: str) -> bool:
    try:
        return urlsplit(origin).port != 0
    except ValueError:
        return False
