"""How hard the laws are tried: for minutes in `make test`, for hours in `make night`."""

from __future__ import annotations

import os


def examples(by_day: int, by_night: int = 2000) -> int:
    """Return how many examples to try now; LAW_EXAMPLES says it for all."""
    is_night = os.environ.get("HYPOTHESIS_PROFILE") == "night"
    return int(os.environ.get("LAW_EXAMPLES", by_night if is_night else by_day))
