"""One message as an e-mail."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings

from outbox.messages import OutgoingMessage, RenderedText, one_line
from outbox.senders.smtp import SmtpSender, mail_of
from tests.outbox.scenes import ANNA

ID = UUID("6f1d2f0e-7f57-4c8e-8f2c-1f7b0a3f9f10")


def message(address: str = ANNA, **text: Any) -> OutgoingMessage:
    given: dict[str, Any] = {"subject": "Hello", "plain": "Come in."} | text
    return OutgoingMessage(notification_id=ID, address=address, text=RenderedText(**given))


@override_settings(DEFAULT_FROM_EMAIL="Tracker <alerts@track.example>")
def test_the_id_of_a_mail_is_that_of_its_notification():
    assert mail_of(message()).message()["Message-ID"] == f"<{ID}@track.example>"


@override_settings(DEFAULT_FROM_EMAIL="Tracker <alerts@track.example>")
def test_mails_of_one_thread_are_one_conversation():
    assert mail_of(message(thread="alert-7")).message()["References"] == "<alert-7@track.example>"
    assert "References" not in mail_of(message()).message()


def test_a_page_goes_beside_the_plain_text():
    mail = mail_of(message(html="<p>Come in.</p>")).message()

    assert [part.get_content_type() for part in mail.walk()][1:] == ["text/plain", "text/html"]


def test_a_mail_says_that_no_person_wrote_it():
    assert mail_of(message(headers={"X-Alert-Id": "7"})).message()["X-Alert-Id"] == "7"
    assert mail_of(message()).message()["Auto-Submitted"] == "auto-generated"


@pytest.mark.fault("F-125")
@pytest.mark.parametrize(
    "wrong",
    [
        message(subject="Hello\r\nBcc: victim@elsewhere.example"),
        message(address="anna@north.example\nBcc: victim@elsewhere.example"),
        message(headers={"X-Alert-Id": "7\nBcc: victim@elsewhere.example"}),
    ],
)
def test_what_would_add_a_header_is_not_sent(mail_server, wrong):
    with SmtpSender() as sender:
        outcome = sender.send(wrong)

    assert (outcome.kind, outcome.detail) == ("temporary", "The mail could not be written.")
    assert mail_server.arrived == []


@pytest.mark.parametrize("text", ["a\r\nb", "a\x00b", "a \u2028 b", "a\u0085b", " a\tb\n"])
def test_one_line_is_one_line(text):
    assert one_line(text) == "a b"
