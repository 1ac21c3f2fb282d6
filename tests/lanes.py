"""Which tests run beside which: those that wait, and those that compute."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

# Folders whose tests mostly wait for processes, sockets or a browser. The others compute.
WAITING: Final = frozenset(
    {"browser", "conformance", "house", "ingest", "intake", "live", "outbox", "proxy"}
)
LANES: Final = ("waits", "computes")


def lane_of(file: Path) -> str:
    folder = file.relative_to(Path(__file__).parent).parts[0]
    return "waits" if folder in WAITING else "computes"


def keep_own_lane(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of the other lane, where `LANE` names one."""
    lane = os.environ.get("LANE")
    if lane is None:
        return
    if lane not in LANES:
        raise pytest.UsageError(f"LANE is one of {', '.join(LANES)}")
    items[:] = [item for item in items if lane_of(item.path) == lane]
