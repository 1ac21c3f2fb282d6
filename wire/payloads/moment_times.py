"""The time that an object of a decoded payload names for itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct

from core.observation import CLOCK_TOLERANCE, EARLIEST_PLAUSIBLE
from core.time_texts import instant_of_text
from wire.instants import instant_by_magnitude
from wire.payloads.member_names import words_of
from wire.payloads.members import Member, Scope
from wire.payloads.vocabulary import TIME_FILLERS, TIME_WORDS
from wire.quantities import number, number_of_text

TimeRole = Literal["instant", "date", "clock"]

# A receiver that has lost count of its weeks is behind by one or two rounds of 1,024.
_ROUND = timedelta(weeks=1024)
_ROLLOVER_TOLERANCE = timedelta(days=2)
_MAX_AGE_S = 7 * 86_400
_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)
_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d\d)", re.ASCII)
_US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_CLOCK = re.compile(
    r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d{1,9})?)?\s*([AP]M)?\s*(Z|UTC|GMT|Timezone:0)?",
    re.ASCII | re.IGNORECASE,
)
_ZONE = re.compile(r"(?:[Zz]|[+-]\d\d(?::?\d\d)?)\s*$", re.ASCII)
_NO_ZONE = "no zone: taken as UTC"
_PARTS = ("year", "month", "day", "hour", "minute", "second")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class TimeFound(Struct, frozen=True):
    """A time with the members that said it; `guess` says what was assumed of it."""

    at: datetime
    members: tuple[Member, ...]
    guess: str = ""


def time_of(scope: Scope, now: datetime, rounds: int = 0) -> TimeFound | None:
    """Return the time that a scope names for itself, unless it is implausible at `now`.

    `rounds` of 1,024 weeks are added for a receiver that has lost count of them.
    """
    by_role: dict[TimeRole, Member] = {}
    for member in scope.members:
        role = None if member.fate else time_role(member.names[-1])
        if role is not None:
            found = _time_of_member(member, now, rounds)
            if found is not None:
                return found
            by_role.setdefault(role, member)
    if "clock" in by_role and "date" in by_role:
        return _time_of_pair(by_role["date"], by_role["clock"], now, rounds)
    return _time_of_parts(scope, now, rounds)


def used_time(found: TimeFound) -> datetime:
    """Settle the members of a time, and return it."""
    for member in found.members:
        member.settle("time", reason=found.guess)
    return found.at


def is_plausible(at: datetime, now: datetime) -> bool:
    """Return True for a time from the first plausible one to a day ahead of `now`."""
    return at >= EARLIEST_PLAUSIBLE and at - now <= timedelta(days=1)


def rounds_behind(at: datetime, now: datetime) -> int:
    """Return how many rounds of 1,024 weeks a time is behind, if that alone is wrong with it."""
    for rounds in (1, 2):
        if abs(now - at - rounds * _ROUND) <= _ROLLOVER_TOLERANCE:
            return rounds
    return 0


@lru_cache(maxsize=4_096)
def time_role(name: str) -> TimeRole | None:
    """Return how a member of this name may say the time of its object; None if it does not."""
    words = [word for word in words_of(name) if not word.isdecimal()]
    core = [word for word in words if word in TIME_WORDS]
    if not core or not all(word in TIME_WORDS or word in TIME_FILLERS for word in words):
        return None
    if core == ["date"]:
        return "date"
    return "clock" if core == ["time"] and words == ["time"] else "instant"


def age_s(member: Member) -> float | None:
    """Return the seconds since the fix in a member that a rule declares to be them, or None."""
    found = number(member.value) if member.names[-1] == "position_age" else None
    return found if found is not None and 0 <= found <= _MAX_AGE_S else None


def _time_of_member(member: Member, now: datetime, rounds: int) -> TimeFound | None:
    is_utc = "utc" in words_of(member.names[-1])
    return _plausible(_instant(member.value, is_utc=is_utc), (member,), now, rounds)


def _time_of_pair(date: Member, clock: Member, now: datetime, rounds: int) -> TimeFound | None:
    text = f"{date.value} {clock.value}"
    return _plausible(_instant_of_loose_text(text), (date, clock), now, rounds)


def _time_of_parts(scope: Scope, now: datetime, rounds: int) -> TimeFound | None:
    """Read a time in parts, `{"year": 2026, "month": "January", …}`, of an object inside."""
    for inner in scope.inner:
        if len(inner.members) >= len(_PARTS) and time_role(inner.names[-1]) is not None:
            found = _instant_of_parts(inner.members)
            if found is not None:
                return _plausible((found, _NO_ZONE), inner.members, now, rounds)
    return None


def _plausible(
    found: tuple[datetime, str] | None, members: Iterable[Member], now: datetime, rounds: int
) -> TimeFound | None:
    if found is None:
        return None
    at, guess = _corrected(found[0], now, rounds), found[1]
    if not is_plausible(at, now) or (guess and at > now + CLOCK_TOLERANCE):
        return None
    return TimeFound(at, tuple(members), guess)


def _corrected(at: datetime, now: datetime, rounds: int) -> datetime:
    """Return a time with the rounds that its clock is behind, unless that would be ahead."""
    is_behind = rounds > 0 and at + rounds * _ROUND <= now + CLOCK_TOLERANCE
    return at + rounds * _ROUND if is_behind else at


def _instant(value: Any, *, is_utc: bool) -> tuple[datetime, str] | None:
    """Return the instant that a value says, and what was assumed of it."""
    if not isinstance(value, str):
        return _instant_of_count(number(value))
    count = number_of_text(value)
    if count is not None:
        return _instant_of_count(count)
    found = _instant_of_iso(value) or _instant_of_loose_text(value)
    return (found[0], "") if found and is_utc else found


def _instant_of_count(count: float | None) -> tuple[datetime, str] | None:
    try:
        return None if count is None else (instant_by_magnitude(count), "")
    except ValueError:
        return None


def _instant_of_iso(text: str) -> tuple[datetime, str] | None:
    try:
        at = instant_of_text(text, is_zone_optional=True)
    except ValueError:
        return None
    return at, "" if _ZONE.search(text) else _NO_ZONE


def _instant_of_loose_text(text: str) -> tuple[datetime, str] | None:
    """Read `2026-11-5 8:3:9`, `13.12.21 14:22`, `11/21/2024, 1:02:44 AM`."""
    date_text, _, clock_text = text.strip()[:48].replace(",", " ").partition(" ")
    clock = _CLOCK.fullmatch(clock_text.strip())
    date = _date(date_text, is_us=bool(clock and clock[4]))
    if clock is None or date is None:
        return None
    hour = int(clock[1]) % 12 + 12 * (clock[4].lower() == "pm") if clock[4] else int(clock[1])
    try:
        at = datetime(*date, hour, int(clock[2]), int(clock[3] or 0), tzinfo=UTC)
    except ValueError:
        return None
    return at, "" if clock[5] else _NO_ZONE


def _date(text: str, *, is_us: bool) -> tuple[int, int, int] | None:
    if match := _DATE.fullmatch(text):
        return int(match[1]), int(match[2]), int(match[3])
    if match := _GERMAN_DATE.fullmatch(text):
        year = int(match[3])
        return (year if year > 99 else 2000 + year), int(match[2]), int(match[1])
    if is_us and (match := _US_DATE.fullmatch(text)):
        return int(match[3]), int(match[1]), int(match[2])
    return None


def _instant_of_parts(members: Iterable[Member]) -> datetime | None:
    parts: dict[str, int] = {}
    for member in members:
        name = member.names[-1].lower().rstrip("s")
        value = _month(member.value) if name == "month" else number(member.value)
        if name in _PARTS and isinstance(value, int):
            parts[name] = value
    try:
        return datetime(*(parts[name] for name in _PARTS), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except (KeyError, ValueError, OverflowError):
        return None


def _month(value: Any) -> Any:
    name = value[:3].lower() if isinstance(value, str) else ""
    return _MONTHS.index(name) + 1 if name in _MONTHS else value
