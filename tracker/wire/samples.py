"""Whether a format reads a recorded message as its sender meant it.

A sample is an entry of an `index.json` beside a file; `expect` says what the message
means in words of its own, which are mapped to ours here. What cannot be mapped is
reported as unchecked and never passed in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from tracker.wire.quantities import mapping
from tracker.wire.registry import FORMATS
from tracker.wire.sample_comparison import Comparison
from tracker.wire.uplink import Uplink

FORMAT_OF_FOLDER = {
    "json": "json",
    "ttn": "ttn",
    "chirpstack": "chirpstack",
    "owntracks": "owntracks",
    "osmand": "osmand",
    "traccar-forward": "traccar",
}

_REQUEST_LINE = re.compile(rb"(?:GET|POST|PUT|HEAD) (\S+)(?: HTTP/[\d.]+)?\s*")


class Verdict(Struct, frozen=True, kw_only=True):
    """`skipped` says why a sample was not tried; `differences` why it failed."""

    differences: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    skipped: str | None = None


def verdict(
    format_name: str,
    entry: Mapping[str, Any],
    content: bytes,
    *,
    entries: Mapping[str, Mapping[str, Any]],
    received_at: datetime,
) -> Verdict:
    """Try one sample. `entries` holds its neighbours by file, for those that are `same_as`.

    Raises Refused where the format does.
    """
    expect = mapping(entry.get("expect"))
    if "by us" in str(entry.get("method", "")):
        return Verdict(skipped="a message that we send")
    if "same_as" in expect:
        expect = mapping(mapping(entries.get(str(expect["same_as"]))).get("expect"))
    uplink = uplink_of_sample(entry, expect, content, received_at=received_at)
    wire_format = FORMATS[format_name]
    comparison = Comparison(wire_format.decode(uplink), received_at=received_at)
    comparison.of_answer(mapping(entry.get("response")), wire_format.success_body)
    comparison.of_meaning(expect)
    return Verdict(differences=tuple(comparison.differences), unchecked=tuple(comparison.unchecked))


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
        content_type=entry.get("content_type"),
        headers={str(k).lower(): str(v) for k, v in mapping(entry.get("headers")).items()},
        received_at=received_at,
    )


def request_of_file(name: str, content: bytes) -> tuple[str, bytes]:
    """Return query and body of a sample file: a request line, a form, hex text, or a body."""
    if name.endswith(".hex"):
        return "", bytes.fromhex(content.decode("ascii"))
    if not name.endswith(".txt"):
        return "", content
    line = _REQUEST_LINE.match(content)
    if line is None:
        return "", content.strip()
    query = line[1].decode("utf-8").partition("?")[2]
    _, _, body = content.partition(b"\r\n\r\n" if b"\r\n" in content else b"\n\n")
    return query, body.strip()
