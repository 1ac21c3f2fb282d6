from __future__ import annotations

import msgspec
import pytest

from alerts.actions import acknowledge_alert, add_rule, change_rule, retire_rule
from alerts.models import Alert, AlertChange, Recipient, Rule, RuleVersion
from core.errors import Conflict, Unprocessable
from tests.alerts.scenes import crossing_of, judge, make_geofence, make_rule, raise_alert
from tests.builders import NINE, NOON, make_van

pytestmark = pytest.mark.django_db
ANNA = "anna@north.example"


def test_a_changed_rule_keeps_its_past_and_begins_anew(depot):
    rule = make_rule(depot, ANNA, severity="info")

    change_rule(rule=rule, severity="critical", now=NOON)

    first, second = RuleVersion.objects.with_addresses().order_by("version")
    assert (first.severity, first.valid_to) == ("info", NOON)
    assert (second.severity, second.valid_from, second.valid_to) == ("critical", NOON, None)
    assert second.addresses == [ANNA]


def test_a_change_that_changes_nothing_makes_no_version(depot):
    rule = make_rule(depot, ANNA)

    change_rule(rule=rule, name="Gate watch", recipients=[ANNA], now=NOON)

    assert RuleVersion.objects.count() == 1
    assert Rule.objects.get().name == "Gate watch"


def test_a_clock_that_went_back_bends_no_version(depot):
    rule = make_rule(depot, now=NOON)

    change_rule(rule=rule, severity="info", now=NINE)

    assert RuleVersion.objects.get(version=2).valid_from == NOON


def test_a_retired_rule_frees_its_name_and_cannot_be_changed(depot):
    rule = make_rule(depot, name="Watch")
    retire_rule(rule=rule, now=NOON)

    make_rule(depot, name="Watch")

    with pytest.raises(Conflict):
        change_rule(rule=rule, severity="info")


def test_two_rules_of_one_organisation_have_two_names(depot):
    make_rule(depot, name="Watch")

    with pytest.raises(Conflict):
        make_rule(depot, name="Watch")


def test_each_recipient_is_named_once(depot):
    make_rule(depot, ANNA, ANNA.upper())

    assert RuleVersion.objects.with_addresses().get().addresses == [ANNA]


def test_an_address_is_one_recipient_of_all_rules_of_its_organisation(depot):
    make_rule(depot, ANNA, "boris@north.example", name="Gate watch")
    make_rule(depot, "boris@north.example", ANNA.upper(), name="Night watch")

    gate, night = RuleVersion.objects.order_by("pk")
    assert night.recipient_ids == gate.recipient_ids[::-1]
    assert Recipient.objects.count() == 2


def test_two_organisations_share_no_recipient(south, depot):
    make_rule(depot, ANNA)
    make_rule(make_geofence(south), ANNA, organisation=south)

    assert Recipient.objects.count() == 2
    assert len({tuple(v.recipient_ids) for v in RuleVersion.objects.all()}) == 2


def test_a_rule_that_is_refused_adds_no_recipient(depot):
    make_rule(depot, name="Watch")

    with pytest.raises(Conflict):
        make_rule(depot, ANNA, name="Watch")

    assert not Recipient.objects.exists()


def test_a_rule_takes_no_geofence_of_another_organisation(north, south):
    with pytest.raises(Unprocessable) as refusal:
        make_rule(make_geofence(south), organisation=north)

    assert [fault.pointer for fault in refusal.value.faults] == ["/geofence"]


def test_a_rule_takes_no_deleted_geofence(depot):
    depot.deleted_at = NINE

    with pytest.raises(Unprocessable):
        make_rule(depot)


def test_a_foreign_asset_and_one_that_does_not_exist_are_refused_alike(north, south, depot, van):
    foreign = make_van(south)
    refusals = []
    for unknown in (foreign.pk, 10**9):
        with pytest.raises(Unprocessable) as refusal:
            add_rule(
                organisation=north, name="Watch", trigger="enter", geofence=depot,
                asset_ids=[van.pk, unknown],
            )  # fmt: skip
        refusals.append((refusal.value.detail, refusal.value.faults))

    assert refusals[0] == refusals[1]
    assert refusals[0][1][0].pointer == "/asset_ids/1"


@pytest.mark.fault("F-083")
def test_whoever_acknowledges_first_has_it(van, depot, operator, owner):
    make_rule(depot)
    alert = raise_alert(van, depot)

    assert acknowledge_alert(alert=alert, user=operator, now=NOON)
    assert not acknowledge_alert(alert=alert, user=owner)

    assert (alert.acknowledged_by, alert.acknowledged_at) == (operator, NOON)
    assert AlertChange.objects.filter(change="acknowledged").count() == 1


def test_a_withdrawn_alert_cannot_be_acknowledged(van, depot, operator):
    make_rule(depot)
    entry = crossing_of(van, depot)
    alert = Alert.objects.get(pk=judge(entry)[0].alert_id)
    judge(msgspec.structs.replace(entry, change="withdrawn"))

    with pytest.raises(Conflict):
        acknowledge_alert(alert=alert, user=operator)
