"""Numbers as senders write them, and factors from their units to ours."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from typing import Any

MPS_PER_KNOT = 1852 / 3600
MPS_PER_KMH = 1 / 3.6
HPA_PER_KPA = 10.0

_NUMBER = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,3})?", re.ASCII)
# A text of at most so many digits is converted without the pattern above.
_PLAIN_DIGITS = 40
# Devices write single-precision numbers at most: a larger one is a sender's mistake.
MAX_MAGNITUDE = 3.4e38
_TRUE_WORDS = frozenset({"true", "1", "yes", "on"})
_FALSE_WORDS = frozenset({"false", "0", "no", "off"})


def number(value: Any) -> float | None:
    """Return a JSON number, or None for all else: texts, true, false, and the infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


def number_of_text(text: str) -> float | None:
    """Return the number in a text of ASCII digits: no `1_0`, `nan`, `0x1f` or Arabic digits."""
    digits = text.removeprefix("-").replace(".", "", 1)
    if digits.isascii() and digits.isdigit() and len(digits) <= _PLAIN_DIGITS:
        return float(text)
    stripped = text.strip(" ")
    if _NUMBER.fullmatch(stripped) is None:
        return None
    found = float(stripped)
    return found if math.isfinite(found) else None


def is_probe_error(celsius: float) -> bool:
    """Return True for the values of a digital probe that is not there, or has just got power."""
    return celsius in (-127, 85)


def lenient_number(value: Any) -> float | None:
    """Return a JSON number, or that in a text."""
    return number_of_text(value) if isinstance(value, str) else number(value)


def truth(value: Any) -> bool | None:
    """Return a JSON truth value, 0 or 1, or the words for them."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, str | int | float) else ""
    if word in _TRUE_WORDS or word == "1.0":
        return True
    return False if word in _FALSE_WORDS or word == "0.0" else None


def scaled(value: float | None, factor: float) -> float | None:
    """Return `value` in another unit; absent stays absent."""
    return None if value is None else value * factor


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a JSON object, or an empty one for any other value."""
    return value if isinstance(value, dict) else {}


def entries(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a JSON list; an object alone counts as a list of one."""
    found = value if isinstance(value, list) else [value]
    return [entry for entry in found if isinstance(entry, dict)]


def text_of(value: Any, *, max_chars: int = 128) -> str | None:
    """Return a text, or an integer as text; None for other values and for empty or long texts."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    return text if 0 < len(text) <= max_chars else None


def bytes_of_base64(value: Any) -> bytes | None:
    """Return the bytes of a base64 text; None for any other value."""
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None
