"""Metering: in which hours assets measured something, by event time.

An hour is used or it is not: repeats, retries and the order of arrival cannot change it
(faults F-043, F-128), and nothing is written for an hour that is known to be.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from billing.models import UsageHour
from tracker.statements import run

Hour = tuple[int, datetime]

# Beyond so many the memory starts anew.
MAX_REMEMBERED = 500_000


class KnownHours:
    """The hours that this process has seen committed, while the registry stood still.

    A device that is put on another asset may take hours away from one: with each new
    revision of the registry the memory starts anew.
    """

    def __init__(self) -> None:
        self._revision = -1
        self._hours: set[Hour] = set()

    def unknown(self, hours: Iterable[Hour], revision: int) -> set[Hour]:
        """Return those of `hours` that may have to be written."""
        if revision != self._revision or len(self._hours) > MAX_REMEMBERED:
            self._revision, self._hours = revision, set()
        return {hour for hour in hours if hour not in self._hours}

    def remember(self, hours: set[Hour], revision: int) -> None:
        if revision == self._revision:
            self._hours |= hours


known_hours = KnownHours()


def meter(measured: Iterable[Hour], *, revision: int) -> None:
    """Note the hours of positions, given as (asset id, measured at). One statement or none.

    Call it in a transaction that holds the asset rows and sees the registry at `revision`,
    with new, plausible positions only.
    """
    hours = {(asset_id, at.replace(minute=0, second=0, microsecond=0)) for asset_id, at in measured}
    fresh = known_hours.unknown(hours, revision)
    if not fresh:
        return
    rows = sorted(fresh)
    run(
        "INSERT INTO billing_usagehour (asset_id, hour)"
        " SELECT * FROM unnest(%s::bigint[], %s::timestamptz[]) ON CONFLICT DO NOTHING",
        [[asset_id for asset_id, _ in rows], [hour for _, hour in rows]],
    )
    transaction.on_commit(lambda: known_hours.remember(fresh, revision))


def remeter(asset_id: int, since: datetime, hours: Iterable[datetime]) -> None:
    """Replace what was noted for an asset from the hour of `since` on, after history moved."""
    start = since.replace(minute=0, second=0, microsecond=0)
    UsageHour.objects.filter(asset_id=asset_id, hour__gte=start).delete()
    UsageHour.objects.bulk_create(UsageHour(asset_id=asset_id, hour=hour) for hour in hours)
