"""The sentences about alerts, in plain Python: the same in the feed and in notifications."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.due_notifications import Reason
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
    """Return a sentence about an occurrence, or about its withdrawal, without a full stop.

    An unknown kind of occurrence appears by its name.
    """
    words = DID_NOT if is_withdrawn else DID
    verb = words.get(kind, f"{'did not have' if is_withdrawn else 'had'} {one_line(kind)}")
    place = "" if geofence is None else f" {one_line(geofence)}"
    return f"{one_line(asset)} {verb}{place}"


def subject(text: str, *, is_correction: bool) -> str:
    return f"Correction: {text}" if is_correction else text


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
