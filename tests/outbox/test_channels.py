"""Senders: each is one module, and none can keep the others from going."""

from __future__ import annotations

import pytest

from outbox import senders
from outbox.channels import senders_in
from outbox.messages import EMAIL, SendOutcome
from outbox.models import Notification
from outbox.senders.smtp import SmtpSender
from outbox.sending import send_batch
from tests.builders import NOON
from tests.outbox import toy_senders
from tests.outbox.scenes import ANNA, BORIS, invite, only_notification, outcomes
from tests.outbox.toy_senders.pigeon import PigeonSender

pytestmark = pytest.mark.django_db


def test_the_senders_are_the_modules_of_their_folder():
    assert senders_in(senders) == {EMAIL: SmtpSender}


def test_a_second_sender_is_one_module(mail_server):
    PigeonSender.arrived.clear()
    (by_pigeon,) = invite("loft 7", channel="pigeon")
    invite(ANNA)

    send_batch(senders=senders_in(senders) | senders_in(toy_senders), clock=lambda: NOON)

    (message,) = PigeonSender.arrived
    assert (message.notification_id, message.address) == (by_pigeon, "loft 7")
    assert message.text.subject == "Join North Haulage"
    assert len(mail_server.arrivals(ANNA)) == 1
    assert set(Notification.objects.values_list("state", flat=True)) == {"sent"}


def test_a_sender_says_what_is_refused_for_good(db):
    invite("the moon", channel="pigeon")

    send_batch(senders=senders_in(toy_senders), clock=lambda: NOON)

    assert only_notification().state == "failed"
    assert only_notification().last_error == "Not a loft."


def test_a_channel_that_nothing_serves_is_a_failure_that_says_so(db):
    invite("loft 7", channel="pigeon")

    send_batch(clock=lambda: NOON)

    failed = only_notification()
    assert (failed.state, failed.last_error) == ("failed", "There is no sender for 'pigeon'.")
    assert outcomes() == ["permanent"]


def test_a_mistake_in_a_sender_may_have_sent_and_keeps_nobody_else(mail_server):
    class Confused(SmtpSender):
        def send(self, message):
            if message.address == ANNA:
                raise KeyError("a mistake")
            return super().send(message)

    invite(ANNA, BORIS)

    send_batch(senders={EMAIL: Confused}, clock=lambda: NOON)

    confused = Notification.objects.get(address=ANNA)
    assert (confused.state, confused.may_have_arrived) == ("pending", True)
    assert Notification.objects.get(address=BORIS).state == "sent"


def test_a_sender_that_does_not_open_is_tried_again(mail_server):
    class Closed(PigeonSender):
        def __enter__(self):
            raise ConnectionError("nobody is in")

    invite("loft 7", channel="pigeon")
    invite(ANNA)

    send_batch(senders={EMAIL: SmtpSender, "pigeon": Closed}, clock=lambda: NOON)

    waiting = Notification.objects.get(channel="pigeon")
    assert (waiting.state, waiting.may_have_arrived) == ("pending", False)
    assert Notification.objects.get(address=ANNA).state == "sent"


def test_a_lot_shares_one_connection(db):
    class Counting(PigeonSender):
        def __enter__(self):
            opened.append(self)
            return self

        def __exit__(self, *_):
            closed.append(self)

        def send(self, message):
            return SendOutcome(kind="sent")

    opened: list[object] = []
    closed: list[object] = []
    invite("loft 7", "loft 8", channel="pigeon")

    send_batch(senders={"pigeon": Counting}, clock=lambda: NOON)

    assert len(opened) == len(closed) == 1
