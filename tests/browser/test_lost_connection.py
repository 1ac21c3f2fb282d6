"""The server goes away and comes back while somebody looks at the map."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.browser.conftest import Open
from tests.browser.console import Console, View, role, text
from tests.browser.world import LonLat, Server
from tests.ingest.world import eventually

pytestmark = pytest.mark.browser

QUAY: LonLat = (13.76, 45.65)
PIER: LonLat = (13.75, 45.66)
# Land as far as the eye reaches, and a place in it where no name is written.
DESERT = View((5.0, 25.0), zoom=7.5)
SAND: LonLat = (5.3, 25.3)


def test_what_was_shown_stays_while_the_server_is_away_and_heals_when_it_is_back(
    signed_in: Open, server: Server
) -> None:
    now = datetime.now(UTC)
    asset = server.add_asset("Tug", "phone-of-tug", since=now - timedelta(hours=1))
    server.post_osmand("phone-of-tug", now, QUAY, speed=0)
    console = signed_in(f"/app/map?selected={asset}")
    eventually(lambda: console.place_in_card() == QUAY)
    # What the map is drawn by comes after the first words; nobody looks at a map before.
    console.settle()

    server.web.kill()

    console.see(text("positions are"), within_s=20)
    console.see(text("old", within=role("banner")))
    console.see(role("option", "Tug"))
    assert console.place_in_card() == QUAY

    # Ingest does not need the web: this one is accepted meanwhile.
    server.post_osmand("phone-of-tug", datetime.now(UTC), PIER, speed=0)
    server.web.start()

    console.miss(text("positions are"), within_s=25)
    eventually(lambda: console.place_in_card() == PIER)
    console.assert_clean()


def test_a_map_whose_worker_never_arrived_has_its_land_once_the_server_is_back(
    signed_in: Open, server: Server
) -> None:
    path = f"/app/map?{DESERT.query}&still=1"
    land = painted(signed_in(path))
    console = signed_in(path, lost="**/maplibre-gl-worker*")
    assert painted(console) != land

    server.web.kill()
    console.see(text("positions are"), within_s=20)
    console.lose_nothing()
    server.web.start()

    console.miss(text("positions are"), within_s=25)
    eventually(lambda: console.paint(DESERT, SAND) == land, 30, "the map stayed without land")
    console.assert_clean()


def painted(console: Console) -> str:
    console.see({"css": ".live-map canvas"}, within_s=30)
    console.settle()
    return console.paint(DESERT, SAND)


def test_a_map_whose_code_was_lost_on_the_way_appears_once_it_can_be_had(signed_in: Open) -> None:
    console = signed_in(f"/app/map?{DESERT.query}&still=1", lost="**/live_map-*.js")

    console.see(text("The map has not arrived"))
    console.lose_nothing()

    console.see({"css": ".live-map canvas"})
    console.miss(text("The map has not arrived"))
    console.assert_clean()
