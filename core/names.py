"""Names that people give: which characters they may hold, and how they stand in a text."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Format characters that words are spelled with, in Persian and in Indian scripts, and in emoji.
_JOINERS: Final = "\u200c\u200d"
# Marks, embeddings, overrides and isolates of direction.
_DIRECTIONS: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"


def is_printable(text: str) -> bool:
    """Return whether `text` has no control or format characters and no line breaks.

    XML and the heads of e-mails cannot hold them, and nobody sees them on a screen.
    """
    return all(char.isprintable() or char in _JOINERS for char in text)


def isolated(text: str) -> str:
    """Return `text` for the middle of a sentence, whose direction it does not turn.

    A text of right-to-left letters comes between isolates. Directions that it brings along are
    left out: names are free of them, but identifiers of devices and older rows need not be.
    """
    plain = _DIRECTIONS.sub("", text)
    if any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in plain):
        return f"{_FIRST_STRONG_ISOLATE}{plain}{_POP_ISOLATE}"
    return plain
