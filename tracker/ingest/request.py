"""From an ASGI request to an uplink: body within its limits and its time, unpacked."""

from __future__ import annotations

import asyncio
import base64
import binascii
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct

from tracker.errors import (
    CredentialsInvalid,
    CredentialsMissing,
    HeadersTooLarge,
    RequestTimeout,
    TooLarge,
    UnreadableUplink,
    UnsupportedMediaType,
)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

HEADER_LIMIT_BYTES = 32 * 1024
HEADER_LIMIT_COUNT = 100


class HungUp(Exception):
    """The sender hung up before its body was complete; there is nobody to answer."""


class Credential(Struct, frozen=True):
    """A token, and the user name that came with it over HTTP Basic."""

    token: str
    user: str | None = None


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers by lower-case name; of repeated ones the last counts."""
    raw = scope["headers"]
    size = sum([len(name) + len(value) for name, value in raw])
    size += len(scope["path"]) + len(scope["query_string"])
    if len(raw) > HEADER_LIMIT_COUNT or size > HEADER_LIMIT_BYTES:
        raise HeadersTooLarge(f"at most {HEADER_LIMIT_COUNT} lines and {HEADER_LIMIT_BYTES} bytes")
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}


def credential_of(headers: dict[str, str], token_in_path: str) -> Credential:
    """Return the token of path, Bearer, Token or Basic. Never that of a query (fault F-033)."""
    authorization = headers.get("authorization", "")
    scheme, _, value = authorization.partition(" ")
    user = None
    if scheme.lower() == "basic":
        user, _, value = _basic(value).partition(":")
    if token_in_path:
        return Credential(token_in_path, user)
    if scheme.lower() in ("bearer", "token", "basic") and value:
        return Credential(value.strip(), user)
    raise CredentialsMissing("send the source's token in the path, or as Bearer or Basic")


def _basic(value: str) -> str:
    try:
        plain = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise CredentialsInvalid("the Basic credential cannot be read") from error
    if "\0" in plain:
        raise CredentialsInvalid("U+0000 is in no user name")
    return plain


async def body_of(
    headers: dict[str, str], receive: Receive, *, limit_bytes: int, timeout_s: float
) -> bytes:
    """Return the body, unpacked. Raises before reading what says itself that it is too large."""
    declared = headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:19]) > limit_bytes:
        raise TooLarge(f"at most {limit_bytes} bytes are read here")
    # The server itself cuts who sends nothing; a clock for each request would cost too much.
    message = await receive()
    if message["type"] == "http.disconnect":
        raise HungUp
    body = message.get("body", b"")
    if message.get("more_body"):
        body = await _rest(body, receive, limit_bytes, timeout_s)
    if len(body) > limit_bytes:
        raise TooLarge(f"at most {limit_bytes} bytes are read here")
    encoding = headers.get("content-encoding", "identity").strip().lower()
    return body if encoding == "identity" else _unpacked(body, encoding, limit_bytes)


async def _rest(start: bytes, receive: Receive, limit_bytes: int, timeout_s: float) -> bytes:
    parts, size = [start], len(start)
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise HungUp
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limit_bytes:
                    raise TooLarge(f"at most {limit_bytes} bytes are read here")
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError as error:
        raise RequestTimeout(f"the body did not come within {timeout_s:g} s") from error


def _unpacked(body: bytes, encoding: str, limit_bytes: int) -> bytes:
    if encoding not in ("gzip", "deflate"):
        raise UnsupportedMediaType("Content-Encoding may be gzip or deflate")
    # 32 more bits of window let zlib read either header.
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        plain = unpacker.decompress(body, limit_bytes + 1)
    except zlib.error as error:
        raise UnreadableUplink("the body is not what Content-Encoding says") from error
    if len(plain) > limit_bytes:
        raise TooLarge(f"at most {limit_bytes} bytes are read here, unpacked")
    if not unpacker.eof:
        raise UnreadableUplink("the packed body is cut off")
    return plain
