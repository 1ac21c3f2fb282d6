"""What a dispatcher does all day with the live page: find, filter, pause, go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.browser.conftest import Open
from tests.browser.console import Console, View, label, role, text
from tests.browser.world import LonLat, Server
from tests.ingest.world import eventually

pytestmark = pytest.mark.browser

RAMP: LonLat = (16.40, 43.50)
GATE: LonLat = (16.41, 43.51)
HARBOUR = View(RAMP, zoom=13.0)


@pytest.fixture(scope="module")
def forklift(server: Server) -> int:
    now = datetime.now(UTC)
    asset = server.add_asset("Forklift", "phone-of-forklift", since=now - timedelta(hours=1))
    server.post_osmand("phone-of-forklift", now, RAMP, speed=0)
    return asset


def report(server: Server, lonlat_deg: LonLat) -> None:
    server.post_osmand("phone-of-forklift", datetime.now(UTC), lonlat_deg, speed=0)


def test_search_and_filters_stand_in_the_address_and_come_back_from_it(
    signed_in: Open, forklift: int
) -> None:
    console = signed_in("/app/map")
    console.see(role("option", "Forklift"))

    console.press("/")
    console.type("forkl")
    console.click(role("button", "Moving"))

    console.see(text("No asset matches"))
    eventually(lambda: "find=forkl" in console.path() and "states=moving" in console.path())
    console.click(role("button", "Clear search and filters"))
    console.see(role("option", "Forklift"))
    eventually(lambda: "find" not in console.path() and "states" not in console.path())
    console.goto("/app/map?find=forkl&states=resting")
    console.see(role("option", "Forklift"))
    assert console.value(label("Find assets")) == "forkl"
    console.assert_clean()


def test_a_paused_picture_stands_still_and_catches_up(
    signed_in: Open, server: Server, forklift: int
) -> None:
    report(server, RAMP)
    console = signed_in(f"/app/map?selected={forklift}")
    eventually(lambda: console.place_in_card() == RAMP)

    console.press("p")
    console.see(text("Paused", within=role("banner")))
    report(server, GATE)

    console.see(text("picture is 3 s old", within=role("banner")))
    assert console.place_in_card() == RAMP
    console.press("p")
    eventually(lambda: console.place_in_card() == GATE)
    console.assert_clean()


def test_assets_can_be_picked_on_the_map_before_and_after_the_graphics_card_was_lost(
    signed_in: Open, server: Server, forklift: int
) -> None:
    report(server, RAMP)
    console = signed_in(f"/app/map?{HARBOUR.query}&still=1")
    console.see(role("option", "Forklift"))

    assert_picked(console)
    console.goto(f"/app/map?{HARBOUR.query}&still=1")
    console.see(role("option", "Forklift"))
    console.lose_graphics()
    console.see(text("The graphics card lost the map"))
    console.regain_graphics()
    console.miss(text("The graphics card lost the map"))

    assert_picked(console)
    console.assert_clean()


def assert_picked(console: Console) -> None:
    def is_picked() -> bool:
        console.click_map(HARBOUR, RAMP)
        return console.count(role("heading", "Forklift")) == 1

    eventually(is_picked, 15, "the marker was not there to be picked")
