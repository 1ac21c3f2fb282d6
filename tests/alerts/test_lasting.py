"""Alerts about what lasts: open while it lasts, resolved when it ends, corrected with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import transaction

from alerts import actions
from alerts.changed_alerts import ChangedAlert
from alerts.models import Alert
from alerts.rule_judging import judge_rules
from assets.models import Asset
from core.occurrence import Occurrence, OccurrenceChange
from tests.alerts.scenes import make_rule, notifications_of
from tests.builders import EVENING, NOON, TEN, make_user

pytestmark = pytest.mark.django_db
ANNA = "anna@north.example"


@pytest.fixture(autouse=True)
def rule(depot):
    return make_rule(depot, ANNA, trigger="enter")


def judge(
    van: Asset, depot: Any, change: str = "new", *, begin: datetime = TEN, **more: Any
) -> list[ChangedAlert]:
    """Judge an occurrence that lasts, and that has to do with the depot."""
    occurrence = Occurrence(
        kind="enter",
        organisation_id=van.organisation_id,
        asset_id=van.pk,
        begin_at=begin,
        end_at=more.pop("end", None),
        evidence_kind="occurrence",
        evidence_id=1,
        geofence_id=depot.pk,
        **more,
    )
    with transaction.atomic():
        return judge_rules(
            [OccurrenceChange(change=change, occurrence=occurrence)],  # type: ignore[arg-type]
            now=EVENING,
        )


def alert() -> Alert:
    return Alert.objects.get()


def changes() -> list[str]:
    return list(alert().changes.order_by("number").values_list("change", flat=True))


def test_it_is_open_while_it_lasts_and_refers_to_no_crossing(van, depot):
    judge(van, depot, peak=9.5, margin=1.5)

    assert (alert().state, alert().at, alert().end_at) == ("open", TEN, None)
    assert (alert().evidence_kind, alert().evidence_id) == ("occurrence", 1)
    assert (alert().crossing, alert().peak, alert().margin) == (None, 9.5, 1.5)


def test_it_is_resolved_when_it_ends_and_no_person_is_notified(van, depot):
    judge(van, depot)

    (resolved,) = judge(van, depot, "grown", end=NOON)

    assert (resolved.change, resolved.notification_ids) == ("resolved", ())
    assert (alert().state, alert().end_at) == ("resolved", NOON)
    assert notifications_of(alert().pk) == [("raised", "pending")]


def test_one_that_was_acknowledged_is_resolved_too(van, depot):
    judge(van, depot)
    actions.acknowledge_alert(alert=alert(), user=make_user())

    judge(van, depot, "grown", end=NOON)

    assert alert().state == "resolved"


def test_a_late_fact_that_shows_it_had_not_ended_opens_it_again(van, depot):
    judge(van, depot, end=NOON)
    assert (alert().state, changes()) == ("resolved", ["raised"])

    judge(van, depot, "moved")

    assert (alert().state, alert().end_at) == ("open", None)
    assert changes() == ["raised", "reopened"]


def test_one_that_was_acknowledged_is_acknowledged_again(van, depot):
    judge(van, depot)
    actions.acknowledge_alert(alert=alert(), user=make_user())
    judge(van, depot, "grown", end=NOON)

    judge(van, depot, "moved")

    assert alert().state == "acknowledged"


def test_an_end_that_moves_amends_it(van, depot):
    judge(van, depot, end=NOON)

    judge(van, depot, "moved", end=EVENING)

    assert (changes(), alert().end_at) == (["raised", "amended"], EVENING)


def test_growing_without_an_end_is_no_change(van, depot):
    judge(van, depot)

    assert judge(van, depot, "grown", peak=12.0) == []


def test_one_that_never_was_is_withdrawn_and_keeps_what_it_said(van, depot):
    judge(van, depot, end=NOON)

    judge(van, depot, "withdrawn")

    assert (alert().state, alert().end_at) == ("withdrawn", NOON)


def test_one_that_has_ended_and_never_was_may_come_back_resolved(van, depot):
    judge(van, depot)
    judge(van, depot, "withdrawn")

    judge(van, depot, "added", end=NOON)

    assert (alert().state, changes()[-1]) == ("resolved", "reinstated")
