"""The head and the body of an HTTP request: limits, credentials, TLS and decompression."""

from __future__ import annotations

import base64
import binascii
import zlib

from msgspec import Struct

from core.errors import (
    CredentialsInvalid,
    CredentialsMissing,
    HeadersTooLarge,
    PlainText,
    TooLarge,
    UnreadableUplink,
    UnsupportedMediaType,
)

HEADER_LIMIT_BYTES = 32 * 1024
HEADER_LIMIT_COUNT = 100


class RequestHead(Struct, frozen=True):
    """The head of a request. `query` is raw and undecoded, `peer` the address of the connection.

    Names in `headers` are lower case; the last of repeated headers counts.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    peer: str


class SourceCredential(Struct, frozen=True):
    """The token of a source, and the user name if it came over HTTP Basic."""

    token: str
    user: str | None = None


def head_of(
    method: str, path: str, query: bytes, raw_headers: list[tuple[bytes, bytes]], peer: str
) -> RequestHead:
    """Return the head; names in `raw_headers` are lower case. Raises HeadersTooLarge."""
    size = len(path) + len(query)
    for name, value in raw_headers:
        size += len(name) + len(value)
    if len(raw_headers) > HEADER_LIMIT_COUNT or size > HEADER_LIMIT_BYTES:
        raise HeadersTooLarge(f"at most {HEADER_LIMIT_COUNT} lines and {HEADER_LIMIT_BYTES} bytes")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw_headers}
    return RequestHead(method, path, query.decode("latin-1"), headers, peer)


def source_credential(headers: dict[str, str], token_in_path: str) -> SourceCredential:
    """Return the token of path, Bearer, Token or Basic; never one of a query (fault F-033)."""
    authorization = headers.get("authorization", "")
    if token_in_path and not authorization:
        return SourceCredential(token_in_path)
    scheme, _, value = authorization.partition(" ")
    user = None
    if scheme.lower() == "basic":
        user, _, value = _basic(value).partition(":")
    if token_in_path:
        return SourceCredential(token_in_path, user)
    if scheme.lower() in ("bearer", "token", "basic") and value:
        return SourceCredential(value.strip(), user)
    raise CredentialsMissing("send the source's token in the path, or as Bearer or Basic")


def _basic(value: str) -> str:
    try:
        plain = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise CredentialsInvalid("the Basic credential cannot be read") from error
    if "\0" in plain:
        raise CredentialsInvalid("U+0000 is in no user name")
    return plain


def require_tls(headers: dict[str, str]) -> None:
    """Raise PlainText if the proxy got the request without TLS (fault F-041).

    The first of several values is that of the proxy to which the sender connected.
    """
    scheme = headers.get("x-forwarded-proto", "https").partition(",")[0]
    if scheme.strip().lower() != "https":
        raise PlainText("send to the https address, with a new token")


def require_length(headers: dict[str, str], limit_bytes: int) -> None:
    """Raise TooLarge if Content-Length is over the limit, before the body is read."""
    declared = headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:19]) > limit_bytes:
        raise too_large(limit_bytes)


def too_large(limit_bytes: int) -> TooLarge:
    return TooLarge(f"at most {limit_bytes} bytes are read here")


def decompressed(body: bytes, headers: dict[str, str], limit_bytes: int) -> bytes:
    """Return the body without its Content-Encoding. Raises TooLarge beyond the limit."""
    encoding = headers.get("content-encoding")
    if encoding is None or encoding.strip().lower() == "identity":
        return body
    if encoding.strip().lower() not in ("gzip", "deflate"):
        raise UnsupportedMediaType("Content-Encoding may be gzip or deflate")
    # Adding 32 lets zlib detect the header, of gzip or of deflate.
    decompressor = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        plain = decompressor.decompress(body, limit_bytes + 1)
    except zlib.error as error:
        raise UnreadableUplink("the body is not what Content-Encoding says") from error
    if len(plain) > limit_bytes:
        raise TooLarge(f"at most {limit_bytes} bytes are read here, unpacked")
    if not decompressor.eof:
        raise UnreadableUplink("the packed body is cut off")
    return plain
