"""Each code that a reader of observations can give is explained somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from core.rest.problem_types import PROBLEM_TYPES

READERS = ("wire", "tracker/ingest", "tracker/road")
# The places of the code where a code is given: by keyword, to a fault, or to be one.
_GIVEN = re.compile(
    r'code="([a-z-]+)"|_fault\(\s*(?:"\w+", )?"([a-z]+(?:-[a-z]+)*)"'
    r'|return "([a-z]+(?:-[a-z]+)+)", |_refused\(item, "([a-z-]+)"|set_aside="([a-z-]+):'
)


def _codes() -> set[str]:
    files = [file for folder in READERS for file in Path(settings.BASE_DIR, folder).rglob("*.py")]
    found = [match for file in files for match in _GIVEN.findall(file.read_text())]
    return {code for groups in found for code in groups if code}


@pytest.mark.fault("F-004", "F-024", "F-167")
def test_each_code_of_a_refusal_is_explained():
    codes = _codes()

    assert {"event-id-reused", "decode-failed", "not-a-reading", "no-device"} <= codes
    assert codes - PROBLEM_TYPES.keys() == set()
