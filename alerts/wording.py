"""The sentences about alerts, in plain Python: the same in the feed and in notifications."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.due_notifications import Reason
from outbox.messages import one_line

# Two reports as close as this tell one time.
CLOSE: Final = timedelta(minutes=1)
DID: Final = {
    "enter": "entered",
    "exit": "left",
    "pass": "passed through",
    "found": "was found inside",
    "lost": "was no longer inside",
    "moving": "was moving",
    "resting": "was resting",
}
DID_NOT: Final = {
    "enter": "did not enter",
    "exit": "did not leave",
    "pass": "did not pass through",
    "found": "was not inside",
    "lost": "was still inside",
    "moving": "was not moving",
    "resting": "was not resting",
}


def sentence(asset: str, kind: str, geofence: str | None, *, is_withdrawn: bool = False) -> str:
    """Return a sentence about an occurrence, or about its withdrawal, without a full stop.

    An unknown kind of occurrence appears by its name.
    """
    words = DID_NOT if is_withdrawn else DID
    verb = words.get(kind, f"{'did not have' if is_withdrawn else 'had'} {one_line(kind)}")
    place = "" if geofence is None else f" {one_line(geofence)}"
    return f"{one_line(asset)} {verb}{place}"


def subject(text: str, *, is_correction: bool, is_moved: bool, is_late: bool) -> str:
    """Return the subject of a mail; the first mail about a late report corrects nothing."""
    if is_correction:
        return f"Correction: {text}{' at another time' if is_moved else ''}"
    return f"Late: {text}" if is_late else text


def remark(reason: Reason, *, is_moved: bool, is_late: bool, opened: str) -> str:
    """Return the reason for a correction or a late notification; else an empty text.

    `opened` is the time at which the server found the occurrence.
    """
    if reason == "withdrawn":
        return "We told you that it did. A late report shows otherwise."
    if reason == "amended":
        what = "that it was at another time than" if is_moved else "something else than"
        return f"A late report shows {what} we told you."
    return f"The report of this reached us late, on {opened}." if is_late else ""


def inference(kind: str) -> str:
    """Return how an occurrence is known that no report shows; else an empty text."""
    if kind != "pass":
        return ""
    return "It is inferred: the straight way between two reports outside leads through."


def zone_named(name: str) -> tzinfo:
    """Return the time zone, or UTC for an unknown name: a notification must still go out."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def clock_text(at: datetime, zone: tzinfo) -> str:
    """Return a time as in `Tue 14 Oct 2025, 14:03:20 CEST`."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M:%S} {local.tzname()}"


def window_text(
    at: datetime, not_before: datetime | None, estimate: datetime | None, zone: tzinfo
) -> str:
    """Return when it was, as in `between Tue 14 Oct 2025, 07:50:00 CEST and …, about 07:51:10`.

    `at` is the first report after it, `not_before` the last report before it. Where the two are
    close, the time of the first report says enough.
    """
    if not_before is None or at - not_before <= CLOSE:
        return clock_text(at, zone)
    about = "" if estimate is None else f", about {_short(estimate, at, zone)}"
    return f"between {_short(not_before, at, zone)} and {clock_text(at, zone)}{about}"


def _short(at: datetime, beside: datetime, zone: tzinfo) -> str:
    """Return the time of day, if it is on the same day as another time in the same text."""
    local, other = at.astimezone(zone), beside.astimezone(zone)
    is_same_day = (local.date(), local.tzname()) == (other.date(), other.tzname())
    return f"{local:%H:%M:%S}" if is_same_day else clock_text(at, zone)
