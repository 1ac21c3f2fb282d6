"""The ledgers of the folds that the road runs, in order: a fold sees the states of earlier folds.

A new fold is a module on the floor that owns it, and a line here.
"""

from __future__ import annotations

from geofence.crossing_ledger import CrossingLedger
from geofence.zone_store import ZoneStore
from judging.ledgers import Ledger
from judging.motion import MotionFold
from tracker.road.interval_ledger import IntervalLedger


def ledgers_over(zones: ZoneStore) -> tuple[Ledger, ...]:
    return (
        CrossingLedger(zones),
        IntervalLedger(MotionFold()),
    )
