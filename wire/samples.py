"""Samples: recorded messages, each with the values that its format must decode from it.

A sample is an entry of an `index.json` beside a file; `expect` holds the values under names of
its own, which are mapped to ours here. A value that cannot be mapped is reported as unchecked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from core.errors import Refused
from wire.quantities import mapping, number, text_of
from wire.registry import FORMATS
from wire.sample_comparison import SampleComparison
from wire.uplink import Decoded, Uplink
from wire.wire_format import WireFormat

FORMAT_OF_FOLDER = {name: name for name in FORMATS} | {"traccar-forward": "traccar"}

_REQUEST_LINE = re.compile(rb"(?:GET|POST|PUT|HEAD) (\S+)(?: HTTP/[\d.]+)?\s*")


class SampleError(ValueError):
    """The sample itself is malformed."""


class SampleVerdict(Struct, frozen=True, kw_only=True):
    """The verdict on a sample: it passed if it was not `skipped` and there are no `differences`."""

    differences: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    skipped: str | None = None


def sample_verdict(
    format_name: str,
    entry: Mapping[str, Any],
    content: bytes,
    *,
    entries: Mapping[str, Mapping[str, Any]],
    received_at: datetime,
) -> SampleVerdict:
    """Return the verdict on a sample; `entries` are all of its folder by file, for `same_as`.

    Raises Refused where the format does, and SampleError for a malformed sample. Where the
    answer to its sender is a 4xx, the message must be refused.
    """
    if "by us" in str(entry.get("method", "")):
        return SampleVerdict(skipped="a message that we send")
    expect = _expected(entry, entries)
    response = mapping(entry.get("response"))
    uplink = uplink_of_sample(entry, expect, content, received_at=received_at)
    wire_format = FORMATS[format_name]
    status = number(response.get("status"))
    try:
        decoded = _decoded(wire_format, uplink)
    except Refused:
        if status is not None and 400 <= status < 500:
            return SampleVerdict()
        raise
    comparison = SampleComparison(decoded, received_at=received_at)
    comparison.compare_answer(response, wire_format.success_body)
    comparison.compare_decoded(expect)
    return SampleVerdict(
        differences=tuple(comparison.differences), unchecked=tuple(comparison.unchecked)
    )


def _expected(
    entry: Mapping[str, Any], entries: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any]:
    expect = entry.get("expect")
    if not isinstance(expect, dict):
        raise SampleError("no object says what it means (expect)")
    if "same_as" not in expect:
        return expect
    other = mapping(entries.get(str(expect["same_as"]))).get("expect")
    if not isinstance(other, dict):
        raise SampleError(f"same_as names no sample: {expect['same_as']}")
    return other


def _decoded(wire_format: WireFormat, uplink: Uplink) -> Decoded:
    """Decode as the door does: an unreadable uplink of a lenient format is set aside."""
    try:
        return wire_format.decode(uplink)
    except Refused as error:
        if not wire_format.is_lenient:
            raise
        return Decoded(message="unreadable", set_aside=f"{error.code}: {error.detail}")


def uplink_of_sample(
    entry: Mapping[str, Any],
    expect: Mapping[str, Any],
    content: bytes,
    *,
    received_at: datetime,
) -> Uplink:
    """Return the request that a sample stands for.

    A message whose ids were filtered away has its device in the URL; so has its sample.
    """
    query, body = request_of_file(str(entry.get("file", "")), content)
    query = query or str(entry.get("query") or "")
    if "device" in expect and expect["device"] is None:
        query = f"{query}&device=sample" if query else "device=sample"
    return Uplink(
        body=body,
        query=query,
        content_type=text_of(entry.get("content_type")),
        headers={str(k).lower(): str(v) for k, v in mapping(entry.get("headers")).items()},
        received_at=received_at,
    )


def request_of_file(name: str, content: bytes) -> tuple[str, bytes]:
    """Return query and body of a sample file: a request line, a form, hex text, or a body."""
    if name.endswith(".hex"):
        try:
            return "", bytes.fromhex(content.decode("ascii"))
        except ValueError as error:
            raise SampleError("not hex text") from error
    if not name.endswith(".txt"):
        return "", content
    line = _REQUEST_LINE.match(content)
    if line is None:
        return "", content.strip()
    query = line[1].decode("utf-8").partition("?")[2]
    _, _, body = content.partition(b"\r\n\r\n" if b"\r\n" in content else b"\n\n")
    return query, body.strip()
