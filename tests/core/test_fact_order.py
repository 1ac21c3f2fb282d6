"""The order of facts, and which messages of one moment are the same (ADR 12)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fact_order import (
    FIRST,
    LAST,
    FactKey,
    after_all_at,
    before_all_at,
    key_of_bytes,
    message_of,
)
from core.observation import Fix, Observation
from tests.builders import NINE, TEN

times_us = st.integers(-(1 << 55), 1 << 61)
numbers = st.integers(0, (1 << 63) - 1)
keys = st.builds(FactKey, times_us, times_us, numbers, numbers)


def said(**members: Any) -> int:
    """Return the number of a message about nine o'clock."""
    return message_of(Observation(device="tag", measured_at=NINE, **members))


@given(one=keys, other=keys)
def test_bytes_of_keys_compare_as_the_keys_do(one, other):
    assert (one.to_bytes() < other.to_bytes()) == (one < other)


@given(key=keys)
def test_a_key_is_read_back_from_its_bytes(key):
    assert key_of_bytes(key.to_bytes()) == key


@given(key=keys)
def test_every_key_lies_between_the_ends(key):
    assert FIRST < key < LAST
    assert FIRST.to_bytes() < key.to_bytes() < LAST.to_bytes()


@given(key=keys)
def test_every_key_lies_between_the_ends_of_its_instant(key):
    assert before_all_at(key.at_us) < key < after_all_at(key.at_us) < before_all_at(key.at_us + 1)


def test_of_one_moment_the_report_time_decides_before_the_device():
    early, late = FactKey(9, 10, 2, 1), FactKey(9, 11, 1, 1)

    assert early < late


def test_the_same_content_is_the_same_message():
    fix = Fix(lon_deg=9.7, lat_deg=52.3)

    assert said(fix=fix, readings={"a": 1, "b": 2}) == said(fix=fix, readings={"b": 2, "a": 1})


@pytest.mark.fault("F-005")
def test_a_whole_number_is_the_same_however_it_is_written():
    assert said(readings={"air.temperature": 20}) == said(readings={"air.temperature": 20.0})
    assert said(fix=Fix(lon_deg=9, lat_deg=52)) == said(fix=Fix(lon_deg=9.0, lat_deg=52.0))


def test_true_is_no_number():
    assert said(readings={"ignition": True}) != said(readings={"ignition": 1})


def test_other_content_is_another_message():
    assert said(readings={"battery.level": 80}) != said(readings={"battery.level": 40})


def test_under_one_id_of_its_sender_a_message_stays_the_same():
    assert said(event_id="a") == said(event_id="a", readings={"battery.level": 80})
    assert said(event_id="a") != said(event_id="b")


def test_when_it_was_reported_makes_no_other_message():
    """The same fix told in three messages is one fix."""
    assert said(reported_at=NINE) == said(reported_at=TEN)
