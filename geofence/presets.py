"""Default judging options, derived from the report interval of an asset."""

from __future__ import annotations

from typing import TypedDict

OFTEN_S, SELDOM_S = 60.0, 900.0
# How long the error of a receiver looks like a movement.
DRIFT_S = 30.0


class Judging(TypedDict, total=False):
    """The judging options of a geofence version; options left out keep their former values.

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
    """Return judging options that suit an asset with a report each `interval_s` seconds.

    With frequent reports a crossing needs a second fix and some time to be confirmed, since the
    error of a receiver drifts over tens of seconds. With sparse reports this takes too long, but
    an asset may drive through a small geofence between two fixes. Beyond a quarter of an hour
    the straight line between two fixes says nothing about the road.
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
