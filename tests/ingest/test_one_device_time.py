"""Several messages with one device time are several facts, in the order in which they were made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from assets.models import Asset
from tests.builders import make_source, make_van
from tests.ingest.senders import arrive, books, stored
from tests.wire.uplinks import NOON, observation, owntracks_location, sdk_location, ttn_uplink

TST = int(NOON.timestamp())
State = Callable[[Asset], dict[str, Any]]


@pytest.fixture
def state(api: Callable[[User], APIClient], viewer: User) -> State:
    """Return a function that reads the latest state of an asset over REST."""

    def state_of(asset: Asset) -> dict[str, Any]:
        document: dict[str, Any] = api(viewer).get(f"/api/v1/assets/{asset.pk}/state/").json()
        return document

    return state_of


def latitudes(north: Organisation) -> list[float]:
    return sorted(row.point.y for row in stored(north) if row.point)


@pytest.mark.field("S-01")
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (2, 1, 0)])
def test_of_three_messages_about_one_fix_the_last_made_counts(
    north: Organisation, state: State, order: tuple[int, ...]
) -> None:
    van = make_van(north, "van", "ada/phone")
    source, _ = make_source(north, "owntracks")
    made = [(2, 80), (3600, 40), (7200, 15)]
    for after, level in (made[place] for place in order):
        body = owntracks_location(t="t", created_at=TST + after, batt=level)
        arrive(source, orjson.dumps(body), received_at=NOON + timedelta(seconds=after))

    found = state(van)

    assert found["readings"]["battery.level"] == 15
    assert found["received_at"] == "2026-01-05T14:00:00.000000Z"
    assert found["fix"]["at"] == "2026-01-05T12:00:00.000000Z"


@pytest.mark.field("S-02")
def test_of_four_places_of_one_time_each_is_kept_and_the_last_made_is_the_latest(
    north: Organisation, state: State
) -> None:
    van = make_van(north, "van", "ada/phone")
    source, _ = make_source(north, "owntracks")
    for number, lat in enumerate((52.1, 52.4, 52.2, 52.3)):
        body = owntracks_location(lat=lat, created_at=TST + 10 * number)
        arrive(source, orjson.dumps(body))

    assert latitudes(north) == [52.1, 52.2, 52.3, 52.4]
    assert state(van)["fix"]["lat_deg"] == 52.3


@pytest.mark.field("S-03")
def test_readings_beside_a_repeated_fix_are_those_of_the_last_uplink(
    north: Organisation, state: State
) -> None:
    van = make_van(north, "van", "0004a30b001c0530")
    source, _ = make_source(north, "ttn")
    values = [(8, 3.60, 1), (4, 3.55, 0), (2, 3.50, 0)]
    for minute, (celsius, volts, is_open) in enumerate(values):
        payload = {
            "latitude": 52.1, "longitude": 4.3, "time": "2026-01-05T12:00:00Z",
            "temperature": celsius, "BatV": volts, "door_open": is_open,
        }  # fmt: skip
        body = ttn_uplink(payload, received_at=f"2026-01-05T12:{minute:02}:30Z", f_cnt=minute)
        arrive(source, orjson.dumps(body))

    readings = state(van)["readings"]

    assert (readings["air.temperature"], readings["battery.voltage"]) == (2, 3.50)
    assert readings["contact"] == "closed"


@pytest.mark.field("S-04")
@pytest.mark.parametrize("is_one_body", [False, True])
def test_of_two_events_of_one_time_the_later_counts(
    north: Organisation, state: State, is_one_body: bool
) -> None:
    van = make_van(north, "van", "7")
    source, _ = make_source(north, "osmand")
    events = [
        sdk_location(uuid="b", is_moving=True, event="motionchange"),
        sdk_location(uuid="a", is_moving=False, event="motionchange"),
    ]
    bodies = [events] if is_one_body else [[one] for one in events]
    for number, locations in enumerate(bodies):
        body = orjson.dumps({"location": locations, "device_id": "7"})
        arrive(source, body, received_at=NOON + timedelta(seconds=number))

    assert len(stored(north)) == 2
    assert state(van)["readings"]["motion.detected"] is False


@pytest.mark.field("S-05")
def test_two_requests_in_one_second_are_both_kept(north: Organisation, state: State) -> None:
    van = make_van(north, "van", "7")
    source, _ = make_source(north, "osmand")
    place = f"id=7&lat=52.1&lon=4.3&timestamp={TST}"
    requests = [
        f"{place}&ignition=true&batt=80&speed=20",
        f"{place}&ignition=false&batt=79&alarm=powerCut",
    ]
    for number, query in enumerate(requests):
        arrive(source, b"", query=query, received_at=NOON + timedelta(milliseconds=number))

    readings = state(van)["readings"]

    assert len(stored(north)) == 2
    assert (readings["ignition"], readings["battery.level"]) == (False, 79)
    assert readings["custom.alarm"] == "powerCut"


@pytest.mark.field("S-06")
@pytest.mark.parametrize("is_one_body", [False, True])
def test_two_events_of_one_time_are_both_stored_and_the_later_is_the_latest(
    north: Organisation, state: State, is_one_body: bool
) -> None:
    van = make_van(north, "van", "0004a30b001c0530")
    source, _ = make_source(north, "json")
    events = [observation(event_id="b", lat=52.9), observation(event_id="a", lat=52.2)]
    bodies = [events] if is_one_body else [[one] for one in events]
    for number, body in enumerate(bodies):
        arrive(source, orjson.dumps(body), received_at=NOON + timedelta(seconds=number))

    assert books(source) == {"received": 2, "stored": 2}
    assert latitudes(north) == [52.2, 52.9]
    assert state(van)["fix"]["lat_deg"] == 52.2


@pytest.mark.field("S-24")
def test_a_batch_without_any_time_is_numbered(north: Organisation) -> None:
    make_van(north, "van", "7")
    source, _ = make_source(north, "osmand")
    body = orjson.dumps({"location": [{"lat": 52.1, "lon": 4.3}] * 3, "device_id": "7"})

    receipt = arrive(source, body)

    assert [outcome.disposition for outcome in receipt.outcomes] == ["stored"] * 3
    assert len({row.measured_at for row in stored(north)}) == 3
