"""Writes to the memory for people and tasks. The road writes through `store`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from positions.models import Rejudging


def ask_for_rejudging(
    *,
    organisation_id: int,
    since: datetime,
    reason: str,
    asset_ids: Iterable[int] = (),
    is_history_moved: bool = False,
    is_scope_changed: bool = False,
    by: User | None = None,
) -> int:
    """Record that some or all assets must be judged again from `since` on. Returns the row's id.

    Call it in the transaction of the changed fact; a periodic task does the work.
    """
    row = Rejudging.objects.create(
        organisation_id=organisation_id,
        since=since,
        reason=reason[:200],
        asset_ids=sorted(set(asset_ids)),
        is_history_moved=is_history_moved,
        is_scope_changed=is_scope_changed,
        asked_by=by,
    )
    return int(row.pk)


def is_rejudging_pending(*, organisation_id: int, asset_id: int, since: datetime) -> bool:
    """Return whether an open re-judging will judge the asset from `since` on anyway.

    Reliable only while the asset is locked, so that no other process judges it.
    """
    is_under_way = Q(current_asset_id=asset_id, settled_until__lte=since)
    is_ahead = ~Q(current_asset_id=asset_id) | Q(current_asset_id=None)
    return (
        Rejudging.objects.filter(
            finished_at=None, organisation_id=organisation_id, after_asset_id__lt=asset_id
        )
        .filter(Q(asset_ids=[]) | Q(asset_ids__contains=[asset_id]))
        .filter(is_under_way | Q(is_ahead, since__lte=since))
        .exists()
    )


def claim_rejudging(leave_out: Iterable[int] = ()) -> Rejudging | None:
    """Return the oldest open re-judging, locked until the transaction of the caller ends."""
    return (
        Rejudging.objects.select_for_update(skip_locked=True)
        .filter(finished_at=None)
        .exclude(pk__in=leave_out)
        .order_by("pk")
        .first()
    )


def start_rejudging(rejudging: Rejudging, *, assets_total: int) -> None:
    rejudging.started_at = timezone.now()
    rejudging.assets_total = assets_total
    rejudging.save(update_fields=["started_at", "assets_total"])


def record_progress(rejudging: Rejudging, asset_id: int, settled_until: datetime | None) -> None:
    """Record up to when a re-judging has judged an asset; None if it has finished the asset."""
    is_done = settled_until is None
    rejudging.settled_until = settled_until
    rejudging.current_asset_id = None if is_done else asset_id
    if is_done:
        rejudging.after_asset_id = asset_id
        rejudging.assets_done += 1
    rejudging.save(
        update_fields=["settled_until", "current_asset_id", "after_asset_id", "assets_done"]
    )


def finish_rejudging(rejudging: Rejudging) -> None:
    rejudging.finished_at = timezone.now()
    rejudging.save(update_fields=["finished_at"])
