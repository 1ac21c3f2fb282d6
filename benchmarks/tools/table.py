"""A table of target, figure and verdict, and the machine on which it was measured."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """`is_met` is None for what is stated without a target."""

    what: str
    figure: str
    target: str = ""
    is_met: bool | None = None

    @property
    def verdict(self) -> str:
        return {True: "met", False: "MISSED", None: ""}[self.is_met]


@dataclass
class Table:
    title: str
    rows: list[Row] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def add(self, what: str, figure: str, target: str = "", is_met: bool | None = None) -> None:
        self.rows.append(Row(what, figure, target, is_met))

    @property
    def is_met(self) -> bool:
        return all(row.is_met is not False for row in self.rows)

    def text(self) -> str:
        head = ("what", "target", "figure", "verdict")
        lines = [head, *((row.what, row.target, row.figure, row.verdict) for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(4)]
        body = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join(
            [self.title, body[0], "  ".join("-" * width for width in widths), *body[1:]]
        )

    def write_json(self, file: Path) -> None:
        content = {
            "title": self.title,
            "machine": machine(),
            "rows": [asdict(row) | {"verdict": row.verdict} for row in self.rows],
            "details": self.details,
        }
        file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def machine() -> dict[str, Any]:
    """Describe what was measured on: without it a figure says nothing."""
    cpu = _first_line_with("/proc/cpuinfo", "model name")
    memory = _first_line_with("/proc/meminfo", "MemTotal")
    return {
        "cores": os.cpu_count(),
        "cpu": cpu,
        "memory": memory,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "postgres": _version(["psql", "--version"]),
        "redis": _version(["redis-server", "--version"]),
    }


def _first_line_with(file: str, name: str) -> str:
    for line in Path(file).read_text().splitlines():
        if line.startswith(name):
            return line.split(":", 1)[1].strip()
    return ""


def _version(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""
