"""A fold that waits for the clock is asked when its instant has come, also without a fact."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from positions.models import AssetState
from tests.judging.toy_folds import SILENT_AFTER_US, SilenceFold
from tests.road.scenes import deliver, forget_memory, occurrences_of, outside
from tracker.deadlines import meet_deadlines
from tracker.road.interval_ledger import IntervalLedger

SILENT_AFTER = timedelta(microseconds=SILENT_AFTER_US)


@pytest.fixture(autouse=True)
def _with_a_fold_that_waits() -> None:
    forget_memory(more_ledgers=[IntervalLedger(SilenceFold())])


def kinds(van):
    return [row[1] for row in occurrences_of(van) if row[0] == SilenceFold.name]


def test_assets_that_are_not_due_are_not_judged(north, van):
    now = timezone.now()
    deliver(north, [outside(van, now)], received_at=now)

    assert meet_deadlines() == 0
    assert AssetState.objects.get(asset=van).asks_at == now + SILENT_AFTER


def test_an_instant_that_has_passed_when_a_fact_is_judged_is_met_at_once(north, van):
    now = timezone.now()

    deliver(north, [outside(van, now - 2 * SILENT_AFTER)], received_at=now)

    assert kinds(van) == ["silent"]
    assert AssetState.objects.get(asset=van).asks_at is None


def test_the_sweep_finds_silence_without_a_further_fact(north, van):
    now = timezone.now()
    deliver(north, [outside(van, now)], received_at=now)
    assert kinds(van) == []

    due_at = now + SILENT_AFTER

    assert (meet_deadlines(now=due_at), meet_deadlines(now=due_at)) == (1, 0)
    assert kinds(van) == ["silent"]
