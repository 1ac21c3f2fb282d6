"""In at the public door, out at the map, the alert feed and the mailbox."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.browser.conftest import Open
from tests.browser.console import Console, Driver, View, label, role, text
from tests.browser.world import TTN_SAMPLES, LonLat, Server, recorded_drive
from tests.ingest.world import eventually

pytestmark = [pytest.mark.browser, pytest.mark.journey]

VISNJAN = View((13.7195, 45.2780), zoom=13.4)
# The recorded drive enters it once and leaves it once.
NORTH_OF_VILLAGE: list[LonLat] = [
    (13.7165, 45.2750),
    (13.7245, 45.2750),
    (13.7245, 45.2825),
    (13.7165, 45.2825),
]
ALERTS = role("region", "Alerts", exact=True)


def now() -> datetime:
    return datetime.now(UTC)


def fill_in_geofence(console: Console, name: str, recipient: str) -> None:
    console.fill(label("Name"), name)
    console.choose(label("Raise an alert"), "when an asset enters or leaves")
    console.fill(role("combobox", "Tell by e-mail"), recipient)
    console.press("Enter")


def corners_in(console: Console) -> list[LonLat]:
    lines = console.value(label("Corners")).splitlines()
    return [(float(lon), float(lat)) for lon, lat in (line.split(",") for line in lines)]


def drive(server: Server, device: str, way: Sequence[LonLat], seconds: float) -> None:
    """Report a way as a phone does that is there now, in less time than it took."""
    pause_s = seconds / len(way)
    for lonlat_deg in way:
        server.post_osmand(device, now(), lonlat_deg, speed=20, accuracy=5)
        time.sleep(pause_s)


def assert_at(console: Console, lonlat_deg: LonLat) -> None:
    near = pytest.approx(lonlat_deg, abs=1.1e-5)
    eventually(lambda: console.place_in_card() == near, 5, f"the marker is not at {lonlat_deg}")


def assert_the_drive_was_told(console: Console, server: Server, names: dict[str, str]) -> None:
    """The crossings, the alerts and the mails of one way in and one way out."""
    entered = f"{names['asset']} entered {names['geofence']}"
    left = f"{names['asset']} left {names['geofence']}"
    console.see(text(entered, within=ALERTS))
    console.see(text(left, within=ALERTS))
    mails = lambda: server.mail.arrivals(names["recipient"])  # noqa: E731
    eventually(lambda: len(mails()) == 2, 20, "the mails did not arrive")
    subjects = sorted(str(mail["Subject"]) for mail in mails())
    assert [names["asset"] in subject for subject in subjects] == [True, True]
    console.click(role("link", "Geofences"))
    console.click(role("link", names["geofence"]))
    crossings = role("list", "Crossings, newest first")
    console.see(text("entered", within=crossings))
    console.see(text("left", within=crossings))


def test_a_drive_across_a_drawn_geofence_is_seen_alerted_and_mailed(
    driver: Driver, server: Server
) -> None:
    names = {"asset": "Fiat 500", "geofence": "Višnjan", "recipient": "night-desk@example.com"}
    way = recorded_drive()
    console = Console(driver, server.url)

    console.sign_in(server.made["admin"]["username"], server.made["admin"]["password"])
    console.look_at(VISNJAN)
    console.click(role("link", "Geofences"))
    console.click(role("link", "New geofence"))
    fill_in_geofence(console, names["geofence"], names["recipient"])
    console.click(role("button", "Draw on the map"))
    console.see(text("Click each corner"))
    for corner in [*NORTH_OF_VILLAGE, NORTH_OF_VILLAGE[0]]:
        console.click_map(VISNJAN, corner)
    console.see(role("button", "Draw again"))
    drawn = corners_in(console)
    console.click(role("button", "Save"))
    console.see(role("heading", names["geofence"]))
    asset = server.add_asset(
        names["asset"], "phone-of-fiat", since=now() - timedelta(hours=1), expected_interval_s=10
    )
    drive(server, "phone-of-fiat", way[:1], 0)
    console.goto(f"/app/map?{VISNJAN.query}&selected={asset}")
    console.see(role("heading", names["asset"]))
    assert_at(console, way[0])
    drive(server, "phone-of-fiat", way[1:], 3)

    assert_at(console, way[-1])
    console.click(role("button", "Last 24 h"))
    # A pixel is some five metres at this scale.
    assert sum(drawn, ()) == pytest.approx(sum(NORTH_OF_VILLAGE, ()), abs=1e-4)
    assert_the_drive_was_told(console, server, names)
    console.click(role("link", "Map"))
    console.click(role("button", f"Acknowledge: {names['asset']} entered {names['geofence']}"))
    console.see(text("Acknowledged by admin", within=ALERTS))
    console.assert_clean()


def test_a_geofence_made_of_numbers_alone_alerts_as_well(signed_in: Open, server: Server) -> None:
    names = {"asset": "Van 7", "geofence": "By numbers", "recipient": "day-desk@example.com"}
    server.add_asset(names["asset"], "phone-of-van", since=now() - timedelta(hours=1))
    console = signed_in("/app/geofences/new")

    fill_in_geofence(console, names["geofence"], names["recipient"])
    console.fill(label("Corners"), "\n".join(f"{lon}, {lat}" for lon, lat in NORTH_OF_VILLAGE))
    console.click(role("button", "Save"))
    console.see(role("heading", names["geofence"]))
    drive(server, "phone-of-van", recorded_drive()[::3], 2)
    console.click(role("link", "Map"))

    assert_the_drive_was_told(console, server, names)
    console.assert_clean()


def test_a_geofence_that_is_changed_keeps_its_one_rule(signed_in: Open, server: Server) -> None:
    given = {"organisation": server.made["organisation"]["id"], "name": "Customs"}
    shape = {"type": "circle", "center": [13.0, 45.0], "radius_m": 100}
    geofence = server.rest("POST", "geofences/", {**given, "shape": shape})["id"]
    rule = {"trigger": "enter", "geofence": geofence, "recipients": ["customs@example.com"]}
    server.rest("POST", "rules/", {**given, **rule})
    console = signed_in(f"/app/geofences/{geofence}/edit")

    console.fill(label("Name"), "Customs house")
    console.choose(label("Raise an alert"), "when an asset leaves")
    console.click(role("button", "Save"))
    console.see(role("heading", "Customs house"))

    rules = [
        (row["trigger"], row["recipients"])
        for row in server.rest("GET", "rules/?page_size=1000")["results"]
        if row["geofence"] == geofence
    ]
    assert rules == [("exit", ["customs@example.com"])]
    console.assert_clean()


def test_uplinks_of_the_things_stack_put_a_buoy_on_the_map(signed_in: Open, server: Server) -> None:
    asset = server.add_asset("Buoy", "0000000000000000", since=datetime(2025, 1, 1, tzinfo=UTC))
    console = signed_in(f"/app/map?selected={asset}")
    console.see(role("heading", "Buoy"))

    answers = {file.name: post_sample(server, file) for file in ttn_samples()}

    # What carries no position and no known device is taken all the same.
    assert set(answers.values()) <= {200, 202}, answers
    # Of two fixes half a second apart, the newer one.
    assert_at(console, (-122.4064, 37.7858))
    console.see(text("Humidity"), within_s=20)
    console.assert_clean()


def ttn_samples() -> list[Path]:
    """Return the files that the index names as bodies of requests."""
    samples = json.loads((TTN_SAMPLES / "index.json").read_text())["samples"]
    return [TTN_SAMPLES / sample["file"] for sample in samples]


def post_sample(server: Server, file: Path) -> int:
    return server.post("ttn", file.read_bytes(), "application/json")
