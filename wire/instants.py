"""Times as senders spell them, into aware UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.time_texts import instant_of_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROS = {"s": 1_000_000, "ms": 1_000, "us": 1}
# Above these a count since 1970 can no longer be seconds, or milliseconds: year 5138.
_SECONDS_BELOW = 1e11
_MILLIS_BELOW = 1e14


def instant_of_count(count: float, unit: str) -> datetime:
    """Read a count of `s`, `ms` or `us` since 1970. Raises ValueError beyond year 9999."""
    try:
        return _EPOCH + timedelta(microseconds=round(count * _MICROS[unit]))
    except (OverflowError, ValueError) as error:
        raise ValueError("not a time within the years 1 to 9999") from error


def instant_by_magnitude(count: float) -> datetime:
    """Read a count since 1970 whose unit the sender does not declare."""
    size = abs(count)
    if size < _SECONDS_BELOW:
        return instant_of_count(count, "s")
    return instant_of_count(count, "ms" if size < _MILLIS_BELOW else "us")


def instant_or_none(value: object) -> datetime | None:
    """Return the instant of a text with a zone, or None for any other value."""
    try:
        return instant_of_text(value) if isinstance(value, str) else None
    except ValueError:
        return None
