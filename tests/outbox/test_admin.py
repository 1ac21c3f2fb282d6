from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from outbox.models import Notification
from tests.builders import NOON
from tests.outbox.scenes import ANNA, invite, only_notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(admin):
    client = Client()
    client.force_login(admin)
    return client


def test_staff_look_at_notifications_of_every_kind(office):
    (pk,) = invite(ANNA)

    pages = [
        office.get(reverse("admin:outbox_notification_changelist")),
        office.get(reverse("admin:outbox_notification_change", args=[pk])),
    ]

    assert [page.status_code for page in pages] == [200, 200]
    assert all("North Haulage" in page.content.decode() for page in pages)


def test_what_failed_is_resent_from_the_list_and_what_was_sent_is_not(office):
    failed, sent = invite(ANNA), invite("boris@north.example")
    Notification.objects.filter(pk__in=failed).update(state="failed", next_try_at=NOON)
    Notification.objects.filter(pk__in=sent).update(state="sent")

    page = office.post(
        reverse("admin:outbox_notification_changelist"),
        {"action": "resend", "_selected_action": [str(pk) for pk in (*failed, *sent)]},
        follow=True,
    )

    assert Notification.objects.get(pk__in=failed).state == "pending"
    assert Notification.objects.get(pk__in=sent).state == "sent"
    assert "The notification is sent." in page.content.decode()


def test_nobody_edits_a_notification(office):
    (pk,) = invite(ANNA)

    answer = office.post(
        reverse("admin:outbox_notification_change", args=[pk]), {"address": "eve@elsewhere.example"}
    )

    assert answer.status_code == 403
    assert only_notification().address == ANNA
