"""Each fault of the groups that are built has a test with its number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# Groups of the catalogue, as the numbers that they run to.
GROUPS = {"A": range(1, 27), "B": range(27, 42), "C": range(42, 55), "D": range(55, 72)}
LAST = 171


def marked() -> dict[str, set[str]]:
    """Return the files that carry a fault's number, by fault."""
    found: dict[str, set[str]] = {}
    for file in TESTS.rglob("*.py"):
        for marks in re.findall(r"mark\.fault\(([^)]*)\)", file.read_text()):
            for fault in re.findall(r"F-\d{3}", marks):
                found.setdefault(fault, set()).add(file.name)
        # Where rows of a table carry their marks, the number comes first.
        for fault in re.findall(r'_refused\("(F-\d{3})"', file.read_text()):
            found.setdefault(fault, set()).add(file.name)
    return found


@pytest.mark.parametrize("group", GROUPS)
def test_each_fault_of_a_group_that_is_built_has_a_test(group):
    wanted = {f"F-{number:03}" for number in GROUPS[group]}

    assert wanted - set(marked()) == set()


def test_only_faults_of_the_catalogue_are_marked():
    known = {f"F-{number:03}" for number in range(1, LAST + 1)}

    assert set(marked()) - known == set()
