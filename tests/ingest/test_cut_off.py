"""The wire to the database is cut: what is acknowledged meanwhile is on disk and comes in later."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from assets.models import Source
from tests.builders import MORNING, NINE, TEN
from tests.ingest.hardships import Wire
from tests.ingest.world import (
    Answer,
    Ingest,
    Sender,
    assert_books_balance,
    eventually,
    know,
    make_sender,
    running,
)
from tracker.intake.spool import QUARANTINED


@pytest.fixture
def far_sender(far_ingest: Ingest) -> Sender:
    sender = make_sender()
    know(far_ingest, sender)
    return sender


def drained(ingest: Ingest) -> None:
    eventually(ingest.is_drained, why=f"it stays in the spool: {ingest.log[-2000:]}")


def spool_three(ingest: Ingest, wire: Wire, sender: Sender) -> list[Answer]:
    """Send three uplinks while the wire is cut, each after the other's answer."""
    wire.cut()
    return [ingest.post(sender.path, sender.says(MORNING + timedelta(hours=n))) for n in range(3)]


@pytest.mark.fault("F-153", "F-148")
def test_what_comes_while_the_wire_is_cut_is_spooled_and_then_stored(far_ingest, wire, far_sender):
    names = ("spooled_observations_total", "drained_observations_total")
    before = [far_ingest.metric(name) for name in names]
    answers = spool_three(far_ingest, wire, far_sender)
    readiness = far_ingest.ask("GET", "/readyz")

    wire.mend()
    drained(far_ingest)

    assert {answer.status for answer in answers} == {202}
    assert {answer.json()["disposition"] for answer in answers} == {"spooled"}
    assert readiness.status == 503
    assert len(far_sender.positions()) == 3
    assert far_sender.books() == {"received": 3, "stored": 3}
    assert [far_ingest.metric(name) for name in names] == [n + 3 for n in before]
    assert far_ingest.post(far_sender.path, far_sender.says(TEN + timedelta(hours=9))).status == 200
    assert far_ingest.ask("GET", "/readyz").status == 200


def test_a_hook_is_answered_in_its_own_words_also_from_the_spool(far_ingest, wire):
    phone = make_sender("owntracks", unknown_devices=Source.UnknownDevices.REGISTER)
    know(far_ingest, phone)
    wire.cut()

    said = {"_type": "location", "lat": 1, "lon": 2, "tst": int(NINE.timestamp()), "tid": "x"}
    answer = far_ingest.post(phone.path, said)

    wire.mend()
    drained(far_ingest)
    assert (answer.status, answer.body) == (200, b"[]")
    assert [row.measured_at for row in phone.positions()] == [NINE]


def test_what_cannot_be_used_is_said_at_once_and_kept_later(far_ingest, wire, far_sender):
    wire.cut()

    unknown = far_ingest.post(far_sender.path, far_sender.says(device="unknown"))
    wrong = far_ingest.post(far_sender.path, far_sender.says(lat=91))

    wire.mend()
    drained(far_ingest)
    assert (unknown.status, wrong.status) == (202, 422)
    assert [kept.reason for kept in far_sender.set_aside()] == ["unknown-device"]
    assert far_sender.books() == {"received": 2, "set_aside": 1, "refused": 1}


@pytest.mark.fault("F-154")
def test_a_commit_whose_answer_is_lost_is_stored_once(far_ingest, wire, far_sender):
    before = far_ingest.metric("drained_observations_total")
    wire.swallow()

    answer = far_ingest.post(far_sender.path, far_sender.says())

    eventually(lambda: far_ingest.metric("drained_observations_total") == before + 1)
    again = far_ingest.post(far_sender.path, far_sender.says())
    assert wire.swallowed == 1
    assert answer.status == 202
    assert (again.status, again.json()["disposition"]) == (200, "duplicate")
    assert len(far_sender.positions()) == 1
    assert_books_balance(far_sender)


def test_a_successor_takes_up_the_spool_of_a_killed_process(far_ingest, wire, far_sender):
    answers = spool_three(far_ingest, wire, far_sender)
    far_ingest.kill()
    wire.mend()

    far_ingest.start()

    drained(far_ingest)
    assert {answer.status for answer in answers} == {202}
    assert len(far_sender.positions()) == 3
    assert_books_balance(far_sender)


def test_a_neighbour_takes_up_the_spool_of_a_killed_process(far_ingest, wire, far_sender):
    spool_three(far_ingest, wire, far_sender)
    far_ingest.kill()
    wire.mend()

    with running(Ingest(wire.url, far_ingest.spool)) as neighbour:
        drained(neighbour)

    assert len(far_sender.positions()) == 3


def test_a_damaged_record_is_quarantined_and_the_others_are_stored(far_ingest, wire, far_sender):
    spool_three(far_ingest, wire, far_sender)
    far_ingest.kill()
    (file,) = far_ingest.spool.glob("*.spool")
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    file.write_bytes(raw)
    wire.mend()

    far_ingest.start()

    drained(far_ingest)
    hours = [row.measured_at - MORNING for row in far_sender.positions()]
    assert hours == [timedelta(hours=0), timedelta(hours=2)]
    assert [kept.read_bytes() for kept in far_ingest.spool.glob(f"*{QUARANTINED}")] == [bytes(raw)]
    assert "spool record damaged" in far_ingest.log


def test_half_a_record_at_the_end_costs_no_other(far_ingest, wire, far_sender):
    spool_three(far_ingest, wire, far_sender)
    far_ingest.kill()
    (file,) = far_ingest.spool.glob("*.spool")
    file.write_bytes(file.read_bytes() + b"\x40\x00\x00\x00half")
    wire.mend()

    far_ingest.start()

    drained(far_ingest)
    assert len(far_sender.positions()) == 3


def test_a_full_spool_says_when_to_come_again(database, tmp_path):
    settings = {"SPOOL_MAX_BYTES": "400"}
    # A wire of its own: to cut the shared one would disturb the process of the other tests.
    wire = Wire(database)
    wire.open()
    small = Ingest(wire.url, tmp_path / "spool", settings)
    with closing(wire), running(small) as ingest:
        sender = make_sender()
        know(ingest, sender)

        answers = spool_three(ingest, wire, sender)
        wire.mend()
        drained(ingest)
        after = ingest.post(sender.path, sender.says(TEN))

    assert [answer.status for answer in answers] == [202, 503, 503]
    assert answers[-1].code == "unavailable"
    assert int(answers[-1].headers["retry-after"]) > 0
    assert after.status == 200
    assert len(sender.positions()) == 2
    assert_books_balance(sender)


# --- a database that answers, but not as hoped -----------------------------------


@contextmanager
def failing(table: str, when: str, state: str, times: int = 1_000_000) -> Iterator[None]:
    """Let writes to a table fail with an SQLSTATE, so many times, where a row is as described."""
    # A sequence is the one counter that no rollback turns back.
    script = f"""
        CREATE SEQUENCE failures;
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('failures') <= {times} THEN
                RAISE EXCEPTION 'injected' USING ERRCODE = '{state}';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER fails BEFORE INSERT OR UPDATE ON {table}
            FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION fail();
    """
    with connection.cursor() as cursor:
        cursor.execute(script)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION fail() CASCADE; DROP SEQUENCE failures")


@pytest.mark.fault("F-156")
@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_deadlock_or_a_serialization_failure_is_tried_again(far_ingest, far_sender, state):
    with failing("uplinks_sourcecount", f"NEW.source_id = {far_sender.source.pk}", state, 2):
        answer = far_ingest.post(far_sender.path, far_sender.says())

    assert (answer.status, answer.json()["disposition"]) == (200, "stored")
    assert far_sender.books() == {"received": 1, "stored": 1}


@pytest.mark.fault("F-156")
def test_deadlocks_without_end_are_left_to_the_spool(far_ingest, far_sender):
    with failing("uplinks_sourcecount", f"NEW.source_id = {far_sender.source.pk}", "40P01"):
        answer = far_ingest.post(far_sender.path, far_sender.says())

    drained(far_ingest)
    assert answer.status == 202
    assert far_sender.books() == {"received": 1, "stored": 1}


def unstorable(sender: Sender) -> Any:
    return failing("positions_position", f"NEW.device_id = {sender.device.pk}", "22003")


@pytest.mark.field("H-3")
def test_an_uplink_that_cannot_be_stored_is_refused_and_hurts_no_neighbour(far_ingest, far_sender):
    neighbour = make_sender()
    know(far_ingest, neighbour)

    with unstorable(far_sender):
        bad = far_ingest.post(far_sender.path, far_sender.says())
        good = far_ingest.post(neighbour.path, neighbour.says())

    assert (bad.status, bad.code) == (422, "unstorable")
    assert good.status == 200
    assert far_sender.books() == {"received": 1, "refused": 1}
    assert far_ingest.is_drained()
    assert far_ingest.ask("GET", "/readyz").status == 200


def test_a_hook_that_cannot_be_stored_is_set_aside(far_ingest):
    phone = make_sender("owntracks")
    know(far_ingest, phone)
    said = {"_type": "location", "lat": 1, "lon": 2, "tst": int(NINE.timestamp())}
    topic = {"topic": f"owntracks/fleet/{phone.device.identifier}"}
    know(far_ingest, phone, f"fleet/{phone.device.identifier}")

    with failing("positions_position", "true", "22003"):
        answer = far_ingest.post(phone.path, said | topic)

    assert (answer.status, answer.body) == (200, b"[]")
    assert [kept.reason for kept in phone.set_aside()] == ["unstorable"]
    assert phone.books() == {"received": 1, "set_aside": 1}


def test_a_spooled_uplink_that_cannot_be_stored_is_quarantined_and_holds_up_no_other(
    far_ingest, wire, far_sender
):
    neighbour = make_sender()
    know(far_ingest, neighbour)
    wire.cut()
    with unstorable(far_sender):
        far_ingest.post(far_sender.path, far_sender.says())
        far_ingest.post(neighbour.path, neighbour.says())
        wire.mend()

        drained(far_ingest)

    assert len(neighbour.positions()) == 1
    assert far_sender.positions() == []
    assert len(list(far_ingest.spool.glob(f"*{QUARANTINED}"))) == 1


# --- Redis -----------------------------------------------------------------------


@pytest.mark.fault("F-151")
def test_a_redis_that_hangs_holds_nobody_up(start):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        ingest = start(REDIS_URL=f"redis://127.0.0.1:{deaf.getsockname()[1]}/0")
        sender = make_sender()
        know(ingest, sender)
        for n in range(50):
            answer = ingest.post(sender.path, sender.says(MORNING + timedelta(seconds=n)))
            assert answer.status == 200

    assert len(sender.positions()) == 50
