from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from alerts.models import Alert, AlertNotification, Recipient, Rule
from outbox.models import Notification
from tests.alerts.scenes import make_rule, raise_alert
from tests.builders import NOON

pytestmark = pytest.mark.django_db
ANNA = "anna@north.example"


@pytest.fixture
def office(admin):
    client = Client()
    client.force_login(admin)
    return client


@pytest.mark.parametrize("name", ["rule", "alert", "alertnotification"])
def test_lists_and_pages_open(office, van, depot, name):
    make_rule(depot, ANNA)
    raise_alert(van, depot)
    models: dict[str, Any] = {
        "rule": Rule,
        "alert": Alert,
        "alertnotification": AlertNotification,
    }
    row = models[name].objects.get()

    pages = [
        office.get(reverse(f"admin:alerts_{name}_changelist")),
        office.get(reverse(f"admin:alerts_{name}_change", args=[row.pk])),
    ]

    assert [page.status_code for page in pages] == [200, 200]


def test_a_failed_notification_is_resent_from_the_list(office, van, depot):
    make_rule(depot, ANNA)
    raise_alert(van, depot)
    Notification.objects.update(state="failed", next_try_at=NOON)
    pk = Notification.objects.get().pk

    office.post(
        reverse("admin:alerts_alertnotification_changelist"),
        {"action": "resend", "_selected_action": [str(pk)]},
    )

    assert Notification.objects.get().state == "pending"


def test_a_rule_is_retired_from_the_list(office, depot):
    rule = make_rule(depot)

    office.post(
        reverse("admin:alerts_rule_changelist"),
        {"action": "retire", "_selected_action": [str(rule.pk)]},
    )

    assert Rule.objects.get().retired_at is not None


def test_a_recipient_is_switched_off_on_its_page_and_keeps_its_address(office, depot):
    make_rule(depot, ANNA)
    recipient = Recipient.objects.get()

    office.post(
        reverse("admin:alerts_recipient_change", args=[recipient.pk]),
        {"name": "Anna", "address": "eve@elsewhere.example"},
    )

    recipient.refresh_from_db()
    assert (recipient.address, recipient.name, recipient.is_active) == (ANNA, "Anna", False)
