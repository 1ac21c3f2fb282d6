"""Decoded payloads of many devices, and how much of them is understood.

    .venv/bin/python benchmarks/payloads.py FILE_OR_FOLDER [--paths 8]

Each line of a `.jsonl` file is `{"device": "vendor/model", "decoded": {…}}`. Printed is, by
quantity, in how many members it came out canonical, guessed, kept as custom or lost, of how many
devices, and the paths of these members with the reason. Lost is a member that is neither a reading,
nor used, nor noted as dropped: its number is 0, or the program fails.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from wire.payloads.members import Member
from wire.payloads.payload_reader import read_payload
from wire.payloads.reading_rules import concepts_of

# Later than any payload that is tried, so that none of their times is ahead.
NOW = datetime(2035, 1, 1, tzinfo=UTC)
OUTCOMES = ("canonical", "guessed", "custom", "lost")
# By a human's eye: a member with such a word is about this quantity, or a limit or setting of it.
QUANTITIES = {
    "battery": {"battery"},
    "temperature": {"temperature"},
    "humidity": {"humidity"},
    "pressure": {"pressure"},
    "co2": {"co2"},
    "light": {"light", "lux"},
    "motion": {"motion", "occupancy"},
    "contact": {"door", "reed", "contact", "open"},
    "leak": {"leak"},
    "tamper": {"tamper"},
    "sos": {"sos"},
    "shock": {"shock"},
    "acceleration": {"acceleration"},
    "tilt": {"tilt", "angle", "pitch", "roll"},
}
# What such a reason says is that the member is no measurement of now.
_NO_MEASUREMENT = re.compile(
    r"is in its name$|^the message tells of settings|is no quantity$|not of"
)


class Tally:
    """Members and devices of one quantity, by outcome."""

    def __init__(self) -> None:
        self.members: Counter[str] = Counter()
        self.devices: dict[str, set[str]] = defaultdict(set)
        self.paths: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, outcome: str, device: str, member: Member) -> None:
        self.members[outcome] += 1
        is_measurement = outcome != "custom" or not _NO_MEASUREMENT.search(member.reason)
        if is_measurement:
            self.devices[outcome].add(device)
        reading = f" -> {member.reading}" if outcome != "custom" else ""
        reason = f"   ({member.reason})" if member.reason else ""
        self.paths[outcome][f"{_general_path(member.path_text)}{reading}{reason}"] += 1

    @property
    def share(self) -> str:
        understood = self.devices["canonical"] | self.devices["guessed"]
        sending = understood | self.devices["custom"] | self.devices["lost"]
        percent = 100 * len(understood) / len(sending) if sending else 100.0
        return f"{len(understood)}/{len(sending)} {percent:.0f}%"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, nargs="?", help="a .jsonl file, or a folder of them")
    parser.add_argument("--paths", type=int, default=8, help="paths printed of each outcome")
    options = parser.parse_args()
    if options.source is None:
        print("no payloads are part of the project: name a file")
        return
    files = sorted(options.source.glob("*.jsonl")) if options.source.is_dir() else [options.source]
    tallies = {quantity: Tally() for quantity in QUANTITIES}
    payloads = fixes = 0
    fates: Counter[str] = Counter()
    lost: list[str] = []
    seen: set[str] = set()
    for device, decoded in _lines(files):
        found = read_payload(decoded, now=NOW)
        payloads += 1
        seen.add(device)
        fixes += bool(found.main.fix or any(one.fix for one in found.others))
        fates.update(member.fate for member in found.members)
        lost += [f"{device}: {path}" for path in lost_paths(decoded, found.members)]
        for member in found.members:
            for quantity, outcome in _outcomes(member):
                tallies[quantity].add(outcome, device, member)
    print(f"{payloads} payloads of {len(seen)} devices, {fixes} with a fix")
    print("members: " + ", ".join(f"{fate} {count}" for fate, count in fates.most_common()))
    _print_table(tallies)
    _print_paths(tallies, options.paths)
    print(f"\nlost: {len(lost)}")
    if lost:
        raise SystemExit("\n".join(lost[:50]))


def _lines(files: list[Path]) -> Iterator[tuple[str, Any]]:
    for file in files:
        for line in file.read_text().splitlines():
            if line.strip():
                sent = json.loads(line)
                yield sent.get("device", "?"), sent["decoded"]


def _outcomes(member: Member) -> Iterator[tuple[str, str]]:
    """Yield the quantities that a member is about, each with its outcome."""
    if member.fate not in ("canonical", "guessed", "custom", "dropped", ""):
        return
    outcome = member.fate if member.fate in OUTCOMES else "custom" if member.fate else "lost"
    about = concepts_of(member.names[-1]) or concepts_of(".".join(member.names[-2:-1]))
    for quantity, concepts in QUANTITIES.items():
        if about & concepts:
            yield quantity, outcome


def lost_paths(decoded: Any, members: tuple[Member, ...]) -> list[str]:
    """Return the paths of values that no member accounts for, by a walk of its own."""
    accounted = {member.path_text for member in members if member.fate}
    return [
        path
        for path in _leaves(decoded, "")
        # A value that is wrapped with its unit goes by the name of the wrapping.
        if path not in accounted and path.rpartition(".")[0] not in accounted
    ]


def _leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}".removeprefix("."))
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{place}]")
    else:
        yield path


def _general_path(path: str) -> str:
    return re.sub(r"\[\d+\]", "[]", path)


def _print_table(tallies: dict[str, Tally]) -> None:
    print(f"\n{'quantity':14}" + "".join(f"{outcome:>11}" for outcome in OUTCOMES) + "   devices")
    for quantity, tally in tallies.items():
        counts = "".join(f"{tally.members[outcome]:11}" for outcome in OUTCOMES)
        print(f"{quantity:14}{counts}   {tally.share}")


def _print_paths(tallies: dict[str, Tally], limit: int) -> None:
    for quantity, tally in tallies.items():
        for outcome in OUTCOMES:
            paths = tally.paths[outcome]
            if paths and limit:
                print(f"\n{quantity}, {outcome}: {len(paths)} paths")
                for path, count in paths.most_common(limit):
                    print(f"  {count:4} {path}")


if __name__ == "__main__":
    main()
