"""One notification as an e-mail, and sending it by SMTP."""

from __future__ import annotations

import smtplib
from datetime import UTC
from email.utils import parseaddr
from typing import Any, Final, Literal, Self, cast

from django.conf import settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from msgspec import Struct

from alerts import wording
from alerts.models import Alert, Notification
from alerts.telling import Reason

SEND_TIMEOUT_S: Final = 10
COLOURS: Final = {"info": "#005a9c", "warning": "#b45309", "critical": "#b91c1c"}


class Outcome(Struct, frozen=True, kw_only=True):
    """How an attempt ended. `unclear`: without an answer, so it may have arrived."""

    kind: Literal["sent", "temporary", "unclear", "permanent"]
    detail: str = ""


class Mailer:
    """Sends mails over one connection, opened when needed and again after each failure."""

    def __init__(self) -> None:
        timeout_s = min(SEND_TIMEOUT_S, settings.EMAIL_TIMEOUT or SEND_TIMEOUT_S)
        self._connection: Any = mail.get_connection(timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, message: EmailMultiAlternatives) -> Outcome:
        try:
            self._connection.open()
        except OSError as error:
            # Nobody was asked to take anything: a wrong password is no bounce either.
            self._connection.close()
            return Outcome(kind="temporary", detail=_words_of(error))
        try:
            self._connection.send_messages([message])
        except OSError as error:
            self._connection.close()
            return outcome_of(error)
        return Outcome(kind="sent")


def outcome_of(error: OSError) -> Outcome:
    """Return what a failed send means. smtplib's errors are all children of OSError."""
    code = _answer(error)[0]
    if code is None:
        return Outcome(kind="unclear", detail=_words_of(error))
    # A refused sender address is our own setting, and somebody will mend it.
    is_final = code >= 500 and not isinstance(error, smtplib.SMTPSenderRefused)
    return Outcome(kind="permanent" if is_final else "temporary", detail=_words_of(error))


def _words_of(error: OSError) -> str:
    code, text = _answer(error)
    return wording.one_line(f"{code or type(error).__name__}: {text}")[:500]


def _answer(error: OSError) -> tuple[int | None, str]:
    """Return code and words of the mail server's answer; no code where it gave none."""
    code: int | None = None
    said: bytes | str = str(error)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, said = error.smtp_code, error.smtp_error
    # smtplib says -1 where the connection ended in the middle of an answer.
    is_code = code is not None and code > 0
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return (code if is_code else None), text


def message_for(notification: Notification) -> EmailMultiAlternatives:
    """Return the mail, with the alert as it now stands.

    `notification` must come with its alert, change, and what these name. The message's id is
    that of the notification, so each attempt sends the same one.
    """
    alert, context = notification.alert, _context(notification)
    host = _host()
    message = EmailMultiAlternatives(
        subject=context["subject"],
        body=render_to_string("alerts/mail.txt", context),
        to=[notification.recipient],
        headers={
            "Message-ID": f"<{notification.pk}@{host}>",
            # All mails about one alert show as one conversation.
            "References": f"<alert-{alert.pk}@{host}>",
            "X-Alert-Id": str(alert.pk),
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(render_to_string("alerts/mail.html", context), "text/html")
    message.message()  # Raises what is wrong with the headers, before anybody is connected to.
    return message


def _context(notification: Notification) -> dict[str, Any]:
    alert, reason = notification.alert, cast("Reason", notification.reason)
    zone = wording.zone_named(alert.organisation.time_zone)
    said = sentence_about(alert, is_withdrawn=reason == "withdrawn")
    was_at = notification.change.was_at
    local, utc = wording.clock_text(alert.at, zone), wording.clock_text(alert.at, UTC)
    is_correction = alert.is_late or notification.change.change != "raised"
    return {
        "alert": alert,
        "asset_name": wording.one_line(alert.asset.name),
        "geofence_name": wording.one_line(alert.geofence.name) if alert.geofence else "",
        "rule_name": wording.one_line(alert.rule.name),
        "said": said,
        "subject": wording.subject(said, is_correction=is_correction),
        "is_correction": is_correction,
        "remark": wording.remark(
            reason,
            is_moved=was_at is not None,
            is_late=alert.is_late,
            opened=wording.clock_text(alert.opened_at, zone),
        ),
        "time_label": "We told you" if reason == "withdrawn" else "When",
        "local_time": local,
        "was_time": wording.clock_text(was_at, zone) if was_at else "",
        "utc_time": utc if utc != local else "",
        "colour": COLOURS[alert.rule_version.severity],
        "url": f"{settings.PUBLIC_URL}/app/alerts?alert={alert.pk}",
        "recipient": notification.recipient,
    }


def sentence_about(alert: Alert, *, is_withdrawn: bool) -> str:
    geofence = alert.geofence.name if alert.geofence else None
    return wording.sentence(alert.asset.name, alert.kind, geofence, is_withdrawn=is_withdrawn)


def _host() -> str:
    """Return the domain of our own address, which a message id ends in."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
