"""Hours of the day in which a rule is quiet, by the wall clock of its zone, in plain Python."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

DAY = timedelta(days=1)


class QuietHours(Struct, frozen=True):
    """From `since` until `until`, on the next day where that is not later, in an IANA `zone`.

    Each day's window opens once and closes once, also where the clock is changed (fault F-053).
    Of a time that the clock shows twice on that day, the first counts; a time that it leaves out
    is replaced by the moment at which it jumps.
    """

    since: time
    until: time
    zone: str

    def cover(self, at: datetime) -> bool:
        """Return whether `at`, an aware time, lies in the window of any day."""
        today = at.astimezone(ZoneInfo(self.zone)).date()
        # A clock that is set back over midnight shows yesterday's date in today's window.
        return any(
            opens_at <= at < closes_at
            for opens_at, closes_at in map(self.window, (today - DAY, today, today + DAY))
        )

    def window(self, day: date) -> tuple[datetime, datetime]:
        """Return when the window that begins on `day` opens and closes, in UTC."""
        zone = ZoneInfo(self.zone)
        last_day = day if self.until > self.since else day + DAY
        return first_shown(day, self.since, zone), first_shown(last_day, self.until, zone)


def first_shown(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return when the wall clock of `zone` first shows `clock` or later on `day`, in UTC."""
    wanted = datetime.combine(day, clock, tzinfo=zone)
    shown_at = wanted.astimezone(UTC)
    if shown_at.astimezone(zone).replace(tzinfo=None) == wanted.replace(tzinfo=None):
        return shown_at
    # The clock leaves `wanted` out. By PEP 495, the offset before the jump gives a moment after
    # the jump, and the offset after the jump gives a moment before it.
    return _jump(wanted.replace(fold=1).astimezone(UTC), shown_at, zone)


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the second between `before` and `after` at which the UTC offset changes."""
    old = before.astimezone(zone).utcoffset()
    early_s, late_s = int(before.timestamp()), int(after.timestamp())
    while late_s - early_s > 1:
        middle_s = (early_s + late_s) // 2
        if datetime.fromtimestamp(middle_s, zone).utcoffset() == old:
            early_s = middle_s
        else:
            late_s = middle_s
    return datetime.fromtimestamp(late_s, UTC)
