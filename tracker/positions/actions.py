"""Writes on the memory that people or tasks ask for. What the road writes is in `store`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone

from tracker.positions.models import Rejudging, SetAside


def ask_for_rejudging(
    *,
    organisation_id: int,
    since: datetime,
    reason: str,
    asset_ids: Iterable[int] = (),
    is_history_moved: bool = False,
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
    )
    return int(row.pk)


def claim_rejudging() -> Rejudging | None:
    """Return the oldest open re-judging, locked until the transaction of the caller ends."""
    return (
        Rejudging.objects.select_for_update(skip_locked=True)
        .filter(finished_at=None)
        .order_by("pk")
        .first()
    )


def note_progress(rejudging: Rejudging, *, after_asset_id: int, done: int, total: int) -> None:
    """Remember how far a re-judging has come, so that it can be taken up there."""
    rejudging.after_asset_id = after_asset_id
    rejudging.assets_done += done
    rejudging.assets_total = total
    rejudging.save(update_fields=["after_asset_id", "assets_done", "assets_total"])


def finish_rejudging(rejudging: Rejudging) -> None:
    rejudging.finished_at = timezone.now()
    rejudging.save(update_fields=["finished_at"])


def mark_replayed(set_aside: SetAside) -> None:
    """Note that an uplink that was set aside has been taken up."""
    set_aside.replayed_at = timezone.now()
    set_aside.save(update_fields=["replayed_at"])
