"""How to judge an asset that reports every so often, where nobody has said otherwise."""

from __future__ import annotations

from typing import TypedDict

OFTEN_S, SELDOM_S = 60.0, 900.0
# How long the error of a receiver looks like a movement.
DRIFT_S = 30.0


class Judging(TypedDict, total=False):
    """The judging options of a geofence version; what is left out keeps its former value.

    `accuracy_cap_m` None stands for half the inradius. `asset_ids` and `tags` empty
    stand for every asset of the organisation.
    """

    accuracy_cap_m: float | None
    max_accuracy_m: float | None
    persist_fixes: int
    persist_s: float
    judges_pass_through: bool
    max_gap_s: float
    floor_m: float | None
    ceiling_m: float | None
    asset_ids: list[int]
    tags: list[str]


def preset_for(interval_s: float) -> Judging:
    """Return what suits an asset that reports each `interval_s` seconds.

    Frequent reports can afford a second fix and some patience before a crossing is believed:
    the error of a receiver drifts over tens of seconds. Sparse ones
    cannot, but may drive through a small geofence unseen between two fixes. Beyond a
    quarter of an hour the straight line between two fixes says nothing about the road.
    """
    if interval_s <= OFTEN_S:
        return Judging(
            persist_fixes=2,
            persist_s=max(interval_s, DRIFT_S),
            judges_pass_through=False,
            max_gap_s=300.0,
        )
    return Judging(
        persist_fixes=1,
        persist_s=0.0,
        judges_pass_through=interval_s <= SELDOM_S,
        max_gap_s=2.0 * interval_s,
    )
