"""Where the form of a geofence takes a person who filled it in wrongly."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Open
from tests.browser.console import PHONE, label, role, text

pytestmark = pytest.mark.browser


def test_a_form_that_is_wrong_takes_whoever_sent_it_to_what_is_wrong(signed_in: Open) -> None:
    console = signed_in("/app/geofences/new", size=PHONE)
    console.fill(label("Name"), "Half a yard")

    console.click(role("button", "Save"))
    console.see(text("A polygon needs three corners or more."))
    console.type("13.1, 45.2")

    assert console.value(label("Corners")) == "13.1, 45.2"
    console.assert_clean()
