"""Live columns are declared once; what is written from the declaration is up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from positions.live_columns import LIVE_COLUMNS, LiveColumn
from tracker.live.live_column_files import BEGIN, END, MODULE, PAGE, generated_texts


@pytest.mark.parametrize("file", [PAGE, MODULE], ids=lambda file: file.name)
def test_what_is_written_from_the_columns_is_up_to_date(file: Path) -> None:
    assert file.read_text() == generated_texts()[file], "run `make schema`"


def test_the_protocol_has_a_place_for_the_columns() -> None:
    page = PAGE.read_text()

    assert page.count(BEGIN) == page.count(END) == 1


def test_no_two_columns_have_the_same_name() -> None:
    assert len({column.name for column in LIVE_COLUMNS}) == len(LIVE_COLUMNS)


@pytest.mark.parametrize("column", LIVE_COLUMNS, ids=lambda column: column.name)
def test_only_choices_have_names(column: LiveColumn) -> None:
    assert bool(column.choices) == (column.kind == "choice")
