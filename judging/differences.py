"""Differences between new findings and recorded ones: added, moved, withdrawn.

A recorded finding is moved to a new finding of its group that became sure within `REACH_US` of
it; if there is none, the recorded finding is withdrawn and the new one added (ADR 9).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Sequence
from typing import Final, Generic, TypeVar

from msgspec import Struct

# How far a finding may move and still count as the same finding.
REACH_US: Final = 12 * 3600 * 1_000_000
_ALL_US: Final = 1 << 62

Finding = TypeVar("Finding")
Recorded = TypeVar("Recorded")


class MatchKey(Struct, frozen=True):
    """The parts of a finding by which it is matched with a recorded finding.

    Only findings of the same `group` match. `sure_us` is when it became sure, in µs since 1970.
    `meaning` is everything that is shown of it: if it is equal, nothing has changed.
    """

    group: Hashable
    sure_us: int
    meaning: Hashable


class Differences(Struct, Generic[Finding, Recorded]):
    """Findings to add, rows to move with their new finding, and rows to withdraw."""

    added: list[Finding] = []
    moved: list[tuple[Recorded, Finding]] = []
    withdrawn: list[Recorded] = []


def differences(
    found: Sequence[tuple[MatchKey, Finding]],
    recorded: Sequence[tuple[MatchKey, Recorded]],
    *,
    settled_us: int | None,
    reach_us: int = REACH_US,
) -> Differences[Finding, Recorded]:
    """Compare the findings of judged windows with the rows recorded for the same windows.

    Both are in the order in which they became sure. If judging stopped early, at `settled_us`,
    differences that later facts could still change are left out: nothing moves farther than
    `reach_us`, so the parts of a long judging make exactly the differences that the whole would
    have made.
    """
    until_us = _ALL_US if settled_us is None else settled_us
    meanings = {(key.group, key.meaning) for key, _ in found}
    known = {(key.group, key.meaning) for key, _ in recorded}
    unmatched = _Unmatched(
        (key, row) for key, row in recorded if (key.group, key.meaning) not in meanings
    )
    result: Differences[Finding, Recorded] = Differences()
    for key, finding in found:
        if (key.group, key.meaning) in known or key.sure_us > until_us + reach_us:
            continue
        former = unmatched.take_nearest(key, reach_us)
        if former is None:
            result.added.append(finding)
        else:
            result.moved.append((former, finding))
    result.withdrawn += unmatched.until(until_us)
    return result


class _Unmatched(Generic[Recorded]):
    """Recorded findings that were not found again, each group in the order of becoming sure."""

    def __init__(self, recorded: Iterable[tuple[MatchKey, Recorded]]) -> None:
        # By group: when the finding became sure, its number, its row.
        self._rows: dict[Hashable, list[tuple[int, int, Recorded]]] = {}
        for number, (key, row) in enumerate(recorded):
            self._rows.setdefault(key.group, []).append((key.sure_us, number, row))

    def take_nearest(self, key: MatchKey, reach_us: int) -> Recorded | None:
        """Remove and return the row of the same group that became sure nearest to a finding."""
        rows = self._rows.get(key.group, [])
        after = bisect_left(rows, key.sure_us, key=_sure_us)
        beside = [n for n in (after - 1, after) if 0 <= n < len(rows)]
        reach = {n: abs(rows[n][0] - key.sure_us) for n in beside}
        near = [n for n in beside if reach[n] <= reach_us]
        return rows.pop(min(near, key=reach.__getitem__))[2] if near else None

    def until(self, settled_us: int) -> list[Recorded]:
        """Return the rows that became sure by `settled_us`, in order."""
        left = [entry for rows in self._rows.values() for entry in rows if entry[0] <= settled_us]
        return [row for _, _, row in sorted(left, key=_place)]


def _sure_us(entry: tuple[int, int, object]) -> int:
    return entry[0]


def _place(entry: tuple[int, int, object]) -> tuple[int, int]:
    return entry[:2]
