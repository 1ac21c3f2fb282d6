"""Status words of sensors into true and false, negation first: `not moving`, `NoLeak`."""

from __future__ import annotations

from functools import lru_cache

from wire.payloads.member_names import words_of
from wire.payloads.vocabulary import word_set
from wire.quantities import truth

# The sensor says that it does not know.
_UNKNOWN = word_set(
    "unknown unavailable available error err fault supported deconnected disconnected "
    "preheating invalid disabled enabled undefined na failure"
)
_NEGATIONS = word_set("no not non none without never nothing")
_FALSE = word_set(
    "false off inactive vacant unoccupied stationary still stopped stop static idle rest "
    "resting normal ok okay clear cleared dry absent empty free released release "
    "untampered installed quiet standby idling unpressed parked deactivated uncharged "
    "discharging"
)
_TRUE = word_set(
    "true yes on active moving motion movement moved leak leaking leakage leaked detected "
    "occupied present presence triggered trigger alarm alert wet flood flooded pressed "
    "tampered tamper removed uninstalled activated trip walking running charging sos "
    "water dismantled open opened vibration shock panic emergency"
)
_OPEN = word_set("open opened absent removed away opening")
_CLOSED = word_set("closed close shut present closing")


def said_truth(value: object) -> bool | None:
    """Return the truth that a JSON value or a text says; None where it says neither."""
    if not isinstance(value, str):
        return truth(value)
    return _truth_of_text(value[:64])


@lru_cache(maxsize=1_024)
def _truth_of_text(text: str) -> bool | None:
    plain = truth(text)
    if plain is not None:
        return plain
    words = set(words_of(text))
    if not words or words & _UNKNOWN:
        return None
    if words & _NEGATIONS:
        return bool(words & _FALSE) if words & (_TRUE | _FALSE) else _is_only_negation(words)
    if words & _FALSE:
        return False
    return True if words & _TRUE else None


def _is_only_negation(words: set[str]) -> bool | None:
    """`None` and `No` alone are false; `no data` says nothing."""
    return False if words <= _NEGATIONS else None


@lru_cache(maxsize=1_024)
def said_openness(text: str) -> str | None:
    """Return `open` or `closed` as a text says, or None."""
    words = set(words_of(text[:64]))
    is_open, is_closed = bool(words & _OPEN), bool(words & _CLOSED)
    if is_open == is_closed or words & _UNKNOWN:
        return None
    return "open" if is_open != bool(words & _NEGATIONS) else "closed"
