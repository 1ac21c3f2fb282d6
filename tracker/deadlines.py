"""Deadlines of folds that passed without a further fact."""

from __future__ import annotations

import time
from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from positions.position_queries import assets_due
from tracker.pipeline import judge_again
from tracker.road.road_memory import memory_of_process

log = structlog.get_logger(__name__)

BUDGET_S = 20.0
DATABASE_AWAY = (OperationalError, InterfaceError)
ASSETS_AT_ONCE = 200


def meet_deadlines(budget_s: float = BUDGET_S, *, now: datetime | None = None) -> int:
    """Judge assets with deadlines until `now`, for at most `budget_s`; return how many.

    An asset that cannot be judged is left out and logged, and tried again by the next sweep.
    """
    ends_at = time.monotonic() + budget_s
    done = 0
    failed: set[int] = set()
    while time.monotonic() < ends_at:
        at = now or timezone.now()
        due = assets_due(at, limit=ASSETS_AT_ONCE, leave_out=failed)
        failed |= {asset_id for asset_id in due if not _meet_deadline(asset_id, at)}
        done += len(due)
        if len(due) < ASSETS_AT_ONCE:
            break
    return done - len(failed)


def _meet_deadline(asset_id: int, at: datetime) -> bool:
    """Judge an asset whose deadline has passed; return whether that was possible."""
    try:
        judge_again(asset_id, memory_of_process(), since=None, cause={"kind": "deadline"}, now=at)
    except DATABASE_AWAY:
        raise
    except Exception:  # a bug of ours, or a bad row: the deadlines of others are met
        log.exception("an asset could not be judged at its deadline", asset=asset_id)
        return False
    return True
