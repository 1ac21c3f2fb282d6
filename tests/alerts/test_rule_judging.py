from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from alerts import actions
from alerts.models import Alert, AlertChange, Recipient
from alerts.rule_judging import judge_rules
from geofence.crossing_changes import CrossingChange
from outbox.models import Notification
from tests.alerts.scenes import (
    crossing_of,
    judge,
    make_geofence,
    make_rule,
    notifications_of,
    occurrences_of,
)
from tests.builders import ELEVEN, EVENING, NINE, NOON, TEN, make_asset, make_van

pytestmark = pytest.mark.django_db
ANNA, BORIS = "anna@north.example", "boris@north.example"


def statements(changes: Sequence[CrossingChange]) -> int:
    """Judge, and return how many statements it took."""
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        judge_rules(occurrences_of(changes), now=TEN)
    return len([query for query in captured if "SAVEPOINT" not in query["sql"]])


def test_an_entry_raises_an_alert_and_a_notification_for_each_recipient(van, depot):
    make_rule(depot, ANNA, BORIS)

    (raised,) = judge(crossing_of(van, depot))

    alert = Alert.objects.get()
    assert (raised.change, raised.alert_id, raised.number) == ("raised", alert.pk, alert.number)
    assert (alert.kind, alert.at, alert.state, alert.is_late) == ("enter", TEN, "open", False)
    assert len(raised.notification_ids) == 2
    assert notifications_of(alert.pk) == [("raised", "pending"), ("raised", "pending")]


@pytest.mark.fault("F-072")
def test_entering_and_leaving_in_one_batch_gives_two_alerts_in_this_order(van, depot):
    make_rule(depot, ANNA)
    left = crossing_of(van, depot, "exit", ELEVEN)
    entered = crossing_of(van, depot, "enter", TEN)

    raised = judge(left, entered)

    numbers = [one.number for one in raised]
    kinds = [Alert.objects.get(pk=one.alert_id).kind for one in raised]
    assert kinds == ["enter", "exit"]
    assert numbers == sorted(numbers)
    assert list(Alert.objects.order_by("pk").values_list("kind", flat=True)) == kinds


@pytest.mark.parametrize("kind", ["found", "lost"])
def test_the_edges_of_our_knowledge_alert_nobody(van, depot, kind):
    make_rule(depot, ANNA)

    assert judge(crossing_of(van, depot, kind)) == []


def test_a_rule_about_leaving_is_silent_about_an_entry(van, depot):
    make_rule(depot, ANNA, trigger="exit")

    assert judge(crossing_of(van, depot, "enter")) == []
    assert len(judge(crossing_of(van, depot, "exit", ELEVEN))) == 1


def test_a_rule_for_some_assets_is_silent_about_the_others(north, van, depot):
    cooled, listed = make_asset(north, tags=["cold"]), make_asset(north)
    make_rule(depot, ANNA, asset_ids=[listed.pk], tags=["cold"])

    raised = judge(*[crossing_of(asset, depot) for asset in (van, cooled, listed)])

    alerts = Alert.objects.filter(pk__in=[one.alert_id for one in raised])
    assert {alert.asset_id for alert in alerts} == {cooled.pk, listed.pk}


def test_a_paused_rule_is_silent(van, depot):
    make_rule(depot, ANNA, is_active=False)

    assert judge(crossing_of(van, depot)) == []


def test_a_rule_of_another_organisation_never_applies(south, van, depot):
    make_rule(make_geofence(south), "spy@south.example", organisation=south)

    assert judge(crossing_of(van, depot)) == []


def test_two_rules_raise_two_alerts_for_one_crossing(van, depot):
    make_rule(depot, ANNA, name="One")
    make_rule(depot, ANNA, name="Two")

    assert len(judge(crossing_of(van, depot))) == 2


def test_a_late_crossing_from_before_the_rule_alerts_nobody(van, depot):
    make_rule(depot, ANNA, now=NOON)

    assert judge(crossing_of(van, depot, at=TEN, change="added"), now=EVENING) == []


def test_a_late_crossing_is_judged_by_the_version_that_held_then(van, depot):
    rule = make_rule(depot, ANNA, severity="info")
    actions.change_rule(rule=rule, severity="critical", recipients=[BORIS], now=NOON)

    judge(crossing_of(van, depot, at=TEN, change="added"), now=EVENING)

    alert = Alert.objects.get()
    assert (alert.rule_version.version, alert.rule_version.severity) == (1, "info")
    assert [row.recipient.address for row in alert.notifications.all()] == [ANNA]


def test_a_late_crossing_from_before_the_rule_was_retired_still_alerts(van, depot):
    actions.retire_rule(rule=make_rule(depot, ANNA), now=NOON)

    assert len(judge(crossing_of(van, depot, at=TEN, change="added"), now=EVENING)) == 1
    assert judge(crossing_of(van, depot, at=EVENING), now=EVENING) == []


@pytest.mark.fault("F-084")
def test_an_alert_without_recipients_is_stored_and_is_marked(van, depot):
    make_rule(depot)

    (raised,) = judge(crossing_of(van, depot))

    assert raised.notification_ids == ()
    assert Alert.objects.get().has_no_recipient


@pytest.mark.fault("F-084")
def test_a_recipient_who_is_switched_off_is_not_notified(van, depot):
    make_rule(depot, ANNA, BORIS)
    Recipient.objects.filter(address=ANNA).update(is_active=False)

    judge(crossing_of(van, depot))
    Recipient.objects.update(is_active=False)
    judge(crossing_of(van, depot, "exit", ELEVEN))

    assert [notification.address for notification in Notification.objects.all()] == [BORIS]
    assert list(Alert.objects.order_by("at").values_list("has_no_recipient", flat=True)) == [
        False,
        True,
    ]


@pytest.mark.fault("F-077")
def test_judging_the_same_crossing_twice_makes_nothing_new(van, depot):
    make_rule(depot, ANNA)
    crossing = crossing_of(van, depot)
    judge(crossing)

    assert judge(crossing) == []
    assert (Alert.objects.count(), Notification.objects.count()) == (1, 1)
    assert AlertChange.objects.count() == 1


def test_a_rolled_back_batch_leaves_no_alert_and_no_notification(van, depot):
    make_rule(depot, ANNA)
    crossing = crossing_of(van, depot)

    with transaction.atomic():
        judge_rules([crossing.as_occurrence()], now=TEN)
        transaction.set_rollback(True)

    assert (Alert.objects.count(), Notification.objects.count()) == (0, 0)


def test_many_crossings_take_as_many_statements_as_one(north, depot):
    make_rule(depot, ANNA, BORIS, tags=["cold"])
    vans = [make_asset(north, tags=["cold"]) for _ in range(40)]
    entries = [crossing_of(van, depot) for van in vans]
    turned = [
        msgspec.structs.replace(entry, change="withdrawn" if place % 2 else "moved", at=NINE)
        for place, entry in enumerate(entries)
    ]
    exits = [crossing_of(van, depot, "exit", ELEVEN) for van in vans]

    one, many = statements(entries[:1]), statements(entries[1:])
    mixed = statements([turned[0], turned[1], exits[0]])
    many_mixed = statements(turned[2:] + exits[1:])

    assert (one, mixed) == (7, 10)
    assert (many, many_mixed) == (one, mixed)


def test_crossings_that_no_rule_is_about_cost_one_statement(van, depot):
    change = crossing_of(van, depot)

    assert statements([change]) == 1
    assert statements([]) == 0


# --- late facts ----------------------------------------------------------------


@pytest.mark.fault("F-075")
def test_an_alert_found_late_says_so_and_is_notified_once(van, depot):
    make_rule(depot, ANNA)
    late = crossing_of(van, depot, change="added")

    judge(late, now=NOON)
    judge(late, now=NOON)

    alert = Alert.objects.get()
    assert (alert.is_late, alert.at, alert.opened_at) == (True, TEN, NOON)
    assert notifications_of(alert.pk) == [("raised", "pending")]


@pytest.mark.fault("F-075")
def test_a_moved_crossing_amends_the_alert_and_notifies_who_knew_of_it(van, depot):
    make_rule(depot, ANNA)
    entry = crossing_of(van, depot)
    judge(entry)
    Notification.objects.update(state="sent")

    (amended,) = judge(msgspec.structs.replace(entry, change="moved", at=NINE), now=NOON)

    alert = Alert.objects.get()
    change = AlertChange.objects.get(number=amended.number)
    assert (amended.change, alert.at, alert.amended_at, alert.state) == (
        "amended", NINE, NOON, "open",
    )  # fmt: skip
    assert (change.change, change.previous_at) == ("amended", TEN)
    assert notifications_of(alert.pk) == [("raised", "sent"), ("amended", "pending")]


def test_a_moved_crossing_whose_mail_is_pending_needs_no_second_mail(van, depot):
    make_rule(depot, ANNA)
    entry = crossing_of(van, depot)
    judge(entry)

    (amended,) = judge(msgspec.structs.replace(entry, change="moved", at=NINE))

    assert amended.notification_ids == ()
    assert notifications_of(amended.alert_id) == [("raised", "pending")]


@pytest.mark.fault("F-075")
def test_a_withdrawn_crossing_withdraws_the_alert_and_notifies_who_knew_of_it(van, depot):
    make_rule(depot, ANNA, BORIS)
    entry = crossing_of(van, depot)
    judge(entry)
    Notification.objects.filter(address=ANNA).update(state="sent")

    (withdrawn,) = judge(msgspec.structs.replace(entry, change="withdrawn"), now=NOON)

    alert = Alert.objects.get()
    assert (alert.state, alert.withdrawn_at) == ("withdrawn", NOON)
    told = alert.notifications.filter(reason="withdrawn")
    assert [row.recipient.address for row in told] == [ANNA]
    assert Notification.objects.get(address=BORIS).state == "cancelled"
    assert len(withdrawn.notification_ids) == 1


def test_an_attempt_without_an_answer_counts_as_received(van, depot):
    make_rule(depot, ANNA)
    entry = crossing_of(van, depot)
    judge(entry)
    Notification.objects.update(may_have_arrived=True, attempts=1)

    (withdrawn,) = judge(msgspec.structs.replace(entry, change="withdrawn"))

    assert notifications_of(withdrawn.alert_id) == [
        ("raised", "cancelled"), ("withdrawn", "pending"),
    ]  # fmt: skip


def test_withdrawing_twice_notifies_once(van, depot):
    make_rule(depot, ANNA)
    entry = crossing_of(van, depot)
    judge(entry)
    Notification.objects.update(state="sent")
    gone = msgspec.structs.replace(entry, change="withdrawn")
    judge(gone)

    assert judge(gone) == []
    assert Notification.objects.count() == 2


def test_an_alert_stays_acknowledged_when_it_is_amended(van, depot, operator):
    make_rule(depot, ANNA)
    entry = crossing_of(van, depot)
    judge(entry)
    actions.acknowledge_alert(alert=Alert.objects.get(), user=operator)

    judge(msgspec.structs.replace(entry, change="moved", at=NINE))

    assert Alert.objects.get().state == "acknowledged"


def test_a_crossing_moved_to_before_the_rule_withdraws_and_back_again_reinstates(van, depot):
    make_rule(depot, ANNA, now=TEN)
    entry = crossing_of(van, depot, at=ELEVEN)
    judge(entry)
    Notification.objects.update(state="sent")

    (withdrawn,) = judge(msgspec.structs.replace(entry, change="moved", at=NINE))
    (reinstated,) = judge(msgspec.structs.replace(entry, change="moved", at=NOON))

    assert (withdrawn.change, reinstated.change) == ("withdrawn", "reinstated")
    alert = Alert.objects.get()
    assert (alert.state, alert.at, alert.withdrawn_at) == ("open", NOON, None)
    assert notifications_of(alert.pk)[1:] == [("withdrawn", "cancelled"), ("amended", "pending")]


def test_a_crossing_that_came_and_went_in_one_batch_raises_nothing(van, depot):
    make_rule(depot, ANNA)
    entry = crossing_of(van, depot)

    assert judge(entry, msgspec.structs.replace(entry, change="withdrawn")) == []


def test_judging_many_at_once_equals_judging_each_alone(north, depot):
    make_rule(depot, ANNA)
    vans = [make_van(north) for _ in range(3)]
    changes = [
        crossing_of(van, depot, kind, at)
        for van in vans
        for kind, at in (("enter", NINE), ("exit", TEN), ("enter", NOON))
    ]
    with transaction.atomic():
        judge_rules(occurrences_of(changes), now=NOON)
        at_once = snapshot()
        transaction.set_rollback(True)
    for change in changes:
        judge(change, now=NOON)

    assert snapshot() == at_once


def snapshot() -> list[Any]:
    return sorted(
        Alert.objects.values_list(
            "crossing_id", "kind", "at", "state", "is_late", "has_no_recipient"
        )
    )
