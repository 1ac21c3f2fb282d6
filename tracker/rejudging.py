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

import structlog
from django.db import InterfaceError, OperationalError, transaction
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

log = structlog.get_logger(__name__)

BUDGET_S = 20.0
DATABASE_AWAY = (OperationalError, InterfaceError)


def continue_rejudgings(budget_s: float = BUDGET_S) -> int:
    """Work on open re-judgings for `budget_s`; return how many assets were finished.

    An asset that cannot be judged is left out of its re-judging and logged. A re-judging that
    fails as a whole is logged and tried again by the next sweep; the others go on.
    """
    _record_promised_rejudgings()
    deadline = time.monotonic() + budget_s
    done = 0
    failed: set[int] = set()
    while time.monotonic() < deadline:
        step = _judge_next_part(failed)
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


def _judge_next_part(failed: set[int]) -> int | None:
    """Judge the next part of an asset of the oldest open re-judging that is not in `failed`.

    Returns 1 if the asset is finished, 0 if not, None if no such re-judging is open. A crash rolls
    the part back. A re-judging that fails as a whole is added to `failed`.
    """
    with transaction.atomic():
        work = claim_rejudging(leave_out=failed)
        if work is None:
            return None
        try:
            with transaction.atomic():
                return _judge_part_of(work)
        except DATABASE_AWAY:
            raise
        except Exception:  # a bug of ours, or a bad row: other re-judgings go on
            log.exception("a re-judging failed", rejudging=work.pk)
            failed.add(work.pk)
            return 0


def _judge_part_of(work: Any) -> int:
    assets = _assets_of(work.organisation_id, work.asset_ids)
    if work.started_at is None:
        start_rejudging(work, assets_total=assets.count())
    asset = assets.filter(pk__gt=work.after_asset_id).order_by("pk").only("pk").first()
    if asset is None:
        finish_rejudging(work)
        return 0
    settled_until = _judge_asset(work, asset.pk)
    record_progress(work, asset.pk, settled_until)
    return int(settled_until is None)


def _judge_asset(work: Any, asset_id: int) -> datetime | None:
    """Judge the next part of an asset; return from where to continue, None if it is finished."""
    is_begun = work.current_asset_id == asset_id and work.settled_until is not None
    try:
        return judge_again(
            asset_id,
            memory_of_process(),
            since=work.settled_until if is_begun and work.settled_until else work.since,
            cause=_cause(work.pk, work.reason, work.since),
            is_history_moved=work.is_history_moved and not is_begun,
            is_scope_changed=work.is_scope_changed,
        )
    except DATABASE_AWAY:
        raise
    except Exception:  # a bug of ours, or a bad row: the other assets are judged
        log.exception("an asset is left out of a re-judging", asset=asset_id, rejudging=work.pk)
        return None


def _assets_of(organisation_id: int, wanted: Sequence[int]) -> QuerySet[Asset]:
    assets = Asset.objects.filter(organisation_id=organisation_id)
    return assets.filter(pk__in=wanted) if wanted else assets


def _cause(number: int, reason: str, since: datetime) -> dict[str, Any]:
    return {"kind": "rejudging", "id": number, "reason": reason, "since": since.isoformat()}
