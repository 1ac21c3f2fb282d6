"""`mailbox.py PORT DIRECTORY`: takes every mail that the demo sends, shows it and keeps it."""

# ruff: noqa: T201, INP001

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """Keeps mails as `.eml` files that any mail program opens."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._number = count(1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        at = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        (self._directory / f"{at}-{next(self._number):04d}.eml").write_bytes(raw)
        mail = message_from_bytes(raw, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        print(f"to {', '.join(envelope.rcpt_tos)}: {mail['Subject']}", flush=True)
        text = mail.get_body(("plain",))
        # Up to the signature, which is the same in each.
        said = str(text.get_content() if text else "").split("\n-- \n")[0].strip()
        for line in said.splitlines():
            print(f"    {line}".rstrip(), flush=True)
        return "250 kept"


async def main(port: int, directory: Path) -> None:
    mailbox = Mailbox(directory)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, loop=loop), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    kept_under = Path(sys.argv[2])
    kept_under.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(int(sys.argv[1]), kept_under))
