"""The fate of each member of a decoded payload: nothing vanishes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.payloads import lost_paths
from tests.wire.uplinks import NOON
from wire.payloads.payload_reader import read_payload

NAMES = st.sampled_from(
    ("battery", "temperature", "value", "unit", "name", "type", "lat", "lon", "time", "timestamp",
     "wifi", "mac", "rssi", "data", "history", "x", "y", "z", "messages", "measurementId", "fix",
     "measurementValue", "sats", "alarm", "accel", "1", "status", "temperature_unit", "pressure")
)  # fmt: skip
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-200, 2_000_000_000),
    st.floats(-200, 4_000, allow_nan=False),
    st.sampled_from(["", "3.6 V", "open", "no fix", "2026-01-05T10:00:00Z", "Point", "V", "sos"]),
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=25,
)


@pytest.mark.field("S-30", "S-34")
@given(st.dictionaries(NAMES, VALUES, max_size=8))
def test_every_member_of_any_payload_has_a_fate(payload: dict[str, Any]):
    found = read_payload(payload, now=NOON)

    assert lost_paths(payload, found.members) == []
    assert all(member.fate for member in found.members)
    kept = {member.reading for member in found.members if member.fate == "custom"}
    stored = {name for moment in (found.main, *found.others) for name in moment.readings}
    assert kept <= stored


def test_the_measure_of_understanding_counts_by_quantity(tmp_path: Path):
    file = tmp_path / "payloads.jsonl"
    payload = {"battery": 3.6, "header": {"temperature": 5}, "temp_alarm": 9, "humidity": "?"}
    file.write_text(json.dumps({"device": "acme/one", "decoded": payload}))

    printed = subprocess.run(
        [sys.executable, "benchmarks/payloads.py", str(file)],
        capture_output=True, text=True, check=True,
        cwd=Path(__file__).resolve().parents[2],
    ).stdout  # fmt: skip

    assert "1 payloads of 1 devices" in printed
    assert "temperature             1          0          1          0   1/1 100%" in printed
    assert "humidity                0          0          1          0   0/1 0%" in printed
    assert "'alarm' is in its name" in printed
    assert printed.endswith("lost: 0\n")
