"""Stored text never runs, wherever it is shown (promise P23)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.browser.conftest import Open
from tests.browser.console import label, role, text
from tests.browser.world import LonLat, Server
from tests.ingest.world import eventually

pytestmark = pytest.mark.browser

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(2)>',
    "</script><script>alert(3)</script>",
    "{{7*7}} ${7*7} %n%s",
    "javascript:alert(4)//",
]
MIDDLE: LonLat = (15.0, 50.0)
OUTSIDE: LonLat = (15.1, 50.0)


@pytest.mark.fault("F-025")
def test_hostile_names_are_plain_text_on_every_page_and_in_the_mail(
    signed_in: Open, server: Server
) -> None:
    start = datetime.now(UTC)
    organisation = server.made["organisation"]["id"]
    shape = {"type": "circle", "center": MIDDLE, "radius_m": 500}
    for number, words in enumerate(HOSTILE):
        device = f"hostile-{number}"
        given = {"organisation": organisation, "name": words}
        geofence = server.rest("POST", "geofences/", {**given, "shape": shape})
        rule = {"trigger": "enter", "geofence": geofence["id"], "severity": "critical"}
        server.rest("POST", "rules/", {**given, **rule, "recipients": ["hostile@example.com"]})
        server.add_asset(
            words, device, since=start - timedelta(hours=1), kind=words[:40], tags=[words[:40]]
        )
        server.post_osmand(device, datetime.now(UTC), OUTSIDE)
        server.post_osmand(device, datetime.now(UTC), MIDDLE, driver=words)
    console = signed_in("/app/map?lon=15&lat=50&zoom=12")

    for words in HOSTILE:
        console.click({**text(words, nth=0), "within": role("listbox", "Assets")})
        console.see(role("heading", words, exact=True))
        console.see(text(words, within=role("region", "Alert feed")))
    console.click(role("link", "Assets"))
    console.see(text(HOSTILE[0]))
    console.click(role("link", "Alerts"))
    console.see(text(HOSTILE[0]))
    console.click(role("link", "Geofences"))
    console.click(role("link", HOSTILE[0]))
    console.see(role("heading", HOSTILE[0], exact=True))
    console.see(text("entered"))
    console.click(role("link", "Change"))
    eventually(lambda: console.value(label("Name")) == HOSTILE[0])

    console.assert_clean()
    mails = lambda: server.mail.arrivals("hostile@example.com")  # noqa: E731
    eventually(lambda: len(mails()) >= len(HOSTILE), 20, "the mails did not arrive")
    for mail in mails():
        html = mail.get_body(("html",))
        assert html is None or "<img src=x" not in html.get_content()
