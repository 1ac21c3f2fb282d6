"""What was found against what was recorded before: added, moved, withdrawn.

A recorded finding becomes another one of its kind that became sure within `REACH_US` of it;
farther away it is withdrawn, and the other added (ADR 9).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Sequence
from typing import Final, Generic, TypeVar

from msgspec import Struct

# How far a finding may move and still be the same one.
REACH_US: Final = 12 * 3600 * 1_000_000
_ALL_US: Final = 1 << 62

Found = TypeVar("Found")
Recorded = TypeVar("Recorded")


class Likeness(Struct, frozen=True):
    """What of a finding is compared.

    `group` is what it can be taken for: only one of the same group can be what it has become.
    `sure_us` is when it became sure, in µs since 1970. `meaning` is all that people are told:
    where it is equal, nothing has changed.
    """

    group: Hashable
    sure_us: int
    meaning: Hashable


class Differences(Struct, Generic[Found, Recorded]):
    """What must change: findings to add, rows to move with what they become, rows to withdraw."""

    added: list[Found] = []
    moved: list[tuple[Recorded, Found]] = []
    withdrawn: list[Recorded] = []


def differences(
    found: Sequence[tuple[Likeness, Found]],
    recorded: Sequence[tuple[Likeness, Recorded]],
    *,
    settled_us: int | None,
    reach_us: int = REACH_US,
) -> Differences[Found, Recorded]:
    """Compare what was found in judged windows with what is recorded for the same windows.

    Both are in the order in which they became sure. Where judging stopped on its way, at
    `settled_us`, only as far as nothing beyond can change it: nothing moves farther than
    `reach_us`, so the parts of a long judging make just the differences that the whole would
    have made.
    """
    until_us = _ALL_US if settled_us is None else settled_us
    meanings = {(like.group, like.meaning) for like, _ in found}
    known = {(like.group, like.meaning) for like, _ in recorded}
    unmatched = _Unmatched(
        (like, row) for like, row in recorded if (like.group, like.meaning) not in meanings
    )
    result: Differences[Found, Recorded] = Differences()
    for like, one in found:
        if (like.group, like.meaning) in known or like.sure_us > until_us + reach_us:
            continue
        former = unmatched.take_nearest(like, reach_us)
        if former is None:
            result.added.append(one)
        else:
            result.moved.append((former, one))
    result.withdrawn += unmatched.until(until_us)
    return result


class _Unmatched(Generic[Recorded]):
    """Recorded findings that were not found again, each group in the order of becoming sure."""

    def __init__(self, recorded: Iterable[tuple[Likeness, Recorded]]) -> None:
        self._rows: dict[Hashable, list[tuple[int, int, Recorded]]] = {}
        for number, (like, row) in enumerate(recorded):
            self._rows.setdefault(like.group, []).append((like.sure_us, number, row))

    def take_nearest(self, like: Likeness, reach_us: int) -> Recorded | None:
        """Return, once, the row of the same group that a finding has become."""
        rows = self._rows.get(like.group, [])
        after = bisect_left(rows, like.sure_us, key=_sure_us)
        beside = [n for n in (after - 1, after) if 0 <= n < len(rows)]
        reach = {n: abs(rows[n][0] - like.sure_us) for n in beside}
        near = [n for n in beside if reach[n] <= reach_us]
        return rows.pop(min(near, key=reach.__getitem__))[2] if near else None

    def until(self, settled_us: int) -> list[Recorded]:
        left = [one for rows in self._rows.values() for one in rows if one[0] <= settled_us]
        return [row for _, _, row in sorted(left, key=_place)]


def _sure_us(one: tuple[int, int, object]) -> int:
    return one[0]


def _place(one: tuple[int, int, object]) -> tuple[int, int]:
    return one[:2]
