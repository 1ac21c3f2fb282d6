"""E-mail by SMTP."""

from __future__ import annotations

import logging
import smtplib
from email.errors import MessageError
from email.utils import parseaddr
from typing import Any, ClassVar, Final, Self

from django.conf import settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from outbox.messages import EMAIL, OutgoingMessage, SendOutcome, one_line

logger = logging.getLogger(__name__)

SEND_TIMEOUT_S: Final = 10


class SmtpSender:
    """Sends mails over one connection, opened when needed and again after each failure."""

    channel: ClassVar[str] = EMAIL

    def __init__(self) -> None:
        timeout_s = min(SEND_TIMEOUT_S, settings.EMAIL_TIMEOUT or SEND_TIMEOUT_S)
        self._connection: Any = mail.get_connection(timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, message: OutgoingMessage) -> SendOutcome:
        try:
            composed = mail_of(message)
        except (ValueError, MessageError):
            logger.exception("notification %s makes no mail", message.notification_id)
            return SendOutcome(kind="temporary", detail="The mail could not be written.")
        try:
            self._connection.open()
        except OSError as error:
            # The mail was not offered yet. A wrong password is a mistake in our settings, too.
            self._connection.close()
            return SendOutcome(kind="temporary", detail=_detail_of(error))
        try:
            self._connection.send_messages([composed])
        except OSError as error:
            self._connection.close()
            return outcome_of(error)
        return SendOutcome(kind="sent")


SENDER = SmtpSender


def mail_of(message: OutgoingMessage) -> EmailMultiAlternatives:
    """Return the mail. Raises ValueError or MessageError for text that fits in no header."""
    text, host = message.text, _host()
    headers = {"Message-ID": f"<{message.notification_id}@{host}>"}
    if text.thread is not None:
        headers["References"] = f"<{text.thread}@{host}>"
    composed = EmailMultiAlternatives(
        subject=text.subject,
        body=text.plain,
        to=[message.address],
        headers=headers | text.headers | {"Auto-Submitted": "auto-generated"},
    )
    if text.html is not None:
        composed.attach_alternative(text.html, "text/html")
    composed.message()  # Raises errors in the headers before a connection is opened.
    return composed


def outcome_of(error: OSError) -> SendOutcome:
    """Return the outcome of a failed attempt. All errors of smtplib are subclasses of OSError."""
    code = _answer_of(error)[0]
    if code is None:
        return SendOutcome(kind="unclear", detail=_detail_of(error))
    # A refused sender address is a mistake in our settings, which can be corrected.
    is_final = code >= 500 and not isinstance(error, smtplib.SMTPSenderRefused)
    return SendOutcome(kind="permanent" if is_final else "temporary", detail=_detail_of(error))


def _detail_of(error: OSError) -> str:
    code, text = _answer_of(error)
    return one_line(f"{code or type(error).__name__}: {text}")[:500]


def _answer_of(error: OSError) -> tuple[int | None, str]:
    """Return code and text of the mail server's answer; the code is None without an answer."""
    code: int | None = None
    said: bytes | str = str(error)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, said = error.smtp_code, error.smtp_error
    # The code of smtplib is -1 if the connection ended in the middle of an answer.
    is_code = code is not None and code > 0
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return (code if is_code else None), text


def _host() -> str:
    """Return the domain of our own address, the end of a message id."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
