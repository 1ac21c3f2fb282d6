"""JSON of unknown senders: read strictly, and at a cost that grows only with its length."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from core.errors import Fault, UnreadableUplink

MAX_DEPTH = 32
MAX_NAME_CHARS = 64
MAX_TEXT_CHARS = 4096
MAX_ATTRIBUTES = 64
MAX_INTEGER = 2**63 - 1
# A body of a MiB may have a hundred thousand faults; the answer lists so many and their count.
MAX_FAULTS = 100

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# A string, or a bracket outside of one. The closing quote is optional so that an
# unterminated string is crossed once and not once for each quote in it.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# An integer longer than this is no counter; a float would only be near it, and reading it exactly
# costs quadratic time.
_MAX_EXACT_DIGITS = 20


def read(body: bytes) -> Any:
    """Return the JSON value in `body`.

    Raises UnreadableUplink with the codes `empty-body`, `malformed-json`,
    `json-too-deep` and `duplicate-key`. Numbers beyond a float, and integers that a float would
    round, come back infinite and
    U+0000 may be inside texts: `content_faults` finds both.
    """
    text = _text(body)
    _refuse_depth(text)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise UnreadableUplink(
            f"{error.msg} at line {error.lineno}, column {error.colno}.", code="malformed-json"
        ) from None


def read_lenient(body: bytes) -> Any:
    """Like `read`, for senders whose single values are not refused one by one.

    Characters that no database text can hold make the whole body unreadable, with the code
    `forbidden-character`; infinite numbers stay, and no quantity accepts them.
    """
    value = read(body)
    if b"\\u" not in body:
        # Such a character can only be escaped: as a byte the decoder refuses it.
        return value
    faults = tuple(f for f in content_faults(value) if f.code == "forbidden-character")
    if faults:
        raise UnreadableUplink(faults[0].detail, code="forbidden-character", faults=faults)
    return value


def content_faults(value: Any, pointer: str = "") -> tuple[Fault, ...]:
    """Return the first MAX_FAULTS faults inside a readable JSON value, in the order of the text."""
    return tuple(islice(_faults(value, pointer), MAX_FAULTS))


def content_fault_count(value: Any) -> int:
    """Return how many faults there are inside a readable JSON value, listed or not."""
    if isinstance(value, dict):
        return sum(_has_fault(name) + content_fault_count(one) for name, one in value.items())
    if isinstance(value, list):
        return sum(map(content_fault_count, value))
    return int(_has_fault(value))


def _has_fault(value: Any) -> bool:
    if isinstance(value, str):
        return _UNSTORABLE.search(value) is not None
    return isinstance(value, float) and not math.isfinite(value)


def pointer_to(*members: str | int) -> str:
    """Return the RFC 6901 pointer to a member."""
    return "".join(f"/{_escaped(str(member))}" for member in members)


def _text(body: bytes) -> str:
    stripped = body.removeprefix(_BYTE_ORDER_MARK)
    if not stripped.strip():
        raise UnreadableUplink("The body is empty.", code="empty-body")
    try:
        return stripped.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableUplink(
            f"not UTF-8: byte {error.start} cannot be read.", code="malformed-json"
        ) from None


def _refuse_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        token = match.group()
        if token in ("[", "{"):
            depth += 1
        elif token in ("]", "}"):
            depth -= 1
        if depth > MAX_DEPTH:
            raise UnreadableUplink(f"nested deeper than {MAX_DEPTH}.", code="json-too-deep")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        name = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise UnreadableUplink(f"{name[:MAX_NAME_CHARS]!r} comes twice.", code="duplicate-key")
    return members


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_EXACT_DIGITS else math.inf


def _refuse_constant(word: str) -> Any:
    raise UnreadableUplink(f"{word} is not JSON.", code="malformed-json")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_integer, parse_constant=_refuse_constant
)


def _faults(value: Any, pointer: str) -> Iterator[Fault]:
    if isinstance(value, dict):
        for name, member in value.items():
            below = f"{pointer}/{_escaped(name)}"
            yield from _text_faults(name, below)
            yield from _faults(member, below)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _faults(member, f"{pointer}/{index}")
    elif isinstance(value, str):
        yield from _text_faults(value, pointer)
    elif _has_fault(value):
        yield Fault(pointer=pointer, code="out-of-range", detail="The number is too large.")


def _text_faults(text: str, pointer: str) -> Iterator[Fault]:
    found = _UNSTORABLE.search(text)
    if found:
        character = f"U+{ord(found.group()):04X}"
        yield Fault(
            pointer=_UNSTORABLE.sub("\ufffd", pointer),
            code="forbidden-character",
            detail=f"{character} cannot be stored.",
        )


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
