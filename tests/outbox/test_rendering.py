"""Texts come from the author of the kind, a batch at a time."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from outbox.actions import NewNotification, enqueue
from outbox.leases import BATCH_SIZE
from outbox.messages import EMAIL
from outbox.models import Notification
from outbox.rendering import render_texts
from outbox.sending import send_batch
from tests.builders import NOON
from tests.outbox.scenes import ANNA, BORIS, KIND, invite, only_notification, outcomes, render
from tracker.settings import OUTBOX_RENDERERS

pytestmark = pytest.mark.django_db


def test_any_owner_can_hand_in_notifications_of_its_own_kind(mail_server):
    """Invitations know nothing of alerts, and the outbox nothing of either."""
    invite(ANNA, organisation="South Logistics")

    send_batch(clock=lambda: NOON)

    (mail,) = mail_server.arrivals(ANNA)
    assert mail["Subject"] == "Join South Logistics"
    assert only_notification().state == "sent"


def test_many_are_handed_in_by_one_statement(db):
    with CaptureQueriesContext(connection) as taken:
        ids = invite(*[f"{n}@north.example" for n in range(50)])

    assert len(taken) == 1
    assert set(Notification.objects.values_list("pk", flat=True)) == set(ids)


def test_nothing_handed_in_costs_nothing(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert enqueue([]) == []


def test_a_lot_of_a_kind_is_rendered_at_once(db, settings):
    settings.OUTBOX_RENDERERS = {KIND: f"{__name__}.render_counted"}
    invite(*[f"{n}@north.example" for n in range(BATCH_SIZE)])

    texts = render_texts(Notification.objects.all())

    assert len(texts) == BATCH_SIZE
    assert batches == [BATCH_SIZE]


batches: list[int] = []


def render_counted(notifications):
    batches.append(len(notifications))
    return render(notifications)


def test_a_mistake_in_one_text_keeps_the_others_going(mail_server):
    invite(ANNA, BORIS)
    Notification.objects.filter(address=ANNA).update(reference={})  # Names no organisation.

    send_batch(clock=lambda: NOON)

    broken = Notification.objects.get(address=ANNA)
    assert (broken.state, broken.may_have_arrived) == ("pending", False)
    assert broken.last_error == "The message could not be written."
    assert [mail["To"] for mail in mail_server.arrived] == [BORIS]


def test_a_kind_that_nobody_renders_yet_waits_for_the_worker_that_can(db):
    """While a new version is rolled out, an old worker meets kinds that it does not know."""
    notification = NewNotification(
        channel=EMAIL, address=ANNA, kind="report", reference={}, created_at=NOON
    )
    enqueue([notification])

    send_batch(clock=lambda: NOON)

    assert only_notification().state == "pending"
    assert outcomes() == ["temporary"]


def test_the_renderer_of_each_kind_of_the_product_is_there():
    assert [callable(import_string(path)) for path in OUTBOX_RENDERERS.values()] == [True]
