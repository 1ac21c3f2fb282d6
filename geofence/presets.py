"""Default judging options, derived from the report interval of an asset."""

from __future__ import annotations

from typing import TypedDict

OFTEN_S, SELDOM_S = 60.0, 900.0
# How long the error of a receiver looks like a movement.
DRIFT_S = 30.0
# Accuracies beyond which fixes decide nothing, as multiples of the size of a geofence and not
# below a least value: by default so that only fixes without any news of the geofence are left out,
# in a proposal so that coarse ones hardly ever are wrong. `benchmarks/crossings.py` measures both.
DEFAULT_SIZES, DEFAULT_LEAST_M = 10.0, 1_000.0
PROPOSED_SIZES, PROPOSED_LEAST_M = 2.0, 100.0
# A few values, since the fold remembers a fix for each different limit.
LIMITS_M = tuple(digit * 10.0**power for power in range(2, 7) for digit in (1, 2, 5))


class Judging(TypedDict, total=False):
    """The judging options of a geofence version; options left out keep their former values.

    `accuracy_cap_m` None stands for half the inradius, `max_accuracy_m` None for what
    `default_max_accuracy_m` returns. `asset_ids` and `tags` empty
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


def default_max_accuracy_m(inradius_m: float) -> float:
    """Return the accuracy beyond which a fix decides nothing about a geofence of this size."""
    return _limit_m(max(DEFAULT_SIZES * inradius_m, DEFAULT_LEAST_M))


def proposed_max_accuracy_m(inradius_m: float) -> float:
    """Return the limit for assets that mostly report by satellite, and now and then by a cell."""
    return _limit_m(max(PROPOSED_SIZES * inradius_m, PROPOSED_LEAST_M))


def _limit_m(least_m: float) -> float:
    return next((limit_m for limit_m in LIMITS_M if limit_m >= least_m), LIMITS_M[-1])


def preset_for(interval_s: float, inradius_m: float | None = None) -> Judging:
    """Return judging options that suit an asset with a report each `interval_s` seconds.

    With the inradius of the geofence they include a sharper `max_accuracy_m` than the default,
    which None stands for.

    With frequent reports a crossing needs a second fix and some time to be confirmed, since the
    error of a receiver drifts over tens of seconds. With sparse reports this takes too long, but
    an asset may drive through a small geofence between two fixes. Beyond a quarter of an hour
    the straight line between two fixes says nothing about the road.
    """
    max_accuracy_m = None if inradius_m is None else proposed_max_accuracy_m(inradius_m)
    if interval_s <= OFTEN_S:
        return Judging(
            max_accuracy_m=max_accuracy_m,
            persist_fixes=2,
            persist_s=max(interval_s, DRIFT_S),
            judges_pass_through=False,
            max_gap_s=300.0,
        )
    return Judging(
        max_accuracy_m=max_accuracy_m,
        persist_fixes=1,
        persist_s=0.0,
        judges_pass_through=interval_s <= SELDOM_S,
        max_gap_s=2.0 * interval_s,
    )
