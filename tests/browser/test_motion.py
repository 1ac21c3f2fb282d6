"""Whether an asset moves, as the console says it of devices that report no speed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.browser.conftest import Open
from tests.browser.console import At, role, text
from tests.browser.world import LonLat, Server

pytestmark = pytest.mark.browser

NOW = timedelta()
QUARTER_OF_AN_HOUR = timedelta(minutes=15)
RAMP: LonLat = (16.4000, 43.5000)
# 20 km north of the ramp: at 80 km/h in a quarter of an hour.
SUMMIT: LonLat = (16.4000, 43.6799)
CARD = role("region", "Selected asset")


def add_wagon(server: Server, name: str) -> int:
    since = datetime.now(UTC) - timedelta(hours=1)
    interval_s = int(QUARTER_OF_AN_HOUR.total_seconds())
    return server.add_asset(name, name, since=since, expected_interval_s=interval_s)


def report(server: Server, name: str, lonlat_deg: LonLat, *, ago: timedelta = NOW) -> None:
    """Report a place and no speed."""
    server.post_osmand(name, datetime.now(UTC) - ago, lonlat_deg)


def state_word(word: str) -> At:
    return text(word, within=CARD)


def test_a_device_without_a_speed_that_covers_20_km_is_shown_as_moving_with_its_estimated_speed(
    signed_in: Open, server: Server
) -> None:
    asset = add_wagon(server, "Wagon on the road")
    report(server, "Wagon on the road", RAMP, ago=QUARTER_OF_AN_HOUR)
    report(server, "Wagon on the road", SUMMIT)

    console = signed_in(f"/app/map?find=wagon+on&states=moving&selected={asset}")

    console.see(role("option", "Wagon on the road ≈ 80 km/h"))
    console.see(state_word("Moving since"))
    console.see(text("Speed, estimated", within=CARD))
    console.see(text("≈ 80 km/h", within=CARD))
    console.assert_clean()


def test_a_device_without_a_speed_that_stays_is_shown_as_resting(
    signed_in: Open, server: Server
) -> None:
    asset = add_wagon(server, "Wagon at the ramp")
    report(server, "Wagon at the ramp", RAMP, ago=QUARTER_OF_AN_HOUR)
    report(server, "Wagon at the ramp", RAMP)

    console = signed_in(f"/app/map?find=wagon+at&states=resting&selected={asset}")

    console.see(role("option", "Wagon at the ramp Resting"))
    console.see(state_word("Resting since"))
    console.see(text("not reported", within=CARD))
    console.assert_clean()


def test_of_a_device_that_reported_once_and_no_speed_the_page_says_that_nobody_knows(
    signed_in: Open, server: Server
) -> None:
    asset = add_wagon(server, "Wagon just found")
    report(server, "Wagon just found", RAMP)

    console = signed_in(f"/app/map?find=wagon+just&states=unknown&selected={asset}")

    console.see(role("option", "Wagon just found Motion unknown"))
    console.see(state_word("Motion unknown"))
    assert "since" not in console.read(CARD)
    console.assert_clean()


def test_a_page_that_is_open_follows_a_device_that_sets_off(
    signed_in: Open, server: Server
) -> None:
    asset = add_wagon(server, "Wagon that leaves")
    report(server, "Wagon that leaves", RAMP, ago=QUARTER_OF_AN_HOUR)
    console = signed_in("/app/assets?find=leaves")
    console.see(role("cell", "Motion unknown"))

    report(server, "Wagon that leaves", SUMMIT)

    console.see(role("cell", "Moving"))
    console.see(role("cell", "≈ 80 km/h"))
    console.goto(f"/app/map?selected={asset}")
    console.see(state_word("Moving since"))
    console.assert_clean()
