"""Every page, in both themes and at both sizes: nothing for axe, nothing for the policy to find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.browser.conftest import Open
from tests.browser.console import DESKTOP, PHONE, Console, Driver, label, role, text
from tests.browser.world import LonLat, Server

pytestmark = pytest.mark.browser

YARD: LonLat = (14.0, 46.0)
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


@pytest.fixture(scope="module")
def yard(server: Server) -> tuple[int, int]:
    """Return an asset with an open alert, and the geofence that it entered."""
    organisation = server.made["organisation"]["id"]
    given = {"organisation": organisation, "name": "Yard"}
    shape = {"type": "circle", "center": YARD, "radius_m": 400}
    geofence = server.rest("POST", "geofences/", {**given, "shape": shape})["id"]
    rule = {"trigger": "enter_or_exit", "geofence": geofence, "severity": "critical"}
    server.rest("POST", "rules/", {**given, **rule, "recipients": ["yard@example.com"]})
    since = datetime.now(UTC) - timedelta(hours=1)
    asset = server.add_asset("Lorry", "phone-of-lorry", since=since)
    server.post_osmand("phone-of-lorry", datetime.now(UTC), (14.1, 46.0))
    server.post_osmand("phone-of-lorry", datetime.now(UTC), YARD, speed=10, batt=80)
    return asset, geofence


def assert_fine(console: Console, path: str, sign: str) -> None:
    """Open a page, wait for `sign` of its content, and judge it."""
    console.goto(path)
    console.see({**text(sign), "within": role("main")})
    console.assert_accessible()


def test_the_console_is_accessible_and_keeps_to_its_policy(
    signed_in: Open, yard: tuple[int, int]
) -> None:
    asset, geofence = yard
    console = signed_in()

    assert_fine(console, f"/app/map?lon=14&lat=46&zoom=12&selected={asset}", "Accuracy")
    assert_fine(console, "/app/map", "Lorry")
    assert_fine(console, "/app/assets", "Lorry")
    assert_fine(console, "/app/alerts", "Yard")
    assert_fine(console, "/app/geofences", "Yard")
    assert_fine(console, f"/app/geofences/{geofence}", "entered")
    assert_fine(console, f"/app/geofences/{geofence}/edit", "Raise an alert")
    assert_fine(console, "/app/geofences/new", "Draw on the map")
    assert_fine(console, "/app/nowhere", "There is no such page")

    console.assert_clean()


def test_the_console_is_accessible_on_a_phone_too(signed_in: Open, yard: tuple[int, int]) -> None:
    asset, geofence = yard
    console = signed_in(size=PHONE)

    assert_fine(console, f"/app/map?lon=14&lat=46&zoom=12&selected={asset}", "Accuracy")
    assert_fine(console, "/app/map", "Lorry")
    assert_fine(console, "/app/alerts", "Yard")
    assert_fine(console, f"/app/geofences/{geofence}", "entered")

    console.assert_clean()


def test_an_unknown_address_shows_no_map(signed_in: Open) -> None:
    console = signed_in("/app/nowhere")

    console.see(text("There is no such page"))

    assert console.count(role("region", "Map", exact=True)) == 0
    console.assert_clean()


@SIZES
def test_pages_without_a_session_are_accessible(
    driver: Driver, server: Server, size: tuple[int, int]
) -> None:
    console = Console(driver, server.url, size=size)

    console.see(role("heading", "Sign in to Tracker"))
    console.assert_accessible()
    console.send_login("nobody", "a wrong password")
    console.see(role("alert"))
    console.assert_accessible()
    console.type("the right one")
    assert console.value(label("Password")) == "the right one"
    assert_fine(console, "/nowhere", "There is no such page")
    assert_fine(console, "/problems/", "Problems")

    console.assert_clean()
