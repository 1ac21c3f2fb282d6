"""False crossings against missed visits: three ways of judging the same noisy fixes.

    .venv/bin/python benchmarks/crossings.py [--quick] [--json FILE] [--strict]

Vans stop inside of a yard, park close to its fence, and drive by or through it. What a receiver
reports differs from the truth by Gauss-Markov noise: correlated over minutes, with multipath now
and then, and an accuracy that is itself only an estimate. Judged by

  plain     the last fix is in the polygon or not, as the best-known open tracker does
  minutes   a change counts once it has lasted for two minutes, as commercial ones do
  ours      the fold with the preset for the reporting interval, and nothing tuned
  patient   the fold where it may wait for two minutes, too

A second table has receivers that fall back to the place of a cell: now and then in between, and
for some hours in a row, seldom or mostly. It shows what `max_accuracy_m` saves and costs.

A reported crossing is false if no true one of its kind is near in time. A stay of five minutes
or more is missed if no entry was reported of it. Needs no server.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.tools.table import Table
from core.judged_fact import DecidingFix
from geofence.crossing_state import CrossingState
from geofence.crossings import find_crossings
from geofence.distance import metres_per_degree
from geofence.earth import circle
from geofence.presets import default_max_accuracy_m, preset_for, proposed_max_accuracy_m
from geofence.zone import Zone
from geofence.zone_index import ZoneIndex

DAY_S = 86_400
YARD_M = 150.0
MIDDLE_DEG = (9.7320, 52.3759)
INTERVALS_S = (1, 10, 60, 300, 900)
ACCURACIES_M = (3.0, 10.0, 30.0, 100.0)
JUDGES = ("plain", "minutes", "ours", "patient")
CORRELATION_S = 120.0
LEAST_HELD_S = 120.0
STAY_S = 300.0
# How often one fix, and how often a whole stretch, comes from a cell or an access point.
LONE_SHARE, STRETCH_S = 0.05, 7_200
STRETCH_SHARES = {"seldom": 0.1, "mostly": 0.8}
COARSE_RANGE_M = (100.0, 20_000.0)
COARSE_YARDS_M = (50.0, 150.0, 500.0)
LIMITS = {
    "no limit": lambda yard_m: math.inf,
    "default": default_max_accuracy_m,
    "preset": proposed_max_accuracy_m,
}
# Of a circular normal distribution, within which 68 % lie.
SIGMAS_IN_ACCURACY = 1.515

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Crossing:
    is_entry: bool
    at_s: float
    window_s: tuple[float, float] | None = None


@dataclass
class Score:
    """Sums over asset-days."""

    days: int = 0
    false: int = 0
    stays: int = 0
    missed: int = 0
    windows: int = 0
    hits: int = 0

    def add(self, other: Score) -> None:
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def text(self) -> str:
        return f"{self.false / self.days:7.2f} false a day, {self.missed / self.stays:6.1%} missed"


@dataclass
class Truth:
    """Where the van is each second, in metres from the middle of the yard."""

    places_m: Floats

    yard_m: float = YARD_M

    def crossings(self) -> list[Crossing]:
        distance_m = np.hypot(*self.places_m.T)
        inside = distance_m <= self.yard_m
        changes = np.flatnonzero(inside[1:] != inside[:-1])
        part = (self.yard_m - distance_m[changes]) / (distance_m[changes + 1] - distance_m[changes])
        return [
            Crossing(bool(inside[change + 1]), float(change + share))
            for change, share in zip(changes, part, strict=True)
        ]

    def stays(self) -> list[tuple[float, float]]:
        """Return when the van came and left, where it stayed long enough to be told of."""
        return [
            (came.at_s, left.at_s)
            for came, left in pairwise(self.crossings())
            if came.is_entry and left.at_s - came.at_s >= STAY_S
        ]


def a_day(dice: np.random.Generator, yard_m: float = YARD_M) -> Truth:
    """Return a day of stops: in the yard, close outside of its fence, and far away."""
    places: list[Floats] = [np.zeros((0, 2))]
    here, length = _spot(dice, 2_000.0, 3_000.0), 0
    while length < DAY_S:
        kind = dice.choice(("yard", "fence", "far"), p=(0.35, 0.3, 0.35))
        there = {
            "yard": lambda: _spot(dice, 0.0, yard_m - 15.0),
            "fence": lambda: _spot(dice, yard_m + 15.0, yard_m + 60.0),
            "far": lambda: _spot(dice, 1_000.0, 4_000.0),
        }[str(kind)]()
        drive_s = max(int(math.dist(here, there) / dice.uniform(6.0, 14.0)), 1)
        stay_s = int(dice.uniform(300, 7_200))
        way = np.linspace(here, there, drive_s)
        places += [way, np.repeat(there[None], stay_s, axis=0)]
        length += drive_s + stay_s
        here = there
    return Truth(np.concatenate(places)[:DAY_S], yard_m)


def _spot(dice: np.random.Generator, nearest_m: float, farthest_m: float) -> Floats:
    turn = dice.uniform(0, 2 * math.pi)
    return dice.uniform(nearest_m, farthest_m) * np.array([math.cos(turn), math.sin(turn)])


def noise(dice: np.random.Generator, count: int, every_s: float, accuracy_m: float) -> Floats:
    """Return Gauss-Markov errors in metres; one fix in fifty suffers from multipath besides."""
    sigma_m = accuracy_m / SIGMAS_IN_ACCURACY
    kept = math.exp(-every_s / CORRELATION_S)
    shocks = dice.normal(size=(count, 2)) * sigma_m
    fresh = math.sqrt(1.0 - kept * kept)
    errors, error = np.empty((count, 2)), shocks[0]
    for number in range(count):
        error = kept * error + fresh * shocks[number]
        errors[number] = error
    errors[dice.random(count) < 0.02] *= 2.5
    return errors


def fixes_of(
    truth: Truth, dice: np.random.Generator, every_s: int, accuracy_m: float
) -> tuple[Floats, Floats, Floats]:
    """Return times, places in metres and claimed accuracies of what the receiver reports."""
    times_s = np.arange(int(dice.integers(0, every_s)), DAY_S, every_s)
    places_m = truth.places_m[times_s] + noise(dice, len(times_s), every_s, accuracy_m)
    claimed_m = accuracy_m * dice.lognormal(0.0, 0.25, len(times_s))
    return times_s.astype(np.float64), places_m, claimed_m


# --- judges -------------------------------------------------------------------------------


def plain(times_s: Floats, inside: NDArray[np.bool_]) -> list[Crossing]:
    changes = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    return [Crossing(bool(inside[n]), float(times_s[n])) for n in changes]


def minutes(times_s: Floats, inside: NDArray[np.bool_]) -> list[Crossing]:
    """A change counts when the new side has been held for LEAST_HELD_S; its time is its first."""
    found, side, since = [], bool(inside[0]), None
    for at_s, now in zip(times_s.tolist(), inside.tolist(), strict=True):
        if now == side:
            since = None
            continue
        since = at_s if since is None else since
        if at_s - since >= LEAST_HELD_S:
            found.append(Crossing(now, since))
            side, since = now, None
    return found


def ours(times_s: Floats, lonlat: Floats, claimed_m: Floats, yard: Zone) -> list[Crossing]:
    columns = (times_s.tolist(), lonlat.tolist(), claimed_m.tolist())
    marks = [
        DecidingFix(round(at_s * 1e6), 1, lon, lat, accuracy_m)
        for at_s, (lon, lat), accuracy_m in zip(*columns, strict=True)
    ]
    found = find_crossings(CrossingState(), marks, ZoneIndex([yard]))
    return [
        Crossing(one.kind == "enter", one.at_us / 1e6, (one.not_before_us / 1e6, one.at_us / 1e6))
        for one in found
        if one.kind in ("enter", "exit") and one.not_before_us is not None
    ]


def with_coarse_fixes(
    dice: np.random.Generator,
    truth: Truth,
    stretch_share: float,
    times_s: Floats,
    places_m: Floats,
    claimed_m: Floats,
) -> tuple[Floats, Floats]:
    """Return the fixes where some are as coarse as a cell, which stays the same for a while."""
    stretches = np.floor(times_s / STRETCH_S).astype(int)
    is_dark = dice.random(stretches.max() + 1) < stretch_share
    is_coarse = is_dark[stretches] | (dice.random(len(times_s)) < LONE_SHARE)
    low, high = np.log(COARSE_RANGE_M)
    # A cell is where its mast is: in a stretch the error is one and the same.
    size_m = np.exp(dice.uniform(low, high, len(is_dark)))[stretches]
    sigma_m = size_m / SIGMAS_IN_ACCURACY
    mast = dice.normal(size=(len(is_dark), 2))[stretches] * sigma_m[:, None]
    where_m = truth.places_m[times_s.astype(int)] + mast
    return (
        np.where(is_coarse[:, None], where_m, places_m),
        np.where(is_coarse, size_m * dice.lognormal(0.0, 0.25, len(size_m)), claimed_m),
    )


AREA = circle(MIDDLE_DEG, YARD_M)


def yard_for(every_s: int, *, least_held_s: float = 0.0) -> Zone:
    preset = preset_for(float(every_s))
    return Zone(
        geofence_id=1,
        version_id=1,
        area=AREA,
        accuracy_cap_m=YARD_M / 2.0,
        persist_fixes=preset["persist_fixes"],
        persist_us=round(max(preset["persist_s"], least_held_s) * 1e6),
        judges_pass_through=preset["judges_pass_through"],
        max_gap_us=round(preset["max_gap_s"] * 1e6),
    )


# --- scores -------------------------------------------------------------------------------


def score(truth: Truth, reported: Sequence[Crossing], every_s: int) -> Score:
    """Match each report with the nearest true crossing of its kind that has none yet."""
    near_s = 2.0 * every_s + 180.0
    waiting = truth.crossings()
    result = Score(days=1, stays=len(truth.stays()))
    for one in reported:
        alike = [t for t in waiting if t.is_entry == one.is_entry]
        best = min(alike, key=lambda t: abs(t.at_s - one.at_s), default=None)
        if best is None or abs(best.at_s - one.at_s) > near_s:
            result.false += 1
            continue
        waiting.remove(best)
        if one.window_s is not None:
            low_s, high_s = one.window_s
            result.windows += 1
            # The truth itself is known to the second.
            result.hits += low_s - 1.0 <= best.at_s <= high_s + 1.0
    entries = [one.at_s for one in reported if one.is_entry]
    for came_s, left_s in truth.stays():
        result.missed += not any(came_s - near_s <= at_s <= left_s for at_s in entries)
    return result


def cell(every_s: int, accuracy_m: float, days: int) -> dict[str, Score]:
    """Judge so many days of one receiver by each judge."""
    dice = np.random.default_rng(int(every_s * 1_000 + accuracy_m))
    scale = np.array(metres_per_degree(MIDDLE_DEG[1]))
    totals = {name: Score() for name in JUDGES}
    for _ in range(days):
        truth = a_day(dice)
        times_s, places_m, claimed_m = fixes_of(truth, dice, every_s, accuracy_m)
        lonlat = np.array(MIDDLE_DEG) + places_m / scale
        inside = np.asarray(shapely.intersects_xy(AREA, lonlat[:, 0], lonlat[:, 1]))
        reports = {
            "plain": plain(times_s, inside),
            "minutes": minutes(times_s, inside),
            "ours": ours(times_s, lonlat, claimed_m, yard_for(every_s)),
            "patient": ours(
                times_s, lonlat, claimed_m, yard_for(every_s, least_held_s=LEAST_HELD_S)
            ),
        }
        for name, reported in reports.items():
            totals[name].add(score(truth, reported, every_s))
    return totals


def coarse_cell(yard_m: float, max_accuracy_m: float, share: float, days: int) -> Score:
    """Judge so many days of a receiver that falls back to cells, in a yard of this size."""
    dice = np.random.default_rng(int(yard_m))
    scale, area = np.array(metres_per_degree(MIDDLE_DEG[1])), circle(MIDDLE_DEG, yard_m)
    yard = Zone(
        geofence_id=1,
        version_id=1,
        area=area,
        accuracy_cap_m=yard_m / 2.0,
        max_accuracy_m=max_accuracy_m,
    )
    total = Score()
    for _ in range(days):
        truth = a_day(dice, yard_m)
        times_s, places_m, claimed_m = fixes_of(truth, dice, 60, 10.0)
        places_m, claimed_m = with_coarse_fixes(dice, truth, share, times_s, places_m, claimed_m)
        lonlat = np.array(MIDDLE_DEG) + places_m / scale
        total.add(score(truth, ours(times_s, lonlat, claimed_m, yard), 60))
    return total


def coarse_table(days: int) -> Table:
    table = Table(
        "fixes of cells in between, each 60 s: what leaving out coarse ones saves and costs"
    )
    false: dict[str, float] = dict.fromkeys(LIMITS, 0.0)
    for share_name, share in STRETCH_SHARES.items():
        for yard_m in COARSE_YARDS_M:
            for name, limit_m in LIMITS.items():
                total = coarse_cell(yard_m, limit_m(yard_m), share, days)
                false[name] += _false_a_day(total)
                table.add(f"{share_name}, yard of {yard_m:g} m, {name}", total.text)
                table.details[f"{share_name}, {yard_m:g} m, {name}"] = vars(total)
    for name in ("default", "preset"):
        times = false["no limit"] / max(false[name], 1e-9)
        table.add(f"false crossings, {name} to no limit", f"1 to {times:.1f}", "fewer", times > 1.0)
    return table


def main() -> int:
    options = parse()
    table = Table(f"a yard of {YARD_M:g} m, stops and drift: three judges over the same fixes")
    overall = {name: Score() for name in JUDGES}
    for every_s in INTERVALS_S:
        for accuracy_m in ACCURACIES_M:
            days = options.days if every_s < 60 else options.days * 5
            totals = cell(every_s, accuracy_m, days)
            for name, total in totals.items():
                overall[name].add(total)
                table.add(f"each {every_s} s, {accuracy_m:g} m: {name}", total.text)
                table.details[f"{every_s} s, {accuracy_m:g} m, {name}"] = vars(total)
    conclude(table, overall)
    print(table.text())
    coarse = coarse_table(options.days * 2)
    print(coarse.text())
    if options.json:
        table.details["coarse"] = coarse.details
        table.write_json(options.json)
    return 1 if options.strict and not (table.is_met and coarse.is_met) else 0


def conclude(table: Table, overall: dict[str, Score]) -> None:
    for name, total in overall.items():
        table.add(f"all receivers: {name}", total.text)
    # Those that tell at once, and those that wait for two minutes.
    for mine, rival in (("ours", "plain"), ("patient", "minutes")):
        times = _false_a_day(overall[rival]) / max(_false_a_day(overall[mine]), 1e-9)
        what = f"false crossings, {mine} to {rival}"
        table.add(what, f"1 to {times:,.1f}", "fewer", times > 1.0)
    both = [overall["ours"], overall["patient"]]
    inside = sum(one.hits for one in both) / max(sum(one.windows for one in both), 1)
    table.add("true time in our window", f"{inside:.1%}", "≥ 90%", inside >= 0.9)


def _false_a_day(total: Score) -> float:
    return total.false / total.days


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="the same as --days 1")
    parser.add_argument("--days", type=int, default=10, help="of each receiver; seldom ones × 5")
    parser.add_argument("--json", type=Path, help="write figures and machine to this file")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a target is missed")
    options = parser.parse_args()
    options.days = 1 if options.quick else options.days
    return options


if __name__ == "__main__":
    sys.exit(main())
