"""An asset's history in memory, in place of the tables that the road reads and writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from core.fact_order import FactKey
from core.judged_fact import DecidingFix, JudgedFact
from judging.folds import Fold
from judging.intervals import Interval, interval_changes
from judging.judged_state import JudgedState
from judging.machine import AssetVerdict, Machine, PendingAsset
from positions.stretches import SavedState, Stretch, WantedStretch

SECOND = 1_000_000
MINUTE = 60 * SECOND


def fact(
    at_s: float, lonlat: tuple[float, float] | None = None, *, message: int = 0, **more: Any
) -> JudgedFact:
    """Return a fact so many seconds after 1970; `more` are readings, and parts of the fix."""
    at_us = round(at_s * SECOND)
    parts = {n: more.pop(n) for n in ("accuracy_m", "speed_mps") if n in more}
    fix = DecidingFix(at_us, 1, *lonlat, **parts) if lonlat else None
    return JudgedFact(FactKey(at_us, at_us, 1, message), fix, more)


class History:
    """One asset: its facts, checkpoints, head, and the intervals recorded of one fold."""

    def __init__(self, *folds: Fold, checkpoint_every: int = 3, **options: Any) -> None:
        self.machine = Machine(folds, checkpoint_every=checkpoint_every, **options)
        self.facts: dict[FactKey, JudgedFact] = {}
        self.checkpoints: dict[FactKey, bytes] = {}
        self.intervals: list[Interval] = []
        self.loaded = 0
        self._head = b""
        self._numbers = 0

    def learn(self, facts: Iterable[JudgedFact], *, now_s: float = 0.0) -> AssetVerdict:
        """Take facts in one batch, as the road does; return the verdict."""
        fresh = {each.key: each for each in facts if each.key not in self.facts}
        self.facts |= fresh
        seen = [each for each in fresh.values() if self.machine.looks_at(each)]
        return self._judge(now_s, facts=seen)

    def judge_from(self, since_s: float, *, now_s: float = 0.0) -> AssetVerdict:
        """Judge again from an instant on, as the background does."""
        return self._judge(now_s, since_us=round(since_s * SECOND))

    def _judge(self, now_s: float, **options: Any) -> AssetVerdict:
        pending = PendingAsset(
            asset_id=1, organisation_id=1, head=self._head, contexts={}, **options
        )
        (verdict,) = self.machine.judge([pending], self._load, now_us=round(now_s * SECOND))
        self.checkpoints |= {each.key: each.state for each in verdict.checkpoints}
        if verdict.head is not None:
            self._head = self.machine.bytes_of(verdict.head)
        self._record(verdict)
        return verdict

    def head(self) -> JudgedState:
        return self.machine.state_of(self._head)

    def recorded_intervals(self) -> list[tuple[str, float, float | None]]:
        """Return kind, begin and end of each recorded interval, in seconds."""
        return sorted(
            (
                each.kind,
                each.begin_us / SECOND,
                None if each.end_us is None else each.end_us / SECOND,
            )
            for each in self.intervals
        )

    def _load(self, wanted: Sequence[WantedStretch]) -> list[Stretch]:
        return [self._stretch(each) for each in wanted]

    def _stretch(self, wanted: WantedStretch) -> Stretch:
        key, is_next = wanted.key, wanted.is_next
        below = [k for k in self.checkpoints if k < key or (is_next and k == key)]
        above = [k for k in self.checkpoints if k > key or (not is_next and k == key)]
        low, high = max(below, default=None), min(above, default=None)
        between = [
            each
            for k, each in sorted(self.facts.items())
            if (low is None or k > low) and (high is None or k <= high)
        ]
        self.loaded += len(between)
        return Stretch(
            low and SavedState(low, self.checkpoints[low]),
            high and SavedState(high, self.checkpoints[high]),
            [each for each in between if self.machine.looks_at(each)],
        )

    def _record(self, verdict: AssetVerdict) -> None:
        edges = [edge for found in verdict.findings.values() for edge in found]
        reaching = [
            each
            for each in self.intervals
            if (not verdict.windows and each.end_key is None)
            or any(
                (w.high is None or each.begin_key <= w.high)
                and (w.low is None or each.end_key is None or each.end_key > w.low)
                for w in verdict.windows
            )
        ]
        for change in interval_changes(
            edges,
            reaching,
            verdict.windows,
            settled_us=verdict.settled_us,
            reach_us=verdict.reach_us,
        ):
            if change.former is not None:
                self.intervals.remove(change.former)
            if change.present is not None:
                if change.present.number is None:
                    self._numbers += 1
                    change.present.number = self._numbers
                self.intervals.append(change.present)
