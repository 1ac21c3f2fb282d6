"""Fixes that decide, in Python and in SQL: only they make crossings and tracks.

A fix of a doubted clock does not decide (fault F-043), and neither does an estimate from
gateways, since it is the position of the gateways.
"""

from __future__ import annotations

from typing import Final

from core.judged_fact import NO_READINGS, DecidingFix, JudgedFact
from core.observation import Fix
from positions.stored_fact import Fact


def deciding_fix(fact: Fact) -> Fix | None:
    """Return the fix of `fact` if it decides."""
    fix = fact.fix
    if fix is None or fix.method == "gateway" or fact.is_clock_suspect:
        return None
    return fix


# The same condition on a row `p` of positions_position.
DECIDES: Final = "p.point IS NOT NULL AND p.method <> 'gateway' AND NOT p.is_clock_suspect"


def judged_fact_of(fact: Fact, *, with_readings: bool) -> JudgedFact | None:
    """Return the fact as folds see it; None if its clock is doubted."""
    if fact.is_clock_suspect:
        return None
    fix, deciding = deciding_fix(fact), None
    if fix is not None:
        deciding = DecidingFix(
            fact.at_us,
            fact.device_id,
            fix.lon_deg,
            fix.lat_deg,
            fix.accuracy_m or 0.0,
            fix.altitude_m,
            fix.speed_mps,
        )
    return JudgedFact(fact.key, deciding, fact.readings if with_readings else NO_READINGS)
