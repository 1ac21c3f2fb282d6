"""A real SMTP server on loopback that can also be rude."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
from collections import defaultdict, deque
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

HANG_S = 30


class MailServer:
    """Keeps what arrives. `will_answer` sets what a recipient's next mails get instead."""

    def __init__(self) -> None:
        self.arrived: list[EmailMessage] = []
        self._answers: dict[str, deque[str]] = defaultdict(deque)

    def will_answer(self, recipient: str, *answers: str) -> None:
        """Answer RCPT with an SMTP reply, or `hang`, or `drop`: take the mail, answer nothing."""
        self._answers[recipient].extend(answers)

    def arrivals(self, recipient: str) -> list[EmailMessage]:
        return [mail for mail in self.arrived if mail["To"] == recipient]

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        answers = self._answers[address]
        if answers and answers[0][0].isdigit():
            return answers.popleft()
        if answers and answers[0] == "hang":
            answers.popleft()
            await asyncio.sleep(HANG_S)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.arrived.append(mail)
        answers = self._answers[envelope.rcpt_tos[0]]
        if answers and answers[0] == "drop":
            answers.popleft()
            server.transport.abort()
        return "250 OK"


def serve(handler: MailServer) -> Controller:
    controller = Controller(handler, hostname="127.0.0.1", port=_free_port())
    controller.start()
    return controller


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
