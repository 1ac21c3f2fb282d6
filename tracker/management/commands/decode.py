"""`manage.py decode FORMAT FILE`: the meaning of a message, without storing anything.

Of a decoded LoRaWAN payload it also prints the fate of each member, and the reason.
"""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError

from core.errors import Refused
from wire.device_model import DeviceModel
from wire.envelope import Envelope, decode_payload, payload_members
from wire.payloads.members import Member
from wire.registry import FORMATS
from wire.samples import request_of_file
from wire.uplink import Decoded, Uplink


class Command(BaseCommand):
    help = "Print the meaning of a message in a wire format, as JSON."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("format", choices=sorted(FORMATS))
        parser.add_argument("file", type=Path, help="a body, *.hex, or *.txt with a request line")
        parser.add_argument("--query", default="", help="the raw query string")
        parser.add_argument("--content-type", default=None)
        parser.add_argument("--user", default=None, help="the name of HTTP Basic")
        parser.add_argument("--model", default="", help="the model of the device")
        parser.add_argument("--header", action="append", default=[], metavar="'K: V'")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        try:
            query, body = request_of_file(file.name, file.read_bytes())
        except (OSError, ValueError) as error:
            raise CommandError(f"{file}: {error}") from error
        headers = [header.partition(":") for header in options["header"]]
        content_type = options["content_type"]
        if content_type is None and file.suffix == ".hex":
            content_type = "application/octet-stream"
        uplink = Uplink(
            body=body,
            query=options["query"] or query,
            content_type=content_type,
            headers={name.strip().lower(): value.strip() for name, _, value in headers},
            received_at=datetime.now(UTC),
            user=options["user"],
        )
        model = DeviceModel(options["model"]) if options["model"] else None
        try:
            opened = FORMATS[options["format"]].open(uplink)
            meaning = msgspec.to_builtins(_decoded(opened, model))
            if isinstance(opened, Envelope):
                meaning["members"] = [_line(member) for member in payload_members(opened, model)]
        except Refused as error:
            faults = msgspec.to_builtins(error.faults)
            raise CommandError(f"{error.code}: {error.detail} {faults or ''}".strip()) from error
        text = msgspec.json.format(msgspec.json.encode(meaning), indent=2)
        self.stdout.write(text.decode())


def _decoded(opened: Decoded | Envelope, model: DeviceModel | None) -> Decoded:
    return decode_payload(opened, model) if isinstance(opened, Envelope) else opened


def _line(member: Member) -> dict[str, Any]:
    """Return the fate of a member, without what is empty."""
    line = {
        "member": member.path_text,
        "value": member.value,
        "fate": member.fate,
        "reading": member.reading,
        "reason": member.reason,
    }
    return {name: value for name, value in line.items() if value not in (None, "")}
