"""Claim, send, mark: against a real SMTP server, and with workers that die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict
from outbox import sending
from outbox.actions import cancel_pending, resend_notification
from outbox.channels import OpenSenders, senders_by_channel
from outbox.leases import LEASE_S, claim_notifications, database_now, record_outcome
from outbox.messages import EMAIL, SendOutcome
from outbox.models import Notification
from outbox.rendering import render_texts
from outbox.senders.smtp import SmtpSender
from outbox.sending import send_batch
from tests.builders import TEN
from tests.outbox.mail_server import MailServer
from tests.outbox.scenes import ANNA, BORIS, invite, only_notification, outcomes

pytestmark = pytest.mark.django_db
LEASE = timedelta(seconds=LEASE_S)
SECOND = timedelta(seconds=1)


@pytest.fixture
def invitation() -> None:
    """Hand in a notification for Anna."""
    invite(ANNA)


def at(now: datetime) -> Callable[[], datetime]:
    return lambda: now


def send_without_mark(notification: Notification) -> None:
    """Do what a worker has done that dies right after sending."""
    with OpenSenders(senders_by_channel()) as senders:
        sending.send_notification(notification, render_texts([notification]), senders)


def test_a_promised_mail_arrives_once(invitation, mail_server):
    assert send_batch(clock=at(TEN)) == 1
    assert send_batch(clock=at(TEN + 2 * LEASE)) == 0

    assert len(mail_server.arrivals(ANNA)) == 1
    sent = only_notification()
    assert (sent.state, sent.sent_at, sent.attempts) == ("sent", TEN, 1)
    assert outcomes() == ["sent"]


def test_a_nudge_sends_what_it_names_and_nothing_else(db, mail_server):
    invite(ANNA, BORIS)
    nudged = Notification.objects.get(address=BORIS)

    send_batch(ids=[nudged.pk], clock=at(TEN))

    assert [mail["To"] for mail in mail_server.arrived] == [BORIS]


def test_what_is_claimed_is_claimed_by_nobody_else(invitation):
    assert len(claim_notifications(now=TEN)) == 1
    assert claim_notifications(now=TEN) == []
    assert claim_notifications(now=TEN + LEASE) == []


@pytest.mark.fault("F-052")
@pytest.mark.parametrize("set_back", [timedelta(minutes=2), timedelta(hours=1)])
def test_a_clock_that_is_set_back_makes_no_lease_longer(invitation, mail_server, set_back):
    claim_notifications(now=TEN)

    assert claim_notifications(now=TEN + LEASE) == []
    assert send_batch(clock=at(TEN - set_back)) == 1
    assert len(mail_server.arrivals(ANNA)) == 1


def test_who_read_the_clock_before_another_claimed_leaves_that_claim_alone(invitation):
    assert len(claim_notifications(now=TEN + SECOND)) == 1

    assert claim_notifications(now=TEN) == []


@pytest.mark.fault("F-052")
def test_leases_are_measured_by_the_clock_of_the_database(invitation, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", at(TEN - timedelta(days=1)))

    class Looking(SmtpSender):
        def send(self, message):
            until = only_notification().lease_until
            assert until is not None
            leases.append(until - database_now())
            return SendOutcome(kind="sent")

    leases: list[timedelta] = []
    send_batch(senders={EMAIL: Looking})

    assert LEASE - timedelta(seconds=30) < leases[0] <= LEASE


@pytest.mark.fault("F-123")
def test_a_worker_that_died_between_send_and_mark_is_made_good_under_the_same_id(
    invitation, mail_server
):
    claim_notifications(now=TEN)
    send_without_mark(only_notification())

    send_batch(clock=at(TEN + LEASE + SECOND))

    first, second = mail_server.arrivals(ANNA)
    assert first["Message-ID"] == second["Message-ID"]
    assert only_notification().state == "sent"
    assert outcomes() == ["started", "sent"]


@pytest.mark.fault("F-123")
@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_after_sending_loses_nothing(invitation, mail_server):
    worker = textwrap.dedent("""
        import os, signal, django
        django.setup()
        from django.conf import settings
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(os.environ["PORT"])
        settings.OUTBOX_RENDERERS = {"invitation": "tests.outbox.scenes.render"}
        from outbox.senders.smtp import SmtpSender
        from outbox.sending import send_batch
        class Killed(SmtpSender):
            def send(self, message):
                super().send(message)
                os.kill(os.getpid(), signal.SIGKILL)
        send_batch(senders={"email": Killed})
    """)
    database = connection.settings_dict
    url = "postgis://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
    environment = os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "tracker.settings"),
        "EMAIL_URL": "smtp://127.0.0.1:1",
        "PORT": str(django_settings.EMAIL_PORT),
    }

    ended = subprocess.run(
        [sys.executable, "-c", worker],
        env=environment,
        cwd=django_settings.BASE_DIR,
        timeout=60,
        check=False,
    )
    killed = only_notification()
    assert killed.lease_until is not None
    send_batch(clock=at(killed.lease_until + SECOND))

    assert (ended.returncode, killed.state) == (-signal.SIGKILL, "sending")
    assert len({mail["Message-ID"] for mail in mail_server.arrivals(ANNA)}) == 1
    assert len(mail_server.arrivals(ANNA)) == 2
    assert only_notification().state == "sent"


def test_a_stale_worker_that_failed_does_not_undo_what_another_sent(invitation, mail_server):
    (stale,) = claim_notifications(now=TEN)
    send_batch(clock=at(TEN + LEASE + SECOND))

    record_outcome(stale, SendOutcome(kind="temporary"), now=TEN + 2 * LEASE)

    assert only_notification().state == "sent"


def test_a_stale_worker_that_sent_keeps_the_next_from_sending_again(invitation):
    (stale,) = claim_notifications(now=TEN)
    (later,) = claim_notifications(now=TEN + LEASE + SECOND)
    record_outcome(later, SendOutcome(kind="temporary"), now=TEN + 2 * LEASE)

    record_outcome(stale, SendOutcome(kind="sent"), now=TEN + 2 * LEASE)

    assert only_notification().state == "sent"


def test_a_notification_that_kills_every_worker_is_given_up(invitation):
    now = TEN
    for _ in range(10):
        assert len(claim_notifications(now=now)) == 1
        now += LEASE + SECOND

    assert claim_notifications(now=now) == []
    assert only_notification().state == "given_up"


# --- mail servers that say no ----------------------------------------------------


@pytest.mark.fault("F-125")
def test_a_temporary_refusal_is_tried_again_under_the_same_id(invitation, mail_server):
    mail_server.will_answer(ANNA, "451 Greylisted, come back")
    send_batch(clock=at(TEN))
    waiting = only_notification()

    send_batch(clock=at(waiting.next_try_at))

    assert (waiting.state, waiting.may_have_arrived) == ("pending", False)
    assert waiting.last_error == "451: Greylisted, come back"
    assert only_notification().state == "sent"
    assert outcomes() == ["temporary", "sent"]
    assert mail_server.arrivals(ANNA)[0]["Message-ID"].startswith(f"<{waiting.pk}@")


@pytest.mark.fault("F-125")
def test_a_refusal_for_good_after_a_temporary_one_is_shown_as_failed(invitation, mail_server):
    mail_server.will_answer(ANNA, "421 Busy", "550 No such mailbox")
    send_batch(clock=at(TEN))
    send_batch(clock=at(only_notification().next_try_at))

    bounced = only_notification()
    assert (bounced.state, bounced.last_error) == ("failed", "550: No such mailbox")
    assert send_batch(clock=at(TEN + timedelta(days=9))) == 0


def test_a_mail_server_that_is_down_is_tried_ten_times_and_then_given_up(invitation, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    tried_at = [TEN]
    while send_batch(clock=at(tried_at[-1])):
        tried_at.append(only_notification().next_try_at)

    assert only_notification().state == "given_up"
    assert outcomes() == ["temporary"] * 10
    assert timedelta(hours=64) < tried_at[-1] - TEN < timedelta(hours=80)


def test_a_mail_taken_without_an_answer_may_have_arrived(invitation, mail_server):
    mail_server.will_answer(ANNA, "drop")
    send_batch(clock=at(TEN))

    unclear = only_notification()
    assert (unclear.state, unclear.may_have_arrived) == ("pending", True)
    assert outcomes() == ["unclear"]


def test_a_refused_recipient_keeps_nobody_else_from_hearing(db, mail_server):
    invite(ANNA, BORIS)
    mail_server.will_answer(ANNA, "550 No such mailbox")

    send_batch(clock=at(TEN))

    assert Notification.objects.get(address=ANNA).state == "failed"
    assert Notification.objects.get(address=BORIS).state == "sent"


def test_a_mail_that_hangs_gives_the_rest_of_its_lot_back(db, monkeypatch):
    invite(ANNA, BORIS)
    monkeypatch.setattr(sending, "BATCH_TIME_S", 0.5)

    class Hanging(SmtpSender):
        def send(self, message):
            time.sleep(0.6)
            return SendOutcome(kind="unclear", detail="timed out")

    send_batch(senders={EMAIL: Hanging}, clock=at(TEN))

    states = Notification.objects.order_by("attempts").values_list("state", "attempts")
    assert list(states) == [("pending", 0), ("pending", 1)]
    assert len(claim_notifications(now=TEN)) == 1


def test_a_mail_that_hangs_keeps_nobody_else_from_hearing(db, mail_server):
    invite(ANNA, BORIS)
    mail_server.will_answer(ANNA, "hang")

    send_batch(clock=at(TEN))

    hanging = Notification.objects.get(address=ANNA)
    assert (hanging.state, hanging.may_have_arrived) == ("pending", True)
    assert Notification.objects.get(address=BORIS).state == "sent"


def test_fresh_notifications_go_before_those_that_failed(invitation):
    (old,) = claim_notifications(now=TEN)
    record_outcome(old, SendOutcome(kind="temporary"), now=TEN)
    fresh = invite(BORIS, now=TEN + timedelta(hours=1))

    (first,) = claim_notifications(limit=1, now=TEN + timedelta(hours=1))

    assert [first.notification_id] == fresh


# --- notifications that became obsolete ---------------------------------------------


def test_a_notification_with_nothing_to_say_any_more_is_cancelled_unsent(db, mail_server):
    invite(ANNA, is_taken_back=True)
    invite(BORIS)

    send_batch(clock=at(TEN))

    cancelled = Notification.objects.get(address=ANNA)
    assert (cancelled.state, cancelled.attempts, cancelled.lease_until) == ("cancelled", 0, None)
    assert [mail["To"] for mail in mail_server.arrived] == [BORIS]
    assert outcomes() == ["sent"]


def test_only_what_waits_can_be_cancelled(db, mail_server):
    invite(ANNA)
    send_batch(clock=at(TEN))
    invite(BORIS)

    cancel_pending(Notification.objects.all())

    states = Notification.objects.order_by("address").values_list("state", flat=True)
    assert list(states) == ["sent", "cancelled"]


# --- by hand ---------------------------------------------------------------------


def test_a_failed_notification_can_be_sent_again_by_hand(invitation, mail_server):
    mail_server.will_answer(ANNA, "550 No such mailbox")
    send_batch(clock=at(TEN))

    resend_notification(notification=only_notification(), now=TEN)
    send_batch(clock=at(TEN))

    assert only_notification().state == "sent"


def test_a_sent_notification_is_not_sent_again_by_hand(invitation, mail_server):
    send_batch(clock=at(TEN))

    with pytest.raises(Conflict):
        resend_notification(notification=only_notification())


# --- the law ---------------------------------------------------------------------


class Receiver:
    """Takes mails and remembers their ids, as an idempotent receiver does."""

    def __init__(self) -> None:
        self.times_taken: dict[tuple[str, str], set[str]] = {}

    def take(self, server: MailServer) -> None:
        for mail in server.arrived:
            key = (mail["Subject"], mail["To"])
            self.times_taken.setdefault(key, set()).add(mail["Message-ID"])


FATES = st.lists(
    st.sampled_from(["dies after claim", "dies after send", "works", "refused", "unclear"]),
    max_size=12,
)


@pytest.mark.law(3)
@pytest.mark.fault("F-123")
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(fates=FATES, sizes=st.lists(st.integers(1, 3), min_size=12, max_size=12))
def test_whatever_workers_die_of_each_recipient_gets_each_notification_once(
    db, mail_server, fates, sizes
):
    Notification.objects.all().delete()
    mail_server.arrived.clear()
    for haulier in ("North", "South", "West"):
        invite(ANNA, BORIS, organisation=haulier)
    now = TEN

    for fate, size in zip(fates, sizes, strict=False):
        now += LEASE + SECOND
        live_through(fate, size, now)
    for _ in range(12):
        now += timedelta(hours=40)
        while send_batch(clock=at(now)):
            pass

    receiver = Receiver()
    receiver.take(mail_server)
    assert len(receiver.times_taken) == 6
    assert all(len(ids) == 1 for ids in receiver.times_taken.values())
    assert set(Notification.objects.values_list("state", flat=True)) == {"sent"}


ENDS: dict[str, Any] = {"works": "sent", "refused": "temporary", "unclear": "unclear"}


def live_through(fate: str, size: int, now: datetime) -> None:
    """One worker's life: what it claims, and how far it gets."""
    for claim in claim_notifications(limit=size, now=now):
        if fate in ("dies after send", "works", "unclear"):
            send_without_mark(Notification.objects.get(pk=claim.notification_id))
        if fate in ENDS:
            record_outcome(claim, SendOutcome(kind=ENDS[fate]), now=now)


@pytest.mark.field("H-1")
@pytest.mark.parametrize(
    "assignment", ["created_at = 'infinity'", "kind = 'planted'", "channel = 'owl'",
                   "reference = '[]'"],
)  # fmt: skip
def test_a_planted_notification_keeps_no_other_from_going_out(db, mail_server, assignment):
    bad, _ = invite(ANNA, BORIS)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE outbox_notification SET {assignment} WHERE id = %s", [bad])

    send_batch(clock=at(TEN))

    assert len(mail_server.arrivals(BORIS)) == 1
    assert Notification.objects.filter(pk=bad).values_list("state", flat=True)[0] != "sent"
