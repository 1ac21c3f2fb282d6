"""The server goes away and comes back while somebody looks at the map."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.browser.conftest import Open
from tests.browser.console import role, text
from tests.browser.world import LonLat, Server
from tests.ingest.world import eventually

pytestmark = pytest.mark.browser

QUAY: LonLat = (13.76, 45.65)
PIER: LonLat = (13.75, 45.66)


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
