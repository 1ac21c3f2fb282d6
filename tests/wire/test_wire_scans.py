"""What a device heard around it stays with its observation, bounded, for locating it later."""

from __future__ import annotations

from typing import Any

import pytest

from core.fact_order import message_of
from core.observation import MAX_SCANNED, Beacon, Cell, Scans
from tests.wire.uplinks import decoded, only, owntracks_location, traccar_position, ttn_uplink

MAC = "00:14:22:01:23:45"


def scans(format_name: str, body: Any = b"", query: str = "") -> Scans | None:
    found: Scans | None = only(decoded(format_name, body, query=query)).scans
    return found


@pytest.mark.field("S-42")
@pytest.mark.parametrize("mac", ["00-14-22-01-23-45", "001422012345", " 00:14:22:01:23:45"])
def test_an_access_point_has_one_spelling(mac):
    assert scans("osmand", query=f"id=7&wifi={mac},-70") == Scans(wifi=(Beacon(MAC, -70),))


@pytest.mark.field("S-42")
def test_cells_and_access_points_that_traccar_forwards_are_kept():
    tower = {
        "cellId": 2224,
        "locationAreaCode": 16,
        "mobileCountryCode": 257,
        "mobileNetworkCode": 2,
    }
    network = {
        "radioType": "gsm",
        "cellTowers": [tower],
        "wifiAccessPoints": [{"macAddress": MAC, "signalStrength": -80}],
    }

    found = scans("traccar", traccar_position(network=network))

    assert found == Scans(wifi=(Beacon(MAC, -80),), cells=(Cell(257, 2, 16, 2224),))


@pytest.mark.field("S-42")
def test_beacons_are_told_from_access_points():
    measured = {"measurementId": "5002", "measurementValue": [{"mac": MAC, "rssi": -9}]}
    payload = {"messages": [measured]}

    assert scans("ttn", ttn_uplink(payload)) == Scans(bluetooth=(Beacon(MAC, -9),))


def test_the_cell_of_a_tracker_behind_owntracks_is_written_in_hex():
    sent = owntracks_location(mcc=232, mnc=1, lac="4F4D", cid="673A")

    assert scans("owntracks", sent) == Scans(cells=(Cell(232, 1, 0x4F4D, 0x673A),))


@pytest.mark.parametrize("cid", ["67-3A", "", "0xG1"])
def test_a_tracker_s_cell_that_is_no_hex_text_leaves_its_position(cid):
    found = only(decoded("owntracks", owntracks_location(mcc=232, mnc=1, lac="4F4D", cid=cid)))

    assert (found.scans, found.fix.lat_deg) == (None, 52.1)


@pytest.mark.parametrize(
    "query",
    ["wifi=garden", "wifi=", "cell=1,2,3", "cell=a,b,c,d", "cell=1,2,3,1e30", "cell=1,2,3,4.5"],
)
def test_what_is_no_address_and_no_cell_is_left_out(query):
    assert scans("osmand", query=f"id=7&lat=52.1&lon=4.3&{query}") is None


def test_a_level_that_no_radio_has_is_unknown():
    assert scans("osmand", query=f"id=7&wifi={MAC},900") == Scans(wifi=(Beacon(MAC, None),))


@pytest.mark.fault("F-026")
def test_a_list_of_the_whole_neighbourhood_is_cut_off():
    heard = "&".join(f"wifi=00:14:22:01:23:{number:02x},-70" for number in range(99))

    found = scans("osmand", query=f"id=7&{heard}")

    assert found is not None
    assert len(found.wifi) == MAX_SCANNED


def test_two_scans_of_one_moment_are_two_messages():
    one, other = (
        only(decoded("osmand", query=f"id=7&timestamp=1767614400&wifi={MAC},{level}"))
        for level in (-70, -71)
    )

    assert message_of(one) != message_of(other)
