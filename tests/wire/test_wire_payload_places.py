"""Places in decoded payloads: at any depth, in any form, and what its receiver says of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core.observation import Fix
from tests.wire.uplinks import NOON, decoded, only, ttn_uplink
from wire.payloads.payload_reader import PayloadReading, read_payload

PLACE = {"latitude": 52.1, "longitude": 4.3}


def read(payload: Any, now: datetime = NOON) -> PayloadReading:
    return read_payload(payload, now=now)


def fix_of(payload: Any) -> Fix | None:
    return read(payload).main.fix


@pytest.mark.field("S-10")
def test_the_last_known_place_of_a_receiver_without_fix_is_noted_as_stale():
    sent = {"NoGNSSFix": 1, "Lat": 45.479125, "Long": 13.754528, "Temp": 21}

    found = decoded("ttn", ttn_uplink(sent))

    assert only(found).fix is None
    assert found.notes["stale_position"] == {
        "lat": 45.479125,
        "lon": 13.754528,
        "reason": "NoGNSSFix is 1",
    }


@pytest.mark.field("S-11")
@pytest.mark.parametrize(
    ("lat_deg", "lon_deg"),
    [
        (-0.000001, -0.000001),
        (0.00005, -0.00003),
        (52, 4),
        (-1, -1),
        (90.0, 180.0),
        # 0x7FFFFFFF and 0xFFFFFFFF in hundred-millionths, 0x7FFFFF in hundred-thousandths.
        (21.47483647, 21.47483647),
        (42.94967295, 42.94967295),
        (83.88607, 83.88607),
    ],
)
def test_the_sign_of_a_missing_place_is_no_fix(lat_deg, lon_deg):
    assert fix_of({"latitude": lat_deg, "longitude": lon_deg}) is None


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg"), [(0.5, 0.0), (52, 4.25), (-0.001, 0.0), (45.5, 45.5)]
)
def test_a_place_near_to_a_round_number_is_a_place(lat_deg, lon_deg):
    assert fix_of({"latitude": lat_deg, "longitude": lon_deg}) is not None


@pytest.mark.field("S-12")
@pytest.mark.parametrize(
    "flag",
    [
        {"SatCnt": 0},
        {"isValid": False},
        {"fix_type": 0},
        {"gnss_valid": 0},
        {"satellites_used": 0},
        {"GNSSerror": 1},
        {"gpsStatus": "no fix"},
        {"gps_state": "searching"},
        {"hasFix": "false"},
        {"GPS_Fixed": 0},
        {"fix_quality": "invalid"},
        {"position_lost": True},
        {"gnss": {"valid": False}},
        {"gnss": {"status": "timeout"}},
        {"location": {"lastKnown": True}},
        {"numSats": "0"},
        {"gps_lock": False},
        {"position_outdated": 1},
        {"gps_ok": 0},
    ],
)
def test_a_receiver_that_says_so_has_no_fix(flag):
    found = read(PLACE | flag)

    assert found.main.fix is None
    assert found.stale_fix is not None


@pytest.mark.parametrize(
    "flag",
    [
        {"SatCnt": 7},
        {"isValid": True},
        {"fix_type": "3D"},
        {"gps_status": 0},
        {"locked": False},
        {"child_lock": 0},
        {"GNSSerror": 0},
        {"gps_error": None},
        {"fix": [1]},
        {"temperature_valid": False},
        {"battery_status": "no"},
    ],
)
def test_what_is_not_said_of_the_receiver_leaves_the_fix(flag):
    assert fix_of(PLACE | flag) is not None


@pytest.mark.field("S-34")
@pytest.mark.parametrize(
    "payload",
    [
        {"decoded": PLACE | {"temperature": 24}},
        {"sensors": {"gps": PLACE}},
        {"tracker": PLACE},
        {"data": PLACE, "port": 2},
        {"a": {"b": {"c": {"d": PLACE}}}},
        {"results": [PLACE]},
    ],
)
def test_a_place_is_found_in_every_object(payload):
    fix = fix_of(payload)

    assert fix is not None
    assert (fix.lat_deg, fix.lon_deg) == (52.1, 4.3)


def test_of_two_places_that_nearest_the_root_counts():
    fix = fix_of({"a": {"b": {"lat": 1.5, "lon": 2.5}}, "z": PLACE})

    assert fix is not None
    assert fix.lat_deg == 52.1


@pytest.mark.field("S-35")
@pytest.mark.parametrize(
    "payload",
    [
        {"Location": "52.1,4.3"},
        {"gps_coordinates": "52.1; 4.3"},
        {"lattitude": 52.1, "longtitude": 4.3},
        {"geo": {"type": "Point", "coordinates": [4.3, 52.1]}},
        {"anything": {"type": "Point", "coordinates": [4.3, 52.1, 7.5]}},
        {"position_lat": 52.1, "position_lng": 4.3},
        {"Lat (deg)": 52.1, "Lon (deg)": 4.3},
    ],
)
def test_a_place_may_be_a_text_a_point_or_misspelt(payload):
    fix = fix_of(payload)

    assert fix is not None
    assert (fix.lat_deg, fix.lon_deg) == (52.1, 4.3)


@pytest.mark.parametrize(
    "payload",
    [
        {"version": "52.1,4.3"},
        {"Location": "here"},
        {"geo": {"type": "Point", "coordinates": "4.3"}},
        {"geo": {"type": "Point", "coordinates": ["4.3", None]}},
        {"geo": {"type": "Point", "coordinates": [4.3]}},
        {"geo": {"type": "Line", "coordinates": [4.3, 52.1]}},
        {"assistanceLatitude": 52.1, "assistanceLongitude": 4.3},
        {"lat": "none", "lon": 4.3},
    ],
)
def test_what_only_looks_like_a_place_is_none(payload):
    assert fix_of(payload) is None


def test_an_altitude_of_a_point_is_that_of_the_fix():
    fix = fix_of({"geo": {"type": "Point", "coordinates": [4.3, 52.1, 7.5]}})

    assert fix is not None
    assert fix.altitude_m == 7.5


@pytest.mark.field("S-36")
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"speed": {"value": 36, "unit": "km/h"}}, {"speed_mps": 10.0}),
        ({"ground_speed_kn": 10}, {"speed_mps": pytest.approx(5.1444, abs=1e-4)}),
        ({"gps_speed": "36 km/h"}, {"speed_mps": 10.0}),
        ({"gps_speed": 36}, {"speed_mps": None}),
        ({"speed": {"value": 3, "unit": "%"}}, {"speed_mps": None}),
        ({"direction": 200}, {"course_deg": 200.0}),
        ({"EHPE": 3.5}, {"accuracy_m": 3.5}),
        ({"posAcc": 12}, {"accuracy_m": 12.0}),
        ({"altitude": "120 m"}, {"altitude_m": 120.0}),
        ({"altitude": "high"}, {"altitude_m": None}),
    ],
)
def test_what_belongs_to_a_fix_is_read_with_its_unit(sent, expected):
    fix = fix_of(PLACE | sent)

    assert {name: getattr(fix, name) for name in expected} == expected


def test_a_fix_may_have_its_accuracy_outside_of_its_object():
    fix = fix_of({"position": PLACE, "accuracy": 9})

    assert fix is not None
    assert fix.accuracy_m == 9


@pytest.mark.field("S-36")
def test_the_quality_of_a_fix_is_a_reading():
    readings = read(PLACE | {"HDOP": "0.9", "sats": 7, "satellitesInView": 9}).main.readings

    assert readings == {"hdop": 0.9, "satellites": 7, "custom.satellitesInView": 9}


def test_a_word_for_the_quality_stays_a_word():
    assert read({"hdop": "good"}).main.readings == {"custom.hdop": "good"}


def test_members_of_a_stale_place_say_so():
    fates = {member.path_text: member.fate for member in read(PLACE | {"fix": 0}).members}

    assert fates == {"latitude": "stale place", "longitude": "stale place", "fix": "custom"}


def test_a_cached_place_is_stale():
    found = read({"cached": PLACE, "at": datetime(2026, 1, 1, tzinfo=UTC).isoformat()})

    assert found.main.fix is None
    assert found.stale_reason == "'cached' place"
