from __future__ import annotations

from datetime import UTC, timedelta
from functools import partial

import msgspec
import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from accounts import actions as asset_actions
from alerts.actions import add_rule, retire_rule
from alerts.alert_texts import render
from alerts.models import Alert, Recipient, Rule
from alerts.wording import clock_text, sentence, window_text, zone_named
from assets.models import Asset
from core.errors import Unprocessable
from geofence.models import Crossing
from outbox.leases import claim_notifications, record_outcome
from outbox.messages import SendOutcome
from outbox.models import Notification
from outbox.sending import send_batch
from tests.alerts.scenes import crossing_of, judge, make_geofence, make_rule
from tests.builders import NINE, NOON, TEN, make_organisation, make_van

pytestmark = pytest.mark.django_db
ANNA = "anna@north.example"


@pytest.fixture
def inbox(mail_server):
    """Return a function that delivers what is due, and gives Anna's newest mail."""

    def newest():
        send_batch(clock=lambda: NOON)
        return mail_server.arrivals(ANNA)[-1]

    return newest


def text_of(mail) -> str:
    return str(mail.get_body(("plain",)).get_content())


def html_of(mail) -> str:
    return str(mail.get_body(("html",)).get_content())


@pytest.fixture
def entry(van, depot):
    """Return the entry of a van at ten, which Anna is to hear of."""
    make_rule(depot, ANNA)
    return crossing_of(van, depot)


def test_a_mail_says_what_happened_and_when_in_local_time_and_utc(entry, inbox):
    judge(entry)

    mail = inbox()

    assert mail["Subject"] == "van entered Depot North"
    for body in (text_of(mail), html_of(mail)):
        assert "Mon 2 Mar 2026, 11:00:00 CET" in body
        assert "Mon 2 Mar 2026, 10:00:00 UTC" in body
        assert "Depot watch" in body


@pytest.mark.field("H-16")
def test_a_name_from_right_to_left_turns_nothing_around_it(van, depot, inbox):
    Asset.objects.filter(pk=van.pk).update(name="\u202eמחסן")
    make_rule(depot, ANNA)
    judge(crossing_of(van, depot))

    mail = inbox()

    said = "\u2068מחסן\u2069 entered Depot North"
    assert mail["Subject"] == said
    assert said in text_of(mail)
    assert "\u202e" not in text_of(mail) + html_of(mail)


@override_settings(PUBLIC_URL="https://track.example")
def test_a_mail_leads_to_its_alert_in_the_console(entry, inbox):
    (raised,) = judge(entry)

    mail = inbox()

    assert f"https://track.example/app/alerts?alert={raised.alert_id}" in text_of(mail)
    assert f"https://track.example/app/alerts?alert={raised.alert_id}" in html_of(mail)
    assert mail["X-Alert-Id"] == str(raised.alert_id)


@override_settings(DEFAULT_FROM_EMAIL="Tracker <alerts@track.example>")
def test_the_id_of_a_mail_is_that_of_its_notification(entry, inbox):
    judge(entry)

    mail = inbox()

    assert mail["Message-ID"] == f"<{Notification.objects.get().pk}@track.example>"


@pytest.mark.field("G-16")
@pytest.mark.fault("F-075")
def test_the_first_mail_about_a_late_report_is_called_late(entry, inbox):
    judge(msgspec.structs.replace(entry, change="added", is_late=True), now=NOON)

    mail = inbox()

    assert mail["Subject"] == "Late: van entered Depot North"
    assert "Warning · Late" in html_of(mail)
    assert "reached us late, on Mon 2 Mar 2026, 13:00:00 CET" in text_of(mail)


@pytest.mark.field("G-16")
@pytest.mark.fault("F-075")
def test_an_amendment_says_what_the_mail_before_said(entry, inbox):
    judge(entry)
    inbox()
    judge(msgspec.structs.replace(entry, change="moved", at=NINE))

    mail = inbox()

    assert mail["Subject"] == "Correction: van entered Depot North at another time"
    assert "When:        Mon 2 Mar 2026, 10:00:00 CET" in text_of(mail)
    assert "We told you: Mon 2 Mar 2026, 11:00:00 CET" in text_of(mail)


@pytest.mark.fault("F-075")
def test_a_withdrawal_says_that_it_did_not_happen(entry, inbox, mail_server):
    judge(entry)
    first = inbox()
    judge(msgspec.structs.replace(entry, change="withdrawn"))

    mail = inbox()

    assert mail["Subject"] == "Correction: van did not enter Depot North"
    assert "We told you: Mon 2 Mar 2026, 11:00:00 CET" in text_of(mail)
    assert mail["References"] == first["References"]
    assert mail["Message-ID"] != first["Message-ID"]


@pytest.mark.fault("F-075")
def test_what_failed_while_its_alert_was_withdrawn_is_not_sent_after_the_correction(
    entry, inbox, mail_server
):
    judge(entry)
    (claim,) = claim_notifications(now=TEN)
    judge(msgspec.structs.replace(entry, change="withdrawn"))
    record_outcome(claim, SendOutcome(kind="temporary"), now=TEN)

    inbox()

    told = [mail["Subject"] for mail in mail_server.arrivals(ANNA)]
    assert told == ["Correction: van did not enter Depot North"]
    assert Notification.objects.get(pk=claim.notification_id).state == "cancelled"


def test_who_is_switched_off_receives_no_pending_mail(entry, mail_server):
    judge(entry)
    Recipient.objects.update(is_active=False)

    send_batch(clock=lambda: NOON)

    assert mail_server.arrived == []
    assert Notification.objects.get().state == "cancelled"


@pytest.mark.field("H-13")
def test_mail_that_waits_is_cancelled_when_its_rule_is_deleted(entry, mail_server):
    judge(entry)

    retire_rule(rule=Rule.objects.get(), now=TEN)
    send_batch(clock=lambda: NOON)

    assert Notification.objects.get().state == "cancelled"
    assert mail_server.arrivals(ANNA) == []


@pytest.mark.field("H-13")
def test_mail_that_a_worker_could_not_send_is_cancelled_when_its_rule_is_deleted(
    entry, mail_server
):
    judge(entry)
    (claim,) = claim_notifications(now=TEN)

    retire_rule(rule=Rule.objects.get(), now=TEN)
    record_outcome(claim, SendOutcome(kind="temporary", detail="no server"), now=TEN)
    send_batch(clock=lambda: NOON)

    assert Notification.objects.get().state == "cancelled"
    assert mail_server.arrivals(ANNA) == []


def test_a_correction_of_mail_that_was_sent_goes_out_after_its_rule_is_deleted(entry, inbox):
    judge(entry)
    inbox()
    judge(msgspec.structs.replace(entry, change="withdrawn"))

    retire_rule(rule=Rule.objects.get(), now=TEN)

    assert inbox()["Subject"].startswith("Correction")


def test_a_notification_of_an_alert_that_is_gone_is_cancelled(entry, mail_server):
    judge(entry)
    Alert.objects.all().delete()

    send_batch(clock=lambda: NOON)

    assert mail_server.arrived == []
    assert Notification.objects.get().state == "cancelled"


def test_a_lot_of_texts_takes_as_many_queries_as_one(north, depot):
    make_rule(depot, ANNA)
    judge(*[crossing_of(make_van(north), depot) for _ in range(10)])
    batch = list(Notification.objects.all())

    counts = []
    for notifications in (batch[:1], batch):
        with CaptureQueriesContext(connection) as taken:
            assert None not in render(notifications)
        counts.append(len(taken))

    assert counts == [1, 1]


@pytest.mark.fault("F-125")
def test_a_line_break_in_a_name_adds_no_header(north, inbox):
    van = make_van(north, "Van 7\r\nBcc: victim@elsewhere.example")
    depot = make_geofence(north, "Depot\nX-Spam: no")
    make_rule(depot, ANNA)
    judge(crossing_of(van, depot))

    mail = inbox()

    assert mail["Subject"] == "Van 7 Bcc: victim@elsewhere.example entered Depot X-Spam: no"
    assert "Bcc" not in mail
    assert "X-Spam" not in mail


@pytest.mark.fault("F-125")
@pytest.mark.parametrize(
    "recipient",
    [
        "anna@north.example\r\nBcc: victim@elsewhere.example",
        "Anna\r\nBcc: victim@elsewhere.example <anna@north.example>",
        "Anna <anna@north.example>",
        "anna@north.example, victim@elsewhere.example",
        "",
    ],
)
def test_a_recipient_is_one_bare_address(north, depot, recipient):
    with pytest.raises(Unprocessable):
        add_rule(
            organisation=north, name="Watch", trigger="enter", geofence=depot,
            recipients=[recipient],
        )  # fmt: skip


def test_a_name_with_markup_is_text_in_the_page(north, depot, inbox):
    van = make_van(north, "<img src=x onerror=alert(1)>")
    make_rule(depot, ANNA)
    judge(crossing_of(van, depot))

    mail = inbox()

    assert "<img" not in html_of(mail)
    assert "<img src=x onerror=alert(1)> entered Depot North." in text_of(mail)


def test_a_name_in_another_script_arrives_as_it_is(north, depot, inbox):
    van = make_van(north, "Kühlwagen 冷 7")
    make_rule(depot, ANNA)
    judge(crossing_of(van, depot))

    assert inbox()["Subject"] == "Kühlwagen 冷 7 entered Depot North"


def test_an_unknown_time_zone_falls_back_to_utc(db):
    organisation = make_organisation()
    asset_actions.change_organisation(organisation=organisation, time_zone="Mars/Olympus")

    assert clock_text(TEN, zone_named(organisation.time_zone)) == "Mon 2 Mar 2026, 10:00:00 UTC"


@pytest.mark.field("G-05")
def test_a_mail_says_between_which_reports_it_was_and_about_when(van, depot, inbox):
    make_rule(depot, ANNA)
    exit_ = crossing_of(van, depot, "exit", NOON)
    about = NINE + timedelta(minutes=1)
    Crossing.objects.filter(pk=exit_.crossing_id).update(not_before=NINE, estimate=about)
    judge(exit_)

    mail = inbox()

    said = "between 10:00:00 and Mon 2 Mar 2026, 13:00:00 CET, about 10:01:00"
    assert said in text_of(mail)
    assert said in html_of(mail)


@pytest.mark.field("G-05")
@pytest.mark.parametrize(
    ("not_before", "estimate", "text"),
    [
        (None, None, "Mon 2 Mar 2026, 10:00:00 UTC"),
        (TEN - timedelta(seconds=60), TEN, "Mon 2 Mar 2026, 10:00:00 UTC"),
        (NINE, None, "between 09:00:00 and Mon 2 Mar 2026, 10:00:00 UTC"),
        (
            TEN - timedelta(days=1),
            NINE,
            "between Sun 1 Mar 2026, 10:00:00 UTC and Mon 2 Mar 2026, 10:00:00 UTC, about 09:00:00",
        ),
    ],
)
def test_a_window_is_said_where_the_reports_are_apart(not_before, estimate, text):
    assert window_text(TEN, not_before, estimate, UTC) == text


@pytest.mark.field("G-02")
def test_a_pass_is_told_as_such_and_as_inferred(van, depot, inbox):
    make_rule(depot, ANNA)
    judge(crossing_of(van, depot, "pass"))

    mail = inbox()

    assert mail["Subject"] == "van passed through Depot North"
    for body in (text_of(mail), html_of(mail)):
        assert "It is inferred" in body


def test_a_sentence_for_each_kind():
    said = [sentence("Van 7", kind, "Depot") for kind in ("enter", "exit", "pass")]

    assert said == ["Van 7 entered Depot", "Van 7 left Depot", "Van 7 passed through Depot"]


def at_once(now):
    return now


def late(change, at, seconds):
    """Return the correction that moves an alert to `at`, and when it comes."""
    moved = msgspec.structs.replace(change, change="moved", at=at, is_late=True)
    return moved, TEN + timedelta(minutes=1, seconds=seconds)


@pytest.mark.field("G-03")
def test_a_burst_of_late_reports_is_one_correction(entry, mail_server):
    judge(entry)
    send_batch(clock=lambda: TEN)
    for number in range(11):
        moved, now = late(entry, TEN - timedelta(minutes=10 * (number + 1)), 3 * number)
        judge(moved, now=now)
        send_batch(clock=partial(at_once, now))

    assert Alert.objects.get().at == TEN - timedelta(minutes=110)
    assert len(mail_server.arrivals(ANNA)) == 1
    send_batch(clock=lambda: NOON)

    _, correction = mail_server.arrivals(ANNA)
    assert correction["Subject"] == "Correction: van entered Depot North at another time"
    assert "We told you: Mon 2 Mar 2026, 11:00:00 CET" in text_of(correction)


@pytest.mark.field("G-03")
def test_a_correction_waits_from_the_last_change_but_not_for_ever(entry, mail_server):
    judge(entry)
    send_batch(clock=lambda: TEN)
    for number in range(30):
        moved, now = late(entry, TEN - timedelta(minutes=10 + number), 30 * number)
        judge(moved, now=now)
        send_batch(clock=partial(at_once, now))

    assert len(mail_server.arrivals(ANNA)) == 2


@pytest.mark.field("G-03")
def test_a_correction_of_seconds_is_not_mailed_and_many_of_them_are(entry, mail_server):
    judge(entry)
    send_batch(clock=lambda: TEN)
    for number in (1, 2):
        moved, now = late(entry, TEN - timedelta(seconds=40 * number), 300 * number)
        judge(moved, now=now)
        send_batch(clock=partial(at_once, now + timedelta(minutes=2)))

        assert len(mail_server.arrivals(ANNA)) == number

    assert "We told you: Mon 2 Mar 2026, 11:00:00 CET" in text_of(mail_server.arrivals(ANNA)[-1])
