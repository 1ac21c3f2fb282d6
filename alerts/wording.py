"""What alerts say to people, in plain Python: the same words in the feed and in every message."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.telling import Reason
from outbox.messages import one_line

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
    """Return what happened, or that it did not, without a full stop.

    A kind of occurrence without words of its own is named.
    """
    words = DID_NOT if is_withdrawn else DID
    verb = words.get(kind, f"{'did not have' if is_withdrawn else 'had'} {one_line(kind)}")
    place = "" if geofence is None else f" {one_line(geofence)}"
    return f"{one_line(asset)} {verb}{place}"


def subject(said: str, *, is_correction: bool) -> str:
    return f"Correction: {said}" if is_correction else said


def remark(reason: Reason, *, is_moved: bool, is_late: bool, opened: str) -> str:
    """Return why people hear of this now, if that is not plain. `opened` is when we learned."""
    if reason == "withdrawn":
        return "We told you that it did. A late report shows otherwise."
    if reason == "amended":
        what = "that it was at another time than" if is_moved else "something else than"
        return f"A late report shows {what} we told you."
    return f"The report of this reached us late, on {opened}." if is_late else ""


def zone_named(name: str) -> tzinfo:
    """Return the time zone, or UTC where the name is none: a message matters more."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def clock_text(at: datetime, zone: tzinfo) -> str:
    """Return such as `Tue 14 Oct 2025, 14:03:20 CEST`."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M:%S} {local.tzname()}"
