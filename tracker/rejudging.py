"""Re-judgings after changed facts: in the background, bounded in time and resumable.

A drawn or redrawn geofence, also for the past, and a corrected assignment of a device are facts
like any other. Each asset is judged again under its lock; a long history in parts, each in its
own transaction, so that ingest continues meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from assets.actions import take_moved_histories
from assets.models import Asset, MovedHistory
from positions.actions import (
    ask_for_rejudging,
    claim_rejudging,
    finish_rejudging,
    record_progress,
    start_rejudging,
)
from tracker.pipeline import judge_again
from tracker.road.road_memory import memory_of_process

BUDGET_S = 20.0


def continue_rejudgings(budget_s: float = BUDGET_S) -> int:
    """Work on open re-judgings for `budget_s`; return how many assets were finished."""
    _record_promised_rejudgings()
    deadline = time.monotonic() + budget_s
    done = 0
    while time.monotonic() < deadline:
        step = _judge_next_part()
        if step is None:
            break
        done += step
    return done


def _record_promised_rejudgings() -> None:
    """Turn each `MovedHistory` into a re-judging of its asset."""
    with transaction.atomic():
        for moved in take_moved_histories():
            ask_for_rejudging(
                organisation_id=moved.asset.organisation_id,
                since=moved.since,
                reason=_reason(moved),
                asset_ids=[moved.asset_id],
                is_history_moved=not moved.is_scope_changed,
                is_scope_changed=moved.is_scope_changed,
                by=moved.recorded_by,
            )


def _reason(moved: MovedHistory) -> str:
    if moved.is_scope_changed:
        return f"other tags of asset {moved.asset_id}"
    return f"history moved to or from asset {moved.asset_id}"


def _judge_next_part() -> int | None:
    """Judge the next part of an asset of the oldest open re-judging.

    Returns 1 if the asset is finished, 0 if not, None if no re-judging is open. A crash rolls the
    part back.
    """
    with transaction.atomic():
        work = claim_rejudging()
        if work is None:
            return None
        assets = _assets_of(work.organisation_id, work.asset_ids)
        if work.started_at is None:
            start_rejudging(work, assets_total=assets.count())
        asset = assets.filter(pk__gt=work.after_asset_id).order_by("pk").only("pk").first()
        if asset is None:
            finish_rejudging(work)
            return 0
        is_begun = work.current_asset_id == asset.pk and work.settled_until is not None
        settled_until = judge_again(
            asset.pk,
            memory_of_process(),
            since=work.settled_until if is_begun and work.settled_until else work.since,
            cause=_cause(work.pk, work.reason, work.since),
            is_history_moved=work.is_history_moved and not is_begun,
            is_scope_changed=work.is_scope_changed,
        )
        record_progress(work, asset.pk, settled_until)
        return int(settled_until is None)


def _assets_of(organisation_id: int, wanted: Sequence[int]) -> QuerySet[Asset]:
    assets = Asset.objects.filter(organisation_id=organisation_id)
    return assets.filter(pk__in=wanted) if wanted else assets


def _cause(number: int, reason: str, since: datetime) -> dict[str, Any]:
    return {"kind": "rejudging", "id": number, "reason": reason, "since": since.isoformat()}
