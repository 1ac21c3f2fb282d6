"""Deadlines of folds that passed without a further fact."""

from __future__ import annotations

import time
from datetime import datetime

from django.utils import timezone

from positions.position_queries import assets_due
from tracker.pipeline import judge_again
from tracker.road.road_memory import memory_of_process

BUDGET_S = 20.0
ASSETS_AT_ONCE = 200


def meet_deadlines(budget_s: float = BUDGET_S, *, now: datetime | None = None) -> int:
    """Judge assets with deadlines until `now`, for at most `budget_s`; return how many."""
    ends_at = time.monotonic() + budget_s
    done = 0
    while time.monotonic() < ends_at:
        at = now or timezone.now()
        due = assets_due(at, limit=ASSETS_AT_ONCE)
        for asset_id in due:
            judge_again(
                asset_id, memory_of_process(), since=None, cause={"kind": "deadline"}, now=at
            )
        done += len(due)
        if len(due) < ASSETS_AT_ONCE:
            break
    return done
