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

from core.errors import Refused
from wire.samples import FORMAT_OF_FOLDER, SampleError, SampleVerdict, sample_verdict

Line = tuple[str, str]


class Command(BaseCommand):
    help = "Read each sample of a folder by its wire format; exit 1 if one has another meaning."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="with an index.json, or the parent of such")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        own = folder / "index.json"
        # The parent of such folders may have an index too, which only counts them.
        below = sorted(folder.glob("*/index.json"))
        is_parent = bool(below) and "samples" not in (_content(own) or {})
        indexes = below if is_parent or not own.is_file() else [own]
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


def _content(index: Path) -> dict[str, Any] | None:
    """Return the content of an index, or None if it cannot be read."""
    try:
        content = json.loads(index.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _lines(index: Path) -> Iterator[Line]:
    name, content = index.parent.resolve().name, _content(index)
    label = f"{name}/index.json"
    if content is None:
        yield "FAIL", f"FAIL {label}: not a JSON object"
        return
    format_name = FORMAT_OF_FOLDER.get(name) or FORMAT_OF_FOLDER.get(str(content.get("folder")))
    samples = content.get("samples")
    entries = samples if isinstance(samples, list) else []
    named = {str(entry["file"]): entry for entry in entries if _names_a_file(entry)}
    if format_name is None:
        for file in named or ["index.json"]:
            yield "skip", f"skip {name}/{file}: no such format"
        return
    if not entries:
        yield "FAIL", f"FAIL {label}: no list of samples"
    for place, entry in enumerate(entries):
        if _names_a_file(entry):
            yield _checked(index.parent, format_name, entry, named)
        else:
            yield "FAIL", f"FAIL {label}: entry {place} names no file"


def _names_a_file(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("file"), str)


def _checked(
    folder: Path, format_name: str, entry: Mapping[str, Any], named: Mapping[str, Any]
) -> Line:
    label = f"{folder.resolve().name}/{entry['file']}"
    try:
        content = _bytes_of(folder, entry["file"])
        now = datetime.now(UTC)
        found = sample_verdict(format_name, entry, content, entries=named, received_at=now)
    except (Refused, ValueError, OSError) as error:
        return "FAIL", f"FAIL {label}: {type(error).__name__}: {error}"
    return _line(label, found)


def _bytes_of(folder: Path, file: str) -> bytes:
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise SampleError("the file is outside of its folder")
    return path.read_bytes()


def _line(label: str, found: SampleVerdict) -> Line:
    unchecked = f" (unchecked: {', '.join(found.unchecked)})" if found.unchecked else ""
    if found.skipped:
        return "skip", f"skip {label}: {found.skipped}"
    if found.differences:
        return "FAIL", f"FAIL {label}: {'; '.join(found.differences)}{unchecked}"
    return "ok", f"ok   {label}{unchecked}"
