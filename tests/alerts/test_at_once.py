"""Several transactions at the same moment, on real connections."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from django.db import connection, transaction

from accounts.models import User
from alerts.actions import acknowledge_alert
from alerts.models import Alert, AlertChange
from alerts.rule_judging import judge_rules
from alerts.stream import alerts_after, newest_number
from outbox.leases import claim_notifications
from outbox.models import Notification
from tests.alerts.scenes import crossing_of, judge, make_geofence, make_rule, raise_alert
from tests.builders import NOON, TEN, make_van

pytestmark = pytest.mark.django_db(transaction=True)
ANNA = "anna@north.example"
PATIENCE_S = 10


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Return what each gave, all begun at the same moment on connections of their own."""
    ready = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        try:
            ready.wait(PATIENCE_S)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.fault("F-077")
def test_two_workers_that_judge_the_same_at_once_raise_one_alert(van, depot):
    make_rule(depot, ANNA)
    crossings = [crossing_of(van, depot, kind) for kind in ("enter", "exit") * 5]

    answers = at_once(*[lambda: judge(*crossings)] * 4)

    assert sorted(len(answer) for answer in answers) == [0, 0, 0, 10]
    assert Alert.objects.count() == Notification.objects.count() == 10
    assert AlertChange.objects.count() == 10


@pytest.mark.fault("F-083")
def test_two_people_who_acknowledge_at_once_get_the_same_winner(van, depot, operator, owner):
    make_rule(depot)
    pk = raise_alert(van, depot).pk

    def acknowledge(user: User) -> Any:
        alert = Alert.objects.get(pk=pk)
        return acknowledge_alert(alert=alert, user=user, now=NOON), alert.acknowledged_by

    answers = at_once(*[lambda user=user: acknowledge(user) for user in (operator, owner)] * 2)

    assert sorted(won for won, _ in answers) == [False, False, False, True]
    assert len({winner for _, winner in answers}) == 1
    assert AlertChange.objects.filter(change="acknowledged").count() == 1


def test_judging_and_acknowledging_at_once_do_not_wait_for_each_other_for_ever(
    van, depot, operator
):
    make_rule(depot, ANNA)
    entries = [crossing_of(van, depot) for _ in range(20)]
    judge(*entries)
    alerts = list(Alert.objects.order_by("-pk"))
    gone = [msgspec.structs.replace(entry, change="moved", at=NOON) for entry in entries]

    def acknowledge_all():
        return [acknowledge_alert(alert=alert, user=operator) for alert in alerts]

    at_once(lambda: judge(*gone), acknowledge_all)

    numbers = list(AlertChange.objects.order_by("number").values_list("number", flat=True))
    assert len(numbers) == len(set(numbers)) == 60


def test_who_saw_a_number_has_seen_all_before_it(north, south, van, depot, dispatcher):
    """The one who follows both hauliers must not miss the one that commits last."""
    make_rule(depot)
    southern = make_geofence(south)
    make_rule(southern, organisation=south)
    first, second = crossing_of(van, depot), crossing_of(make_van(south), southern)
    numbered, may_commit = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            judge_rules([first.as_occurrence()], now=TEN)
            numbered.set()
            may_commit.wait(PATIENCE_S)

    def quick():
        numbered.wait(PATIENCE_S)
        threading.Timer(0.2, may_commit.set).start()
        judge(second)
        return [row["organisation"] for row in alerts_after(dispatcher, 0, 10)]

    _, seen = at_once(slow, quick)

    assert seen == [north.pk, south.pk]
    assert newest_number() == 2


def test_workers_that_claim_at_once_share_what_is_due(van, depot):
    make_rule(depot, ANNA)
    judge(*[crossing_of(van, depot) for _ in range(40)])

    answers = at_once(*[lambda: claim_notifications(limit=10, now=NOON)] * 4)

    ids = [claim.notification_id for answer in answers for claim in answer]
    assert len(ids) == len(set(ids)) == 40


def test_judging_works_in_a_transaction_that_the_road_opened_itself(van, depot):
    make_rule(depot, ANNA)
    entry = crossing_of(van, depot)
    transaction.set_autocommit(False)
    try:
        judge_rules([entry.as_occurrence()], now=TEN)
        transaction.rollback()
        rolled_back = Alert.objects.count()
        judge_rules([entry.as_occurrence()], now=TEN)
        moved = msgspec.structs.replace(entry, change="moved", at=NOON)
        judge_rules([moved.as_occurrence()], now=TEN)
        transaction.commit()
    finally:
        transaction.set_autocommit(True)

    assert rolled_back == 0
    assert Alert.objects.get().at == NOON
