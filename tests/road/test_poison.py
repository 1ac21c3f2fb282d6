"""A planted poison at each sweep: the others are worked on, and the log says what was left out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Organisation
from assets.models import Asset
from positions.actions import ask_for_rejudging
from positions.models import AssetState, Rejudging
from tests.builders import MORNING, NINE, TEN, make_van
from tests.judging.toy_folds import SILENT_AFTER_US, SilenceFold
from tests.road.scenes import (
    deliver,
    forget_memory,
    inside,
    kinds_of,
    observe,
    occurrences_of,
    outside,
)
from tests.road.test_rejudging import draw
from tracker.deadlines import meet_deadlines
from tracker.rejudging import continue_rejudgings
from tracker.road.interval_ledger import IntervalLedger

pytestmark = [pytest.mark.django_db, pytest.mark.field("H-1")]


def poison(asset: Asset) -> None:
    """Plant a state whose folds no release can read."""
    AssetState.objects.filter(asset=asset).update(judged=b"poison")


def test_a_poisoned_asset_keeps_no_other_from_its_deadline(
    north: Organisation, south: Organisation, caplog: pytest.LogCaptureFixture
) -> None:
    forget_memory(more_ledgers=[IntervalLedger(SilenceFold())])
    now = timezone.now()
    bad, good = make_van(north), make_van(south)
    deliver(north, [outside(bad, now - timedelta(seconds=1))], received_at=now)
    deliver(south, [outside(good, now)], received_at=now)
    poison(bad)

    done = meet_deadlines(now=now + timedelta(microseconds=SILENT_AFTER_US))

    assert done == 1
    assert "silent" in [row[1] for row in occurrences_of(good)]
    assert "could not be judged at its deadline" in caplog.text
    assert str(bad.pk) in caplog.text


def test_a_poisoned_asset_is_left_out_of_a_rejudging(
    north: Organisation, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = make_van(north), make_van(north)
    observe(north, outside(bad, NINE), outside(good, NINE), inside(good, TEN))
    poison(bad)

    draw(north)
    continue_rejudgings()

    assert [kind for kind, _ in kinds_of(good)] == ["enter"]
    assert not Rejudging.objects.filter(finished_at=None).exists()
    assert "left out of a re-judging" in caplog.text


def test_a_poisoned_rejudging_keeps_no_other_waiting(
    north: Organisation, south: Organisation, caplog: pytest.LogCaptureFixture
) -> None:
    van = make_van(south)
    observe(south, outside(van, NINE), inside(van, TEN))
    poisoned = ask_for_rejudging(organisation_id=north.pk, since=MORNING, reason="planted")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE positions_rejudging SET asset_ids = '[\"poison\"]' WHERE id = %s", [poisoned]
        )

    draw(south)
    continue_rejudgings()

    assert [kind for kind, _ in kinds_of(van)] == ["enter"]
    assert Rejudging.objects.get(pk=poisoned).finished_at is None
    assert "a re-judging failed" in caplog.text
