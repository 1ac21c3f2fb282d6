"""Writes on the memory that people or tasks ask for. What the road writes is in `store`."""

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
    """Write down that what follows from `since` on must be judged anew, for some or all assets.

    Call it in the transaction of the changed fact: a sweep takes it from there. Returns the id.
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


def is_asked_for(*, organisation_id: int, asset_id: int, since: datetime) -> bool:
    """Whether an open re-judging will come by what follows from `since` on anyway.

    Sure only while the asset is locked, since nobody judges it meanwhile.
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


def claim_rejudging() -> Rejudging | None:
    """Return the oldest open re-judging, locked until the transaction of the caller ends."""
    return (
        Rejudging.objects.select_for_update(skip_locked=True)
        .filter(finished_at=None)
        .order_by("pk")
        .first()
    )


def start_rejudging(rejudging: Rejudging, *, assets_total: int) -> None:
    rejudging.started_at = timezone.now()
    rejudging.assets_total = assets_total
    rejudging.save(update_fields=["started_at", "assets_total"])


def note_progress(rejudging: Rejudging, asset_id: int, settled_until: datetime | None) -> None:
    """Remember how far a re-judging has come with an asset; None for all the way."""
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
