"""What the hub makes of frames and of the database."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.live.world import NONE, all_rows, by_id, rows, state
from tracker.live.table import RowChanges, Table

NORTH, SOUTH = 10, 20
VAN, TRUCK = 1, 2


@pytest.fixture
def table() -> Table:
    """Return the table of a hub that knows a van of the north and a truck of the south."""
    table = Table()
    fleet = {VAN: (NORTH, state(9)), TRUCK: (SOUTH, state(9))}
    table.correct(all_rows(fleet), read_at=0, complete_for=None)
    return table


def seen(table: Table, permitted: frozenset[int] | None = None) -> dict[int, dict[str, Any]]:
    return by_id(json.loads(table.snapshot(permitted)))


def changes(table: Table, since: int, permitted: frozenset[int] | None = None) -> RowChanges:
    answer = table.changes_since(since, permitted)
    assert answer is not None
    return answer


def test_a_newer_row_replaces_the_older_one(table: Table) -> None:
    table.tick([rows(NORTH, {VAN: state(10)})])

    assert seen(table)[VAN] == state(10)


@pytest.mark.fault("F-094")
def test_an_older_row_that_comes_late_changes_nothing(table: Table) -> None:
    table.tick([rows(NORTH, {VAN: state(10)})])
    before = table.seq

    table.tick([rows(NORTH, {VAN: state(8)})])

    assert (seen(table)[VAN], table.seq) == (state(10), before)


def test_of_rows_measured_at_once_the_one_received_later_counts(table: Table) -> None:
    late, later = state(10, received_at=10_100), state(10, received_at=10_200, battery=7)

    table.tick([rows(NORTH, {VAN: later}), rows(NORTH, {VAN: late})])

    assert seen(table)[VAN] == later


def test_of_rows_received_at_once_the_one_with_the_newer_fix_counts(table: Table) -> None:
    newer = state(10, fix_at=9_500)

    table.tick([rows(NORTH, {VAN: newer}), rows(NORTH, {VAN: state(10, fix_at=9_000)})])

    assert seen(table)[VAN] == newer


def test_of_equally_new_rows_the_last_counts(table: Table) -> None:
    table.tick([rows(NORTH, {VAN: state(10)}), rows(NORTH, {VAN: state(10, battery=3)})])

    assert seen(table)[VAN]["battery"] == 3


def test_a_row_that_says_what_is_held_already_is_no_change(table: Table) -> None:
    before = table.seq

    table.tick([rows(NORTH, {VAN: state(9)})])

    assert table.seq == before


def test_what_the_database_read_too_early_does_not_undo_a_frame(table: Table) -> None:
    read_at, truth = table.seq, all_rows({VAN: (NORTH, state(9))})
    table.tick([rows(NORTH, {VAN: state(10)})])

    table.correct(truth, read_at=read_at)

    assert seen(table)[VAN] == state(10)


def test_the_database_may_take_an_asset_back_to_an_older_fix(table: Table) -> None:
    truth = all_rows({VAN: (NORTH, state(5))})

    table.correct(truth, read_at=table.seq)

    assert seen(table)[VAN] == state(5)


def test_an_asset_that_came_while_the_database_was_read_stays(table: Table) -> None:
    read_at, truth = table.seq, all_rows({VAN: (NORTH, state(9))})
    table.tick([rows(NORTH, {3: state(10)})])

    table.correct(truth, read_at=read_at, complete_for=frozenset({NORTH}))

    assert 3 in seen(table)


def test_an_archived_asset_is_gone(table: Table) -> None:
    before = table.seq

    table.correct(NONE, read_at=before, complete_for=frozenset({NORTH}))

    assert changes(table, before) == RowChanges(
        assets=changes(table, before).assets, gone=f"[{VAN}]"
    )
    assert list(seen(table)) == [TRUCK]


def test_frames_do_not_bring_back_an_archived_asset(table: Table) -> None:
    table.correct(NONE, read_at=table.seq, complete_for=frozenset({NORTH}))

    table.tick([rows(NORTH, {VAN: state(11)})])

    assert VAN not in seen(table)


def test_the_database_brings_back_an_asset_that_was_archived(table: Table) -> None:
    table.correct(NONE, read_at=table.seq, complete_for=frozenset({NORTH}))

    table.correct(all_rows({VAN: (NORTH, state(9))}), read_at=table.seq)

    assert seen(table)[VAN] == state(9)


@pytest.mark.law(7)
@pytest.mark.fault("F-096")
def test_nothing_of_another_organisation_is_owed(table: Table) -> None:
    before = table.seq
    table.tick([rows(SOUTH, {TRUCK: state(10)})])

    assert table.changes_since(before, frozenset({NORTH})) is None
    assert list(seen(table, frozenset({NORTH}))) == [VAN]


@pytest.mark.law(7)
def test_an_archived_asset_of_another_organisation_is_not_named(table: Table) -> None:
    before = table.seq

    table.correct(NONE, read_at=before, complete_for=frozenset({SOUTH}))

    assert table.changes_since(before, frozenset({NORTH})) is None


def test_a_frame_that_names_the_wrong_organisation_is_not_believed(table: Table) -> None:
    makes_sense = table.tick([rows(SOUTH, {VAN: state(10)})])

    assert not makes_sense
    assert seen(table)[VAN] == state(9)


def test_an_asset_that_changed_hands_begins_a_new_epoch(table: Table) -> None:
    before = table.epoch_for(frozenset({NORTH}))

    table.correct(all_rows({VAN: (SOUTH, state(9))}), read_at=table.seq)

    assert table.epoch_for(frozenset({NORTH})) != before
    assert seen(table, frozenset({NORTH})) == {}


def test_other_rights_are_another_epoch(table: Table) -> None:
    assert table.epoch_for(frozenset({NORTH})) != table.epoch_for(frozenset({NORTH, SOUTH}))


def test_whoever_missed_ticks_is_owed_the_newest_row_of_each_asset_once(table: Table) -> None:
    before = table.seq
    table.tick([rows(NORTH, {VAN: state(10)})])
    table.tick([rows(NORTH, {VAN: state(11)}), rows(SOUTH, {TRUCK: state(12)})])

    assert by_id(json.loads(changes(table, before).assets)) == {VAN: state(11), TRUCK: state(12)}


@pytest.mark.fault("F-094")
def test_an_old_fix_that_was_received_late_changes_nothing(table: Table) -> None:
    table.tick([rows(NORTH, {VAN: state(5, received_at=99_000)})])

    assert seen(table)[VAN] == state(9)
