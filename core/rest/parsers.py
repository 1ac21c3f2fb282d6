"""Strict JSON: no duplicate keys, no NaN, no text that the database cannot hold."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.parsers import BaseParser

from core.errors import TooLarge, UnreadableUplink

MAX_DEPTH = 32
MAX_DIGITS = 30


class StrictJSONParser(BaseParser):
    """Reads at most `BODY_LIMIT_BYTES` of UTF-8, whatever charset the sender claims."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read(settings.BODY_LIMIT_BYTES + 1)
        if len(body) > settings.BODY_LIMIT_BYTES:
            raise TooLarge(f"At most {settings.BODY_LIMIT_BYTES} bytes are read here.")
        return strict_json(body)


class StrictGeoJSONParser(StrictJSONParser):
    media_type = "application/geo+json"


def strict_json(body: bytes) -> Any:
    """Return the value of `body`. Raises UnreadableUplink, without quoting the body."""
    if not body.strip():
        raise UnreadableUplink("The body is empty.", code="empty-body")
    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_finite,
        )
    except json.JSONDecodeError as error:
        raise _malformed(f"{error.msg} at line {error.lineno}, column {error.colno}.") from error
    except UnicodeDecodeError as error:
        raise _malformed(f"Byte {error.start} is not UTF-8.") from error
    except RecursionError as error:
        raise _too_deep() from error
    _require_plain(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise UnreadableUplink("A key appears twice in one object.", code="duplicate-key")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise _malformed(f"{name} is not JSON.")


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _malformed(f"A number has more than {MAX_DIGITS} digits.")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _malformed("A number is too large.")
    return number


def _require_plain(value: Any) -> None:
    """Refuse deep nesting, and text that the database cannot hold."""
    level, depth = [value], 0
    while level:
        if not all(_is_storable(each) for each in level if isinstance(each, str)):
            raise _malformed("U+0000 and lone surrogates are refused.")
        containers = [each for each in level if isinstance(each, dict | list)]
        depth += bool(containers)
        if depth > MAX_DEPTH:
            raise _too_deep()
        level = [inner for container in containers for inner in _inside(container)]


def _inside(container: dict[str, Any] | list[Any]) -> Iterator[Any]:
    yield from container
    if isinstance(container, dict):
        yield from container.values()


def _is_storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _malformed(detail: str) -> UnreadableUplink:
    return UnreadableUplink(detail, code="malformed-json")


def _too_deep() -> UnreadableUplink:
    return UnreadableUplink(f"At most {MAX_DEPTH} levels are read.", code="json-too-deep")
