"""Notes of a decoder, cut to a bounded size: a hostile body must not fill the memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import islice
from typing import Any

from wire.strict_json import MAX_INTEGER

MAX_MEMBERS = 32
MAX_CHARS = 512
MAX_DEPTH = 5
MAX_VALUES = 200


def bounded_notes(notes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the notes as plain JSON values, at most 200 of them, each list and text cut off.

    Values beyond that are left out without a mark: notes are for people to look at.
    """
    found: dict[str, Any] = _Budget().cut(notes, MAX_DEPTH)
    return found


class _Budget:
    """The number of values that may still be kept of an uplink."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def cut(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if isinstance(value, Mapping):
            return {
                str(name)[:MAX_CHARS]: self.cut(inner, depth - 1)
                for name, inner in islice(value.items(), MAX_MEMBERS if depth else 0)
                if self._left > 0
            }
        if isinstance(value, list | tuple):
            few = islice(value, MAX_MEMBERS if depth else 0)
            return [self.cut(inner, depth - 1) for inner in few if self._left > 0]
        return _scalar(value)


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_INTEGER else str(value)[:MAX_CHARS]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)[:MAX_CHARS]
