"""What the pages of geofences say, and where they take a person who filled in a form wrongly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.browser.conftest import Open
from tests.browser.console import PHONE, label, role, text
from tests.browser.world import LonLat, Server

pytestmark = pytest.mark.browser

DOCK: LonLat = (15.00, 44.10)


@pytest.fixture(scope="module")
def dock(server: Server) -> int:
    given = {"organisation": server.made["organisation"]["id"], "name": "Dock"}
    shape = {"type": "circle", "center": DOCK, "radius_m": 300}
    return int(server.rest("POST", "geofences/", {**given, "shape": shape})["id"])


def test_a_form_that_is_wrong_takes_whoever_sent_it_to_what_is_wrong(signed_in: Open) -> None:
    console = signed_in("/app/geofences/new", size=PHONE)
    console.fill(label("Name"), "Half a yard")

    console.click(role("button", "Save"))
    console.see(text("A polygon needs three corners or more."))
    console.type("13.1, 45.2")

    assert console.value(label("Corners")) == "13.1, 45.2"
    console.assert_clean()


def test_a_geofence_says_who_is_inside_now(signed_in: Open, server: Server, dock: int) -> None:
    since = datetime.now(UTC) - timedelta(hours=1)
    server.add_asset("Barge", "phone-of-barge", since=since)
    console = signed_in(f"/app/geofences/{dock}")
    console.see(text("No asset is inside."))

    server.post_osmand("phone-of-barge", datetime.now(UTC), (15.1, 44.1))
    server.post_osmand("phone-of-barge", datetime.now(UTC), DOCK)

    console.see(role("button", "Barge", within=role("list", "Inside now")))
    console.see(text("entered", within=role("list", "Crossings, newest first")))
    console.assert_accessible()
    console.assert_clean()


def test_a_rule_is_given_quiet_hours_and_its_page_says_them(
    signed_in: Open, server: Server
) -> None:
    given = {"organisation": server.made["organisation"]["id"], "name": "Night gate"}
    shape = {"type": "circle", "center": (15.2, 44.2), "radius_m": 300}
    gate = int(server.rest("POST", "geofences/", {**given, "shape": shape})["id"])
    server.rest("POST", "rules/", {**given, "geofence": gate, "trigger": "enter"})
    console = signed_in(f"/app/geofences/{gate}/edit", size=PHONE)

    console.fill(label("Quiet from"), "22:00")
    console.click(role("button", "Save"))
    console.see(text("Give both times, or none."))
    console.fill(label("Quiet until"), "06:30")
    console.click(role("button", "Save"))

    console.see(text("not from 22:00 to 06:30"))
    rules = server.rest("GET", f"rules/?geofence={gate}")["results"]
    assert [(one["quiet_from"], one["quiet_until"]) for one in rules] == [("22:00:00", "06:30:00")]
    console.assert_clean()
