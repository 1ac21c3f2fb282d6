"""Instants as text: RFC 3339 with a zone, read alike by every door, and written in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?"
    r" ?([Zz]|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)


class ZoneMissingError(ValueError):
    """The text says when, but not in which zone."""


def instant_of_text(text: str, *, is_zone_optional: bool = False) -> datetime:
    """Read an RFC 3339 text, also with `+0000`, `+00`, a blank for the T, or no seconds.

    Digits beyond microseconds are cut off. A leap second (23:59:60 in UTC) is the instant after.
    A text without a zone is UTC where `is_zone_optional`, else ZoneMissingError; ValueError for
    whatever is no time.
    """
    match = _ISO.fullmatch(text.strip()[:64])
    if match is None:
        raise ValueError("not a time")
    year, month, day, hour, minute = (int(part) for part in match.group(1, 2, 3, 4, 5))
    second = int(match[6] or 0)
    is_leap = second == 60
    micros = int((match[7] or "0")[:6].ljust(6, "0"))
    if match[8] is None and not is_zone_optional:
        raise ZoneMissingError("the time has no zone")
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


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        raise ValueError("not an offset")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def rfc3339(at: datetime) -> str:
    """Return `at` in UTC, with microseconds."""
    # Not by strftime, which writes early years without their zeros.
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
