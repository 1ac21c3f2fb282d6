"""The head and the body of a request, before any wire format sees them."""

import base64
import gzip
import zlib

import pytest

from core.errors import (
    CredentialsInvalid,
    CredentialsMissing,
    HeadersTooLarge,
    PlainText,
    TooLarge,
    UnreadableUplink,
    UnsupportedMediaType,
)
from tracker.ingest.request import (
    HEADER_LIMIT_BYTES,
    HEADER_LIMIT_COUNT,
    SourceCredential,
    decompressed,
    head_of,
    require_length,
    require_tls,
    source_credential,
)


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def test_of_repeated_headers_the_last_counts():
    raw_headers = [(b"content-type", b"text/plain"), (b"content-type", b"text/caf\xe9")]

    head = head_of("POST", "/ingest/json", b"id=%20", raw_headers, "192.0.2.1")

    assert head.headers == {"content-type": "text/café"}
    assert head.query == "id=%20"


@pytest.mark.parametrize(
    ("query", "raw_headers"),
    [
        (b"", [(b"x", b"")] * (HEADER_LIMIT_COUNT + 1)),
        (b"", [(b"x", b"y" * HEADER_LIMIT_BYTES)]),
        (b"y" * HEADER_LIMIT_BYTES, []),
    ],
    ids=["too many", "too large", "a query that is too large"],
)
def test_a_head_beyond_the_limits_is_refused(query, raw_headers):
    with pytest.raises(HeadersTooLarge):
        head_of("POST", "/ingest/json", query, raw_headers, "192.0.2.1")


@pytest.mark.parametrize(
    ("headers", "token_in_path", "credential"),
    [
        ({}, "in-path", SourceCredential("in-path")),
        (basic("lea:other"), "in-path", SourceCredential("in-path", "lea")),
        ({"authorization": "Bearer  abc "}, "", SourceCredential("abc")),
        ({"authorization": "token abc"}, "", SourceCredential("abc")),
        (basic("lea:abc:d"), "", SourceCredential("abc:d", "lea")),
    ],
)
def test_the_token_is_in_the_path_or_in_authorization(headers, token_in_path, credential):
    assert source_credential(headers, token_in_path) == credential


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Digest abc"},
        basic("lea:"),
    ],
)
def test_a_request_without_a_token_says_where_to_send_it(headers):
    with pytest.raises(CredentialsMissing, match="Bearer"):
        source_credential(headers, "")


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Basic !!!"},
        {"authorization": "Basic " + base64.b64encode(b"\xff").decode()},
        basic("le\0a:abc"),
    ],
    ids=["no Base64", "no UTF-8", "U+0000"],
)
def test_an_unreadable_basic_credential_is_invalid(headers):
    with pytest.raises(CredentialsInvalid):
        source_credential(headers, "")


@pytest.mark.parametrize("proto", ["https", "HTTPS", "https, http"])
def test_the_proxy_of_the_sender_counts(proto):
    require_tls({"x-forwarded-proto": proto})


@pytest.mark.parametrize("proto", ["http", "http, https", ""])
def test_plain_text_is_refused(proto):
    with pytest.raises(PlainText):
        require_tls({"x-forwarded-proto": proto})


@pytest.mark.parametrize("length", ["101", "9" * 400])
def test_a_declared_length_over_the_limit_is_refused(length):
    with pytest.raises(TooLarge):
        require_length({"content-length": length}, 100)


@pytest.mark.parametrize("length", ["", "100", "-1", "٢٠٠", "1e9"])
def test_any_other_declared_length_is_left_to_the_parser(length):
    require_length({"content-length": length}, 100)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"body", None),
        (b"body", " Identity "),
        (gzip.compress(b"body"), "GZIP"),
        (zlib.compress(b"body"), "deflate"),
    ],
)
def test_a_packed_body_is_unpacked(body, encoding):
    headers = {} if encoding is None else {"content-encoding": encoding}

    assert decompressed(body, headers, 4) == b"body"


@pytest.mark.parametrize(
    ("body", "encoding", "error"),
    [
        (b"body", "br", UnsupportedMediaType),
        (b"body", "gzip", UnreadableUplink),
        (gzip.compress(b"x" * 101), "gzip", TooLarge),
        (gzip.compress(b"body")[:-9], "gzip", UnreadableUplink),
    ],
    ids=["an unknown encoding", "not packed", "too large", "cut off"],
)
def test_a_body_that_cannot_be_unpacked_is_refused(body, encoding, error):
    with pytest.raises(error):
        decompressed(body, {"content-encoding": encoding}, 100)
