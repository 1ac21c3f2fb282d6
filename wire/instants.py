"""Times as senders spell them, into aware UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?"
    r" ?([Zz]|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_MICROS = {"s": 1_000_000, "ms": 1_000, "us": 1}
# Above these a count since 1970 can no longer be seconds, or milliseconds: year 5138.
_SECONDS_BELOW = 1e11
_MILLIS_BELOW = 1e14


class ZoneMissingError(ValueError):
    """The text is a time, but names no zone."""


def instant_of_text(text: str, *, is_zone_optional: bool = False) -> datetime:
    """Read an RFC 3339 text, also with `+0000`, `+00`, a blank for the T, or no seconds.

    Digits beyond microseconds are cut off. A leap second (23:59:60 in UTC) is the instant after.
    A text without a zone is UTC where `is_zone_optional`, else ZoneMissingError; ValueError for any
    other text.
    """
    match = _ISO.fullmatch(text.strip()[:64])
    if match is None:
        raise ValueError("not a time")
    year, month, day, hour, minute = (int(part) for part in match.group(1, 2, 3, 4, 5))
    second = int(match[6] or 0)
    is_leap = second == 60
    micros = int((match[7] or "0")[:6].ljust(6, "0"))
    if match[8] is None and not is_zone_optional:
        raise ZoneMissingError("a time without a zone")
    zone = _zone(match[8])
    try:
        local = datetime(
            year, month, day, hour, minute, 59 if is_leap else second, micros, tzinfo=zone
        )
        found = local.astimezone(UTC)
        return _after_leap_second(found) if is_leap else found
    except OverflowError as error:
        raise ValueError("not a time within the years 1 to 9999") from error


def _after_leap_second(last: datetime) -> datetime:
    """Return the instant after a leap second; `last` has 59 in place of 60."""
    if (last.hour, last.minute) != (23, 59):
        raise ValueError("no leap second")
    return last.replace(microsecond=0) + timedelta(seconds=1)


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


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        raise ValueError("not an offset")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def instant_or_none(value: object) -> datetime | None:
    """Return the instant of a text with a zone, or None for any other value."""
    try:
        return instant_of_text(value) if isinstance(value, str) else None
    except ValueError:
        return None
