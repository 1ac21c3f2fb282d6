"""Which occurrence meets a condition, and the reason that is named if it does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from alerts.conditions import Condition, decide
from core.dated_tags import always
from core.occurrence import Occurrence
from tests.builders import NINE, TEN

MINUTE = timedelta(minutes=1)


def condition(**members: Any) -> Condition:
    """Return a condition on every arrival at geofence 7 from nine until ten."""
    given: dict[str, Any] = {
        "rule_id": 1,
        "version_id": 1,
        "organisation_id": 1,
        "geofence_id": 7,
        "trigger": "enter",
        "asset_ids": frozenset(),
        "tags": frozenset(),
        "recipient_ids": (1,),
        "valid_from": NINE,
        "valid_to": TEN,
    }
    return Condition(**given | members)


def arrival(**members: Any) -> Occurrence:
    given: dict[str, Any] = {
        "kind": "enter",
        "organisation_id": 1,
        "asset_id": 3,
        "begin_at": NINE + MINUTE,
        "end_at": NINE + MINUTE,
        "evidence_kind": "crossing",
        "evidence_id": 5,
        "geofence_id": 7,
    }
    return Occurrence(**given | members)


def test_an_arrival_meets_a_condition_on_arrivals():
    assert decide(condition(), arrival()) == "met"


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"organisation_id": 2}, "other-organisation"),
        ({"kind": "exit"}, "other-kind"),
        ({"kind": "found"}, "other-kind"),
        ({"geofence_id": 8}, "other-geofence"),
        ({"geofence_id": None}, "other-geofence"),
        ({"begin_at": NINE - MINUTE}, "not-in-force"),
        ({"begin_at": TEN}, "not-in-force"),
    ],
)
def test_another_occurrence_names_what_is_other(members, reason):
    assert decide(condition(), arrival(**members)) == reason


def test_a_condition_without_a_geofence_means_every_geofence():
    assert decide(condition(geofence_id=None), arrival(geofence_id=8)) == "met"


def test_a_listed_asset_is_meant_and_no_other():
    listed = condition(asset_ids=frozenset({3}))

    assert decide(listed, arrival()) == "met"
    assert decide(listed, arrival(asset_id=4)) == "other-asset"


def test_an_asset_is_meant_by_one_of_its_tags():
    tagged = condition(tags=frozenset({"cold", "north"}))

    assert decide(tagged, arrival(), always("north")) == "met"
    assert decide(tagged, arrival(), always("south")) == "other-asset"
    assert decide(tagged, arrival()) == "other-asset"


@pytest.mark.field("G-02")
@pytest.mark.parametrize(
    ("trigger", "kinds"),
    [
        ("enter", {"enter", "pass"}),
        ("exit", {"exit", "pass"}),
        ("enter_or_exit", {"enter", "exit", "pass"}),
        ("pass", {"pass"}),
    ],
)
def test_to_pass_through_is_to_enter_and_to_leave(trigger, kinds):
    all_kinds = ("enter", "exit", "pass", "found", "lost")

    met = {
        kind
        for kind in all_kinds
        if decide(condition(trigger=trigger), arrival(kind=kind)) == "met"
    }

    assert met == kinds
