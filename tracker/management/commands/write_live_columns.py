"""`manage.py write_live_columns`: writes the live columns into the docs and the console."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from tracker.live.live_column_files import generated_texts


class Command(BaseCommand):
    help = "Write docs/live-protocol.md's table and the console's types from the live columns."

    def handle(self, *args: Any, **options: Any) -> None:
        for file, text in generated_texts().items():
            file.write_text(text)
