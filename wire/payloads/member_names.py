"""Names of members cut into words: `BatteryVoltage_mV`, `TEMP-2`, `waterleak`."""

from __future__ import annotations

import re
from functools import lru_cache

from wire.payloads.units import UNITS_IN_NAMES
from wire.payloads.vocabulary import KNOWN_WORDS

# Of longer names nothing is understood.
MAX_CHARS = 64
_CHUNK = re.compile(r"[^\W_]+|[°%℃℉]\w?")
_CAMEL = re.compile(r"[^\W\d_a-z]+(?=[^\W\d_a-z][a-z])|[^\W\d_a-z]?[a-z]+|[^\W\d_]+|\d+|[°%℃℉]\w?")
# Shorter pieces make words of anything: `attempts` is no `at` and `temp`.
_MIN_PIECE = 3
# Longer ones are no words of names, and dear to cut.
_MAX_WORD = 24
_SHORT_PIECES = frozenset({"rh", "no", "is", "ts", "id", "co2", "ac", "in"})
_FORMULAS = frozenset({"co2", "pt100", "pt1000"})
_LAST_PIECES = frozenset({"c", "f", "v", "mv", "x", "y", "z", "lx", "ms"}) | UNITS_IN_NAMES.keys()


def normal_name(name: str) -> str:
    """Return a name in lower case without separators: `Gps-Lat` is `gpslat`."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


@lru_cache(maxsize=8_192)
def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case, numbers among them; none of a very long one."""
    if len(name) > MAX_CHARS:
        return ()
    words: list[str] = []
    for chunk in _CHUNK.findall(name):
        words += _words_of_chunk(chunk)
    return tuple(_with_formulas(words))


def _words_of_chunk(chunk: str) -> list[str]:
    if _is_known(chunk.lower()):
        return [chunk.lower()]
    words = [word.lower() for word in _CAMEL.findall(chunk)]
    if all(_is_known(word) for word in words):
        return words
    whole = [part.lower() for part in re.findall(r"\d+|\D+", chunk)]
    pieces = [_pieces(part) for part in whole]
    if all(pieces):
        return [piece for part in pieces for piece in part]
    return [piece for word in words for piece in (_pieces(word) or (word,))]


def _is_known(word: str) -> bool:
    return word in KNOWN_WORDS or word in UNITS_IN_NAMES or word.isdecimal()


def _pieces(word: str) -> tuple[str, ...]:
    """Return known words, long ones first, that make up `word`; none where it cannot be cut so."""
    if _is_known(word):
        return (word,)
    if len(word) > _MAX_WORD:
        return ()
    cut: dict[int, tuple[str, ...]] = {0: ()}
    for end in range(1, len(word) + 1):
        for start in range(end):
            if start in cut and _is_piece(word[start:end], is_last=end == len(word)):
                cut[end] = (*cut[start], word[start:end])
                break
    return cut.get(len(word), ())


def _is_piece(piece: str, *, is_last: bool) -> bool:
    if is_last and piece in _LAST_PIECES:
        return True
    return (len(piece) >= _MIN_PIECE or piece in _SHORT_PIECES) and piece in KNOWN_WORDS


def _with_formulas(words: list[str]) -> list[str]:
    """Join formulas that digits or separators cut apart: `CO_2`."""
    joined: list[str] = []
    for word in words:
        if joined and f"{joined[-1]}{word}" in _FORMULAS:
            joined[-1] += word
        else:
            joined.append(word)
    return joined
