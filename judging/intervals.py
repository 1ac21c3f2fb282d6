"""Occurrences that last: edges found in judged windows against the intervals recorded before.

A fold finds that something began and that it ended, each at the fact that made it sure.
Recorded are intervals. An interval is the same one as long as its beginning is: it may grow
an end, lose it, or have it moved; a beginning that is found elsewhere moves it, one that is found
no more withdraws it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from core.fact_order import FIRST, LAST, FactKey
from judging.differences import REACH_US, Likeness, differences
from judging.machine import Window


class Edge(Struct, frozen=True, kw_only=True):
    """That something began or ended at `at_us`, sure at the fact `key`.

    `kind` and `subject` (such as the id of a geofence or rule) name what: of each, one
    interval at a time. `details` are what else is recorded of a beginning; JSON.
    """

    kind: str
    is_begin: bool
    at_us: int
    key: FactKey
    subject: int = 0
    details: Mapping[str, Any] = {}


class Interval(Struct, kw_only=True):
    """From `begin` until before `end`, in µs since 1970; still open while `end_us` is None.

    `number` is that of its row, None where it has none yet.
    """

    kind: str
    subject: int
    begin_us: int
    begin_key: FactKey
    end_us: int | None = None
    end_key: FactKey | None = None
    details: Mapping[str, Any] = {}
    number: int | None = None


class IntervalChange(Struct, frozen=True):
    """What an interval was and is; None for what it was not, or is no more."""

    former: Interval | None
    present: Interval | None


def interval_changes(
    edges: Sequence[Edge],
    recorded: Sequence[Interval],
    windows: Sequence[Window],
    *,
    settled_us: int | None = None,
    reach_us: int = REACH_US,
) -> list[IntervalChange]:
    """Return how the recorded intervals of one asset and fold must change.

    `edges` are all that were found in `windows`, in the order in which they became sure;
    `recorded` the intervals that reach into them. Without windows everything came in order, and
    what is recorded are the open ones.
    """
    changes: list[IntervalChange] = []
    names = dict.fromkeys(
        [(each.kind, each.subject) for each in recorded]
        + [(edge.kind, edge.subject) for edge in edges]
    )
    for kind, subject in names:
        own_edges = [edge for edge in edges if (edge.kind, edge.subject) == (kind, subject)]
        own = [each for each in recorded if (each.kind, each.subject) == (kind, subject)]
        changes += _changes_of_series(own_edges, own, windows, settled_us, reach_us)
    return changes


def _changes_of_series(
    edges: Sequence[Edge],
    recorded: Sequence[Interval],
    windows: Sequence[Window],
    settled_us: int | None,
    reach_us: int,
) -> list[IntervalChange]:
    standing = [_copy_of(each) for each in recorded]
    if windows:
        for window in windows:
            _judge_window(standing, edges, window, settled_us, reach_us)
    else:
        newest = max((each.begin_key for each in recorded), default=FIRST)
        _judge_window(standing, edges, Window(newest, None), None, reach_us)
    return _compared(recorded, standing)


def _judge_window(
    standing: list[Interval],
    edges: Sequence[Edge],
    window: Window,
    settled_us: int | None,
    reach_us: int,
) -> None:
    """Make the standing intervals of one kind and subject what a window was judged to be."""
    low, high = window.low or FIRST, window.high or LAST
    inside = [edge for edge in edges if low < edge.key <= high]
    before = next((each for each in standing if _covers(each, low)), None)
    beyond = next((each for each in standing if window.high and _covers(each, high)), None)
    end_beyond = (beyond.end_us, beyond.end_key) if beyond else (None, None)
    recorded = [each for each in standing if low < each.begin_key <= high]
    found = list(_intervals(before, inside))
    difference = differences(
        [(_likeness(each), each) for each in found if each is not before],
        [(_likeness(each), each) for each in recorded],
        settled_us=settled_us,
        reach_us=reach_us,
    )
    kept = {id(each) for each in difference.withdrawn}
    standing[:] = [each for each in standing if id(each) not in kept]
    for former, present in difference.moved:
        former.begin_us, former.begin_key = present.begin_us, present.begin_key
        former.details = present.details
    standing += difference.added
    moved = {id(present): former for former, present in difference.moved}
    same = {_likeness(each).meaning: each for each in recorded}
    for each in found:
        row = moved.get(id(each)) or same.get(_likeness(each).meaning) or each
        is_open = each.end_key is None
        row.end_us, row.end_key = end_beyond if is_open else (each.end_us, each.end_key)


def _intervals(before: Interval | None, edges: Iterable[Edge]) -> Iterable[Interval]:
    """Yield the interval that was open before, if any, and those that the edges make."""
    current = before
    if before is not None:
        before.end_us, before.end_key = None, None
        yield before
    for edge in edges:
        if edge.is_begin:
            current = Interval(
                kind=edge.kind,
                subject=edge.subject,
                begin_us=edge.at_us,
                begin_key=edge.key,
                details=edge.details,
            )
            yield current
        elif current is not None:
            current.end_us, current.end_key = edge.at_us, edge.key
            current = None


def _covers(interval: Interval, key: FactKey) -> bool:
    """Return whether it was open right after the fact at `key`."""
    return interval.begin_key <= key and (interval.end_key is None or key < interval.end_key)


def _likeness(each: Interval) -> Likeness:
    details = tuple(sorted(each.details.items()))
    return Likeness(
        (each.kind, each.subject),
        each.begin_key.at_us,
        (each.begin_us, each.begin_key, details),
    )


def _copy_of(each: Interval) -> Interval:
    return structs.replace(each)


def _compared(recorded: Sequence[Interval], standing: Sequence[Interval]) -> list[IntervalChange]:
    present = {each.number: each for each in standing}
    changes = [
        IntervalChange(former, present.get(former.number))
        for former in recorded
        if present.get(former.number) != former
    ]
    return changes + [IntervalChange(None, each) for each in standing if each.number is None]
