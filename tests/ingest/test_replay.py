"""Taking up what was set aside: once, as if it had arrived then, and the books balance."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest
from django.db import DataError, connection

from assets import actions
from geofence.actions import draw_geofence
from tests.builders import MORNING, NINE, NOON, TEN, make_source, make_van
from tests.ingest.senders import arrive, books, observation, owntracks, stored, waiting
from tests.road.scenes import deliver, kinds_of, outside, square
from uplinks import books as uplinks_books
from uplinks.books import Counts
from uplinks.models import SetAside

UPLINKS = "/api/v1/uplinks/"
ARRIVED = MORNING + timedelta(days=1)


@pytest.fixture
def otto(api, operator):
    return api(operator)


@pytest.fixture
def gateway(north):
    return make_source(north, "owntracks", name="gateway")[0]


@pytest.fixture
def logger(north):
    """Return a source that sends batches in our own JSON."""
    return make_source(north, "json", name="logger")[0]


def replay(client, uplink):
    return client.post(f"{UPLINKS}{uplink.pk}/replay/")


def replay_all(client, **query):
    path = "&".join(f"{name}={value}" for name, value in query.items())
    return client.post(f"{UPLINKS}replay/?{path}").json()


def test_once_the_device_is_registered_its_uplink_becomes_a_position(otto, north, gateway):
    arrive(gateway, owntracks("stray", NINE))
    make_van(north, "newcomer", "fleet/stray")

    answer = replay(otto, waiting(north)[0]).json()

    assert (answer["is_taken_up"], answer["disposition"]) == (True, "stored")
    (position,) = stored(north)
    assert (position.measured_at, position.received_at) == (NINE, ARRIVED)
    assert not waiting(north).exists()


def test_a_replayed_uplink_moves_from_set_aside_to_stored(otto, north, gateway):
    arrive(gateway, owntracks("stray", NINE))
    before = books(gateway)
    make_van(north, "newcomer", "fleet/stray")

    replay(otto, waiting(north)[0])

    assert before == {"received": 1, "set_aside": 1}
    assert books(gateway) == {"received": 1, "stored": 1}


def test_what_was_stored_meanwhile_becomes_a_duplicate(otto, north, gateway):
    arrive(gateway, owntracks("stray", NINE))
    make_van(north, "newcomer", "fleet/stray")
    arrive(gateway, owntracks("stray", NINE))

    replay(otto, waiting(north)[0])

    assert books(gateway) == {"received": 2, "stored": 1, "duplicate": 1}


def test_what_is_still_of_no_use_goes_on_waiting(otto, north, gateway):
    arrive(gateway, owntracks("stray", NINE))

    answer = replay(otto, waiting(north)[0]).json()

    assert (answer["is_taken_up"], answer["set_aside"]) == (False, 1)
    assert answer["results"][0]["code"] == "unknown-device"
    assert waiting(north).count() == 1
    assert books(gateway) == {"received": 1, "set_aside": 1}


def test_an_uplink_that_still_cannot_be_read_goes_on_waiting(otto, north, gateway):
    arrive(gateway, orjson.dumps({"_type": "location", "tst": 1, "lat": 1, "lon": 2}))
    (row,) = waiting(north)

    answer = replay(otto, row).json()

    assert answer["is_taken_up"] is False
    assert answer["results"][0]["code"] == row.reason
    assert books(gateway) == {"received": 1, "set_aside": 1}


def test_an_uplink_is_taken_up_once(otto, north, gateway):
    arrive(gateway, owntracks("stray", NINE))
    make_van(north, "newcomer", "fleet/stray")
    (row,) = waiting(north)
    replay(otto, row)

    again = replay(otto, row)

    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert books(gateway) == {"received": 1, "stored": 1}


def test_it_is_judged_as_the_late_fact_that_it_is(otto, north, gateway):
    draw_geofence(
        organisation=north, name="depot", shape=square(), valid_from=MORNING - timedelta(days=1)
    )
    arrive(gateway, owntracks("stray", TEN))
    newcomer = make_van(north, "newcomer", "fleet/stray")
    deliver(north, [outside(newcomer, NINE), outside(newcomer, NOON)])

    replay(otto, waiting(north)[0])

    assert kinds_of(newcomer) == [("enter", TEN), ("exit", NOON)]


def test_of_a_batch_only_the_part_that_waits_is_replayed(otto, north, van, logger):
    known = van.assignments.get().device.identifier
    arrive(
        logger,
        orjson.dumps(
            [
                observation(known, NINE),
                observation("first", NINE),
                observation("first", TEN),
                observation("second", NINE),
                observation(known, NINE, lat=91),
            ]
        ),
    )
    make_van(north, "newcomer", "first")

    answer = replay(otto, waiting(north).get(device_identifier="first")).json()

    assert [answer[name] for name in ("received", "stored")] == [2, 2]
    assert [row.device_identifier for row in waiting(north)] == ["second"]
    assert books(logger) == {"received": 5, "stored": 3, "set_aside": 1, "refused": 1}


def test_a_batch_that_is_taken_up_in_part_waits_with_the_rest(otto, north, logger):
    sent = [observation("stray", NINE, event_id="a"), observation("stray", TEN, event_id="b")]
    arrive(logger, orjson.dumps(sent))
    newcomer = make_van(north, "newcomer", "stray")
    deliver(north, [outside(newcomer, NOON, event_id="b")])

    answer = replay(otto, waiting(north)[0]).json()

    assert [answer[name] for name in ("stored", "set_aside")] == [1, 1]
    assert answer["results"][1] == {
        "index": 1,
        "disposition": "set-aside",
        "code": "event-id-reused",
    }
    assert [row.observations for row in waiting(north)] == [1]
    assert books(logger) == {"received": 2, "stored": 1, "set_aside": 1}


def test_to_try_the_rest_again_counts_nothing_twice(otto, north, logger):
    sent = [observation("stray", NINE, event_id="a"), observation("stray", TEN, event_id="b")]
    arrive(logger, orjson.dumps(sent))
    newcomer = make_van(north, "newcomer", "stray")
    deliver(north, [outside(newcomer, NOON, event_id="b")])
    replay(otto, waiting(north)[0])

    answer = replay(otto, waiting(north)[0]).json()

    assert [answer[name] for name in ("duplicate", "set_aside")] == [1, 1]
    assert books(logger) == {"received": 2, "stored": 1, "set_aside": 1}


def test_what_could_not_be_read_and_turns_out_to_be_more_is_counted(otto, north, van):
    known = van.assignments.get().device.identifier
    repaired, _ = make_source(north, "json", name="repaired")
    uplinks_books.count({(repaired.pk, ARRIVED.date()): Counts(set_aside=1)})
    SetAside.objects.create(
        organisation=north,
        source=repaired,
        received_at=ARRIVED,
        reason="unreadable",
        content_type="application/json",
        body=orjson.dumps([observation(known, NINE), observation(known, TEN)]),
        digest=b"1",
        observations=1,
    )

    answer = replay(otto, waiting(north)[0]).json()

    assert (answer["is_taken_up"], answer["stored"]) == (True, 2)
    assert books(repaired) == {"received": 2, "stored": 2}


def test_a_source_that_registers_devices_registers_them_now(otto, north, gateway):
    arrive(gateway, owntracks("stray", NINE))
    actions.change_source(source=gateway, unknown_devices="register")

    replay(otto, waiting(north)[0])

    assert [row.device.identifier for row in stored(north)] == ["fleet/stray"]


# --- many at once ----------------------------------------------------------------


def test_all_that_wait_for_a_device_are_taken_up_at_once(otto, north, gateway):
    arrive(gateway, owntracks("stray", NINE))
    arrive(gateway, owntracks("stray", TEN))
    arrive(gateway, owntracks("other", TEN))
    make_van(north, "newcomer", "fleet/stray")

    answer = replay_all(otto, device="fleet/stray")

    assert (answer["tried"], answer["taken_up"], answer["after"]) == (2, 2, None)
    assert [row.measured_at for row in stored(north)] == [NINE, TEN]
    assert [row.device_identifier for row in waiting(north)] == ["fleet/other"]
    assert books(gateway) == {"received": 3, "stored": 2, "set_aside": 1}


def test_what_comes_after_the_first_hundred_is_asked_for_next(otto, north, gateway):
    arrivals = [
        arrive(gateway, owntracks("stray", NINE + number * timedelta(seconds=1)))
        for number in range(101)
    ]

    first = replay_all(otto)
    rest = replay_all(otto, after=first["after"])

    assert (first["tried"], rest["tried"], rest["after"]) == (100, len(arrivals) - 100, None)


def test_one_that_cannot_be_stored_leaves_its_neighbours_alone(otto, north, gateway):
    arrive(gateway, owntracks("stray", NINE))
    arrive(gateway, owntracks("stray", TEN))
    make_van(north, "newcomer", "fleet/stray")

    with connection.execute_wrapper(refusing_nine):
        answer = replay_all(otto)

    assert [each["is_taken_up"] for each in answer["replays"]] == [False, True]
    assert [row.measured_at for row in stored(north)] == [TEN]
    assert books(gateway) == {"received": 2, "stored": 1, "set_aside": 1}


def refusing_nine(execute, sql, parameters, *more):
    if "INSERT INTO positions_position" in str(sql) and "T09:00" in str(parameters):
        raise DataError("no such hour")
    return execute(sql, parameters, *more)


def test_nothing_of_a_replay_that_fails_is_left_behind(otto, north, gateway):
    arrive(gateway, owntracks("stray", NINE))
    make_van(north, "newcomer", "fleet/stray")

    with connection.execute_wrapper(refusing_books):
        answer = replay(otto, waiting(north)[0])

    assert answer.status_code == 422
    assert stored(north) == []
    assert waiting(north).count() == 1
    assert books(gateway) == {"received": 1, "set_aside": 1}


def refusing_books(execute, sql, *more):
    if "INSERT INTO uplinks_sourcecount" in str(sql):
        raise DataError("out of range")
    return execute(sql, *more)
