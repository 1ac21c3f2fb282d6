"""`manage.py check_samples FOLDER`: recorded messages, each read by its wire format."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tracker.errors import Refused
from tracker.wire.samples import FORMAT_OF_FOLDER, Verdict, verdict


class Command(BaseCommand):
    help = "Read each sample of a folder by its wire format; exit 1 where one means another thing."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="one with an index.json, or their parent")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        indexes = [folder / "index.json"] if _is_samples(folder / "index.json") else []
        indexes = indexes or sorted(folder.glob("*/index.json"))
        if not indexes:
            raise CommandError(f"{folder}: no index.json with samples")
        counts: Counter[str] = Counter()
        for index in indexes:
            for word, line in _lines(index):
                counts[word] += 1
                self.stdout.write(line)
        total = f"{counts['ok']} ok, {counts['FAIL']} failed, {counts['skip']} skipped"
        self.stdout.write(total)
        if counts["FAIL"]:
            raise CommandError("some samples failed", returncode=1)


def _is_samples(index: Path) -> bool:
    return index.is_file() and "samples" in json.loads(index.read_bytes())


def _lines(index: Path) -> Iterator[tuple[str, str]]:
    folder = index.parent
    samples: list[Mapping[str, Any]] = json.loads(index.read_bytes()).get("samples", [])
    format_name = FORMAT_OF_FOLDER.get(folder.resolve().name)
    entries = {str(entry.get("file")): entry for entry in samples}
    for file, entry in entries.items():
        label = f"{folder.resolve().name}/{file}"
        if format_name is None:
            yield "skip", f"skip {label}: no such format"
            continue
        try:
            found = verdict(
                format_name,
                entry,
                (folder / file).read_bytes(),
                entries=entries,
                received_at=datetime.now(UTC),
            )
        except (Refused, OSError, ValueError) as error:
            yield "FAIL", f"FAIL {label}: {type(error).__name__}: {error}"
            continue
        yield _line(label, found)


def _line(label: str, found: Verdict) -> tuple[str, str]:
    unchecked = f" (unchecked: {', '.join(found.unchecked)})" if found.unchecked else ""
    if found.skipped:
        return "skip", f"skip {label}: {found.skipped}"
    if found.differences:
        return "FAIL", f"FAIL {label}: {'; '.join(found.differences)}{unchecked}"
    return "ok", f"ok   {label}{unchecked}"
