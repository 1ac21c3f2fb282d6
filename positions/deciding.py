"""Which fixes decide, in Python and in SQL: of them alone crossings and tracks are made.

A fix of a doubted clock decides nothing (fault F-043), and neither does an estimate from
gateways: its place is theirs.
"""

from __future__ import annotations

from typing import Final

from core.observation import Fix
from positions.facts import Fact


def deciding_fix(fact: Fact) -> Fix | None:
    """Return the fix of `fact` if it decides."""
    fix = fact.fix
    if fix is None or fix.method == "gateway" or fact.is_clock_suspect:
        return None
    return fix


# The same of a row `p` of positions_position.
DECIDES: Final = "p.point IS NOT NULL AND p.method <> 'gateway' AND NOT p.is_clock_suspect"
