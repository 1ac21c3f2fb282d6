"""Metering: counting positions by event time, in the transaction that stores them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from billing.models import UsageHour
from tracker.statements import run


def meter(measured: Iterable[tuple[int, datetime]]) -> None:
    """Count positions, given as (asset id, measured at), in their hours. One statement.

    Call with the asset rows locked and with new, plausible positions only: repeats and
    doubted times count nothing (faults F-043, F-128).
    """
    counts = Counter(
        (asset_id, at.replace(minute=0, second=0, microsecond=0)) for asset_id, at in measured
    )
    if not counts:
        return
    rows = sorted(counts.items())
    run(
        "INSERT INTO billing_usagehour AS u (asset_id, hour, positions)"
        " SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::int[])"
        " ON CONFLICT (asset_id, hour)"
        " DO UPDATE SET positions = u.positions + excluded.positions",
        [
            [asset_id for (asset_id, _), _ in rows],
            [hour for (_, hour), _ in rows],
            [count for _, count in rows],
        ],
    )


def remeter(asset_id: int, since: datetime, hours: Iterable[tuple[datetime, int]]) -> None:
    """Replace what was counted for an asset from the hour of `since` on, after history moved."""
    start = since.replace(minute=0, second=0, microsecond=0)
    UsageHour.objects.filter(asset_id=asset_id, hour__gte=start).delete()
    UsageHour.objects.bulk_create(
        UsageHour(asset_id=asset_id, hour=hour, positions=count) for hour, count in hours
    )
