"""Metering: the hours in which assets measured something, by event time.

An hour is used or not used: repeats, retries and the order of arrival cannot change it
(faults F-043, F-128), and nothing is written for an hour that is known to be used.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from billing.models import UsageHour
from core.observation import instant
from core.statements import run

HOUR_US = 3_600_000_000
# Hours since 1970 until the end of the calendar, in one number with the asset's id: a set of
# such numbers takes a third of the memory that pairs would.
_HOURS = 1 << 27

# With more hours the memory is emptied.
MAX_REMEMBERED = 500_000


class KnownHours:
    """The hours that this process has seen committed, at one revision of the registry.

    A device that moves to another asset may take hours away from its former asset, so the
    memory is emptied at each new revision of the registry.
    """

    def __init__(self) -> None:
        self._revision = -1
        self._hours: set[int] = set()

    def unknown(self, hours: set[int], revision: int) -> set[int]:
        """Return the hours that may have to be written; empty the memory if it is outdated."""
        if revision != self._revision or len(self._hours) > MAX_REMEMBERED:
            self._revision, self._hours = revision, set()
        return hours - self._hours

    def remember(self, hours: set[int], revision: int) -> None:
        if revision == self._revision:
            self._hours |= hours


def meter(measured: Iterable[tuple[int, int]], known_hours: KnownHours, *, revision: int) -> None:
    """Record the hours of positions, given as (asset id, µs since 1970). One statement or none.

    Call it in a transaction that holds the asset rows and sees the registry at `revision`,
    with new, plausible positions only.
    """
    hours = {asset_id * _HOURS + at_us // HOUR_US for asset_id, at_us in measured}
    fresh = known_hours.unknown(hours, revision)
    if not fresh:
        return
    rows = [divmod(hour, _HOURS) for hour in sorted(fresh)]
    run(
        "INSERT INTO billing_usagehour (asset_id, hour)"
        " SELECT * FROM unnest(%s::bigint[], %s::timestamptz[]) ON CONFLICT DO NOTHING",
        [[asset_id for asset_id, _ in rows], [instant(hour * HOUR_US) for _, hour in rows]],
    )
    transaction.on_commit(lambda: known_hours.remember(fresh, revision))


def remeter(asset_id: int, since: datetime, hours: Iterable[datetime]) -> None:
    """Replace the hours of an asset from the hour of `since` on, after its history moved."""
    start = since.replace(minute=0, second=0, microsecond=0)
    UsageHour.objects.filter(asset_id=asset_id, hour__gte=start).delete()
    UsageHour.objects.bulk_create(UsageHour(asset_id=asset_id, hour=hour) for hour in hours)
