"""A quantity of a fix that no receiver reports is unknown, in every format, and noted."""

from __future__ import annotations

from typing import Any

import pytest

from core.observation import FIX_BOUNDS
from tests.wire.uplinks import (
    chirpstack_event,
    decoded,
    faults,
    observation,
    only,
    owntracks_location,
    sdk_location,
    traccar_position,
    ttn_uplink,
)

COORDS = {"latitude": 52.1, "longitude": 4.3}
SOLVED: dict[str, Any] = {
    "end_device_ids": {"device_id": "van-7"},
    "location_solved": {"service": "x", "location": COORDS | {"accuracy": 1e30, "altitude": 9e9}},
}
LOCATION = {"location": COORDS | {"source": "GEO_RESOLVER_TDOA", "accuracy": 1e30}}


def quantities_of(found: Any) -> dict[str, float]:
    fix = only(found).fix
    return {name: value for name in FIX_BOUNDS if (value := getattr(fix, name)) is not None}


@pytest.mark.field("H-1")
@pytest.mark.parametrize(
    ("format_name", "body", "query", "names"),
    [
        ("osmand", b"", "id=7&lat=52.1&lon=4.3&speed=1e17&bearing=1000", "speed course"),
        ("osmand", b"", "id=7&lat=52.1&lon=4.3&accuracy=1e30", "accuracy"),
        ("osmand", b"", "id=7&lat=52.1&lon=4.3&altitude=-20000", "altitude"),
        ("owntracks", owntracks_location(vel=1e17, acc=1e30), "", "speed accuracy"),
        ("owntracks", owntracks_location(alt="1e9"), "", "altitude"),
        ("owntracks", owntracks_location(cog=-5), "", "course"),
        ("chirpstack", chirpstack_event(**LOCATION), "event=location", "accuracy"),
        ("ttn", SOLVED, "", "accuracy altitude"),
    ],
)  # fmt: skip
def test_a_quantity_that_no_receiver_reports_is_unknown_with_a_note(
    format_name, body, query, names
):
    found = decoded(format_name, body, query=query)

    assert quantities_of(found) == {}
    assert {name.rpartition("_")[0] for name in found.notes["beyond_bounds"]} == set(names.split())


@pytest.mark.field("H-1")
@pytest.mark.parametrize(
    ("format_name", "body"),
    [
        ("traccar", [traccar_position(), traccar_position(speed=1e17, accuracy=1e30)]),
        (
            "osmand",
            {
                "device_id": "7",
                "location": [
                    sdk_location(),
                    sdk_location(coords=COORDS | {"speed": 1e17, "accuracy": 1e30}),
                ],
            },
        ),
    ],
)
def test_the_note_of_a_list_says_which_of_it(format_name, body):
    found = decoded(format_name, body)

    first, second = found.observations
    assert first.fix
    assert second.fix
    assert (second.fix.speed_mps, second.fix.accuracy_m) == (None, None)
    assert first.fix.speed_mps or first.fix.accuracy_m
    (note,) = found.notes["beyond_bounds"]
    assert note.keys() == {"index", "speed_mps", "accuracy_m"}
    assert note["index"] == 1


@pytest.mark.field("H-1")
def test_the_bounds_hold_in_decoded_payloads():
    payload = {"latitude": 52.1, "longitude": 4.3, "speedKmph": 1e17, "accuracy": 1e30}

    assert quantities_of(decoded("ttn", ttn_uplink(payload))) == {}


@pytest.mark.field("H-1")
@pytest.mark.parametrize(("name", "bounds"), FIX_BOUNDS.items())
def test_our_own_json_refuses_the_same_quantities(name, bounds):
    lowest, highest = bounds
    beyond = observation(**{name: highest + 1})
    below = observation(**{name: lowest - 1}, unknown="slow path")

    for within in (lowest, highest):
        assert decoded("json", observation(**{name: within})).observations
    assert faults(decoded("json", beyond)) == [(f"/{name}", "out-of-range")]
    assert faults(decoded("json", below)) == [(f"/{name}", "out-of-range")]


@pytest.mark.parametrize("sent", ["speed=-1", "accuracy=-1", "bearing=-1", "accuracy=0"])
def test_what_the_sender_declares_unknown_needs_no_note(sent):
    found = decoded("osmand", query=f"id=7&lat=52.1&lon=4.3&{sent}")

    assert quantities_of(found) == {}
    assert not found.notes


@pytest.mark.field("H-3")
@pytest.mark.parametrize("sent", ["speed=1e308", "altitude=-1e300", "batt=1e39"])
def test_a_number_larger_than_any_device_writes_is_a_fault(sent):
    name = sent.partition("=")[0]

    found = decoded("osmand", query=f"id=7&lat=52.1&lon=4.3&{sent}")

    assert faults(found) == [(f"/{name}", "out-of-range")]


@pytest.mark.field("H-11")
@pytest.mark.parametrize("digits", [20, 21, 25, 308, 309, 5_000])
@pytest.mark.parametrize("sign", ["", "-"])
def test_an_integer_that_would_be_rounded_is_out_of_range(digits, sign):
    body = b'{"device":"7","measured_at":"2026-01-05T12:00:00Z","readings":{"n":%s%s}}'

    found = decoded("json", body % (sign.encode(), b"9" * digits))

    assert faults(found) == [("/readings/n", "out-of-range")]


@pytest.mark.field("H-11")
def test_an_integer_that_would_be_rounded_is_dropped_with_a_note_where_nobody_is_refused():
    body = b'{"_type":"location","topic":"owntracks/a/b","lat":52.1,"lon":4.3,"n":%s}'

    found = decoded("owntracks", body % (b"9" * 25))

    assert "custom.n" not in only(found).readings
    assert found.notes["dropped_readings"] == ["custom.n"]
