"""Judging again what a changed fact touches: in the background, bounded and resumable.

A geofence that is drawn or redrawn, also for the past, and a device that was on another
asset than we thought, are facts like any other. Each asset is judged again in a transaction
of its own, under its lock, so that ingest goes on meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from assets.actions import take_moved_histories
from assets.models import Asset
from tracker.pipeline import judge_again
from tracker.positions.actions import (
    ask_for_rejudging,
    claim_rejudging,
    finish_rejudging,
    note_progress,
)

BUDGET_S = 20.0
# Assets between two notes of progress: what a killed worker does again at the most.
STEP = 25


def go_on(budget_s: float = BUDGET_S) -> int:
    """Work on what is open for so long; return how many assets were judged again."""
    _take_over_moved_histories()
    deadline = time.monotonic() + budget_s
    done = 0
    while time.monotonic() < deadline:
        step = _one_step()
        if step is None:
            break
        done += step
    return done


def _take_over_moved_histories() -> None:
    """Turn each promise of a changed assignment into a re-judging of its asset."""
    with transaction.atomic():
        for asset_id, organisation_id, since in take_moved_histories():
            ask_for_rejudging(
                organisation_id=organisation_id,
                since=since,
                reason=f"history moved to or from asset {asset_id}",
                asset_ids=[asset_id],
                is_history_moved=True,
            )


def _one_step() -> int | None:
    """Judge the next assets of the oldest open re-judging; None where nothing is open."""
    with transaction.atomic():
        work = claim_rejudging()
        if work is None:
            return None
        asset_ids = _assets_of(work.organisation_id, work.asset_ids)
        waiting = [asset_id for asset_id in asset_ids if asset_id > work.after_asset_id]
        for asset_id in waiting[:STEP]:
            judge_again(
                asset_id,
                since=work.since,
                cause=_cause(work.pk, work.reason, work.since),
                is_history_moved=work.is_history_moved,
            )
        if waiting:
            last = waiting[:STEP][-1]
            note_progress(work, after_asset_id=last, done=len(waiting[:STEP]), total=len(asset_ids))
        if len(waiting) <= STEP:
            finish_rejudging(work)
        return len(waiting[:STEP])


def _assets_of(organisation_id: int, wanted: Sequence[int]) -> list[int]:
    assets = Asset.objects.filter(organisation_id=organisation_id)
    if wanted:
        assets = assets.filter(pk__in=wanted)
    return list(assets.order_by("pk").values_list("pk", flat=True))


def _cause(number: int, reason: str, since: datetime) -> dict[str, Any]:
    return {"kind": "rejudging", "id": number, "reason": reason, "since": since.isoformat()}
