"""Occurrences that last: the edges that a fold found, compared with recorded intervals.

A fold finds edges: beginnings and ends, each at the fact that made it sure. Intervals are
recorded. An interval is identified by its beginning: its end may be added, removed or moved. If
the beginning is found at another time, the interval moves; if it is not found any more, the
interval is withdrawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from core.fact_order import FIRST, LAST, FactKey
from judging.differences import REACH_US, MatchKey, differences
from judging.machine import Window


class Edge(Struct, frozen=True, kw_only=True):
    """A beginning or an end of an interval at `at_us`, sure at the fact `key`.

    For each `kind` and `subject` (such as the id of a geofence or rule) there is at most one
    interval at a time. `details` are further values recorded with a beginning; JSON.
    """

    kind: str
    is_begin: bool
    at_us: int
    key: FactKey
    subject: int = 0
    details: Mapping[str, Any] = {}


class Interval(Struct, kw_only=True):
    """From `begin_us` until before `end_us`, in µs since 1970; open while `end_us` is None.

    `number` is the number of its row, None if it is not stored yet.
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
    """An interval before and after: `former` is None if it is new, `present` if withdrawn."""

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
    """Return how the recorded intervals of an asset and fold must change.

    `edges` are all edges found in `windows`, in the order in which they became sure; `recorded`
    are the intervals that reach into the windows. Without windows all facts came in order, and
    `recorded` are the open intervals.
    """
    changes: list[IntervalChange] = []
    names = dict.fromkeys(
        [(interval.kind, interval.subject) for interval in recorded]
        + [(edge.kind, edge.subject) for edge in edges]
    )
    for name in names:
        own_edges = [edge for edge in edges if (edge.kind, edge.subject) == name]
        own = [interval for interval in recorded if (interval.kind, interval.subject) == name]
        changes += _changes_of_series(own_edges, own, windows, settled_us, reach_us)
    return changes


def _changes_of_series(
    edges: Sequence[Edge],
    recorded: Sequence[Interval],
    windows: Sequence[Window],
    settled_us: int | None,
    reach_us: int,
) -> list[IntervalChange]:
    standing = [structs.replace(interval) for interval in recorded]
    if windows:
        for window in windows:
            _judge_window(standing, edges, window, settled_us, reach_us)
    else:
        newest = max((interval.begin_key for interval in recorded), default=FIRST)
        _judge_window(standing, edges, Window(newest, None), None, reach_us)
    return _compared(recorded, standing)


def _judge_window(
    standing: list[Interval],
    edges: Sequence[Edge],
    window: Window,
    settled_us: int | None,
    reach_us: int,
) -> None:
    """Change the standing intervals of one kind and subject to the edges found in a window."""
    low, high = window.low or FIRST, window.high or LAST
    inside = [edge for edge in edges if low < edge.key <= high]
    before = next((interval for interval in standing if _covers(interval, low)), None)
    beyond = None
    if window.high:
        beyond = next((interval for interval in standing if _covers(interval, high)), None)
    end_beyond = (beyond.end_us, beyond.end_key) if beyond else (None, None)
    recorded = [interval for interval in standing if low < interval.begin_key <= high]
    found = list(_rebuild_intervals(before, inside))
    difference = differences(
        [(_match_key(interval), interval) for interval in found if interval is not before],
        [(_match_key(interval), interval) for interval in recorded],
        settled_us=settled_us,
        reach_us=reach_us,
    )
    withdrawn = {id(interval) for interval in difference.withdrawn}
    standing[:] = [interval for interval in standing if id(interval) not in withdrawn]
    for former, present in difference.moved:
        former.begin_us, former.begin_key = present.begin_us, present.begin_key
        former.details = present.details
    standing += difference.added
    moved = {id(present): former for former, present in difference.moved}
    same = {_match_key(interval).meaning: interval for interval in recorded}
    for interval in found:
        row = moved.get(id(interval)) or same.get(_match_key(interval).meaning) or interval
        is_open = interval.end_key is None
        row.end_us, row.end_key = end_beyond if is_open else (interval.end_us, interval.end_key)


def _rebuild_intervals(before: Interval | None, edges: Iterable[Edge]) -> Iterable[Interval]:
    """Yield the interval open before, reopened, if there is one, and the intervals of the edges."""
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
    """Return whether the interval was open right after the fact at `key`."""
    return interval.begin_key <= key and (interval.end_key is None or key < interval.end_key)


def _match_key(interval: Interval) -> MatchKey:
    details = tuple(sorted(interval.details.items()))
    return MatchKey(
        (interval.kind, interval.subject),
        interval.begin_key.at_us,
        (interval.begin_us, interval.begin_key, details),
    )


def _compared(recorded: Sequence[Interval], standing: Sequence[Interval]) -> list[IntervalChange]:
    present = {interval.number: interval for interval in standing}
    changes = [
        IntervalChange(former, present.get(former.number))
        for former in recorded
        if present.get(former.number) != former
    ]
    added = [interval for interval in standing if interval.number is None]
    return changes + [IntervalChange(None, interval) for interval in added]
