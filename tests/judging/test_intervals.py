"""Intervals made of edges, where the machine itself is not needed."""

from __future__ import annotations

import pytest

from core.fact_order import before_all_at
from judging.intervals import Edge, Interval, interval_changes
from tests.judging.toy_folds import WarmFold


def edge(at_us: int, *, is_begin: bool) -> Edge:
    return Edge(kind="warm", is_begin=is_begin, at_us=at_us, key=before_all_at(at_us))


def test_an_end_without_a_beginning_changes_nothing():
    assert interval_changes([edge(10, is_begin=False)], [], []) == []


def test_only_the_first_end_ends_an_interval():
    edges = [edge(10, is_begin=True), edge(20, is_begin=False), edge(30, is_begin=False)]

    (change,) = interval_changes(edges, [], [])

    assert change.former is None
    assert isinstance(change.present, Interval)
    assert change.present.end_us == 20


def test_a_fold_that_asks_for_no_instant_is_not_called_at_one():
    with pytest.raises(AssertionError, match="asks for no instant"):
        WarmFold().at_deadline(False, 10, None, {}, [])
