"""`manage.py recent_uplinks`: the last uplinks of a source or device, one JSON object a line."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError

from assets.models import Device
from core.errors import Unavailable
from core.observation import normal_identifier
from uplinks.recent import RecentUplink, recent_of_devices, recent_of_source


class Command(BaseCommand):
    help = "Print the last uplinks of a source or device with what was noted, the newest first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--source", type=int, help="id")
        which.add_argument("--device", help="identifier")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            uplinks = _recent(options["source"], options["device"])
        except Unavailable as error:
            raise CommandError(error.detail) from error
        for uplink in uplinks:
            self.stdout.write(msgspec.json.encode(uplink).decode())


def _recent(source_id: int | None, device: str | None) -> list[RecentUplink]:
    if source_id is not None:
        return recent_of_source(source_id)
    devices = Device.objects.filter(identifier=normal_identifier(device or ""))
    return recent_of_devices(devices.values_list("organisation_id", "identifier"))
