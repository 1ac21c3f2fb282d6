"""Recent uplinks, beside observations: joins, notes, and outcomes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.device_registry import Registry
from tests.builders import NINE, TEN, device_on, make_source
from tests.ingest.senders import observation
from tests.intake.sqlite_log import SqliteLog
from tests.intake.test_intake import drained, origin_of, submitted, uplink
from tracker.intake.delivery_factory import DeliveryFactory
from tracker.intake.intake_log import IntakeLog
from tracker.intake.quotas import Quota
from tracker.intake.recent_uplink_recorder import MAX_PER_S, RecentUplinkRecorder
from tracker.road.road_memory import RoadMemory
from uplinks.recent import RecentUplink
from wire.notes import bounded_notes
from wire.registry import FORMATS
from wire.uplink import Decoded, Uplink

pytestmark = pytest.mark.django_db(transaction=True)

EUI = "0102030405060708"


class Kept(list[tuple[RecentUplink, list[str]]]):
    """A keeper that keeps all in memory, with whose lists each goes to."""

    def __call__(self, uplink: RecentUplink, registered: Sequence[str]) -> None:
        self.append((uplink, list(registered)))

    @property
    def uplinks(self) -> list[RecentUplink]:
        return [each for each, _ in self]


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def log(tmp_path: Path) -> IntakeLog:
    return SqliteLog(tmp_path / "log", 1 << 20)


def event(kind: str, device: str, **members: Any) -> Uplink:
    """An event of ChirpStack."""
    sent = {"deviceInfo": {"devEui": device}, "time": NINE.isoformat(), **members}
    found = uplink(sent)
    return msgspec.structs.replace(found, query=f"event={kind}")


# --- by way of the intake -------------------------------------------------------


@pytest.fixture
def network(north):
    return make_source(north, "chirpstack", name="network server")[0]


@pytest.fixture
def logger(north):
    return make_source(north, "json", name="logger")[0]


@pytest.mark.field("S-42")
@pytest.mark.parametrize(
    ("kind", "members", "note"),
    [
        ("join", {"devAddr": "00189440"}, ("dev_addr", "00189440")),
        ("log", {"level": "ERROR", "code": "UPLINK_CODEC"}, ("code", "UPLINK_CODEC")),
        ("ack", {"queueItemId": "1", "acknowledged": True}, ("acknowledged", True)),
    ],
)
def test_what_makes_no_observation_is_seen_with_its_device(
    log, kept, network, van, kind, members, note
):
    identifier = device_on(van).identifier

    submitted(log, network, [event(kind, identifier, **members)], keep_uplink=kept)

    ((seen, registered),) = kept
    assert (seen.message, seen.dispositions, registered) == (kind, {}, [identifier])
    assert seen.notes[note[0]] == note[1]


def test_the_notes_of_an_uplink_are_kept_with_its_outcomes(log, kept, network, van):
    heard = [{"gatewayId": "gw-7", "rssi": -60}]
    sent = event("up", device_on(van).identifier, object={"temperature": 5}, rxInfo=heard)

    submitted(log, network, [sent, sent], keep_uplink=kept)

    assert [each.dispositions for each in kept.uplinks] == [{"stored": 1}, {"duplicate": 1}]
    assert kept.uplinks[0].notes["best_gateway"]["id"] == "gw-7"


def test_a_device_that_nobody_registered_fills_no_list_of_its_own(log, kept, network):
    submitted(log, network, [event("up", EUI, object={"temperature": 5})], keep_uplink=kept)

    ((seen, registered),) = kept
    assert (seen.devices, seen.codes, registered) == ((EUI,), ("unknown-device",), [])


def test_of_plain_reports_the_source_shows_one_a_second(log, kept, logger, van):
    identifier = device_on(van).identifier
    reports = [uplink(observation(identifier, at)) for at in (NINE, TEN)]

    submitted(log, logger, reports, keep_uplink=kept)

    ((seen, registered),) = kept
    assert (seen.dispositions, registered) == ({"stored": 1}, [])


def test_what_a_sender_must_mend_is_seen_with_the_reason(log, kept, logger):
    submitted(log, logger, [uplink(b"{"), uplink(b"{")], keep_uplink=kept)

    (seen,) = kept.uplinks
    assert (seen.message, seen.codes) == ("refused", ("malformed-json",))


def test_what_had_to_wait_is_seen_once_it_is_known_what_became_of_it(log, kept, network, van):
    memory = RoadMemory()
    memory.registry.refresh()
    factory = DeliveryFactory(
        memory.registry, Quota(10), RecentUplinkRecorder(memory.registry, kept)
    )
    join = event("join", device_on(van).identifier)
    log.append([factory.make(join, origin_of(network), FORMATS["chirpstack"])])

    before = len(kept)
    drained(log, keep_uplink=kept)

    assert before == 0
    assert [each.message for each in kept.uplinks] == ["join"]


# --- how much of it --------------------------------------------------------------


def test_beyond_a_rate_a_source_shows_one_a_second(kept, network):
    recorder = RecentUplinkRecorder(Registry(), kept)
    join = Decoded(message="join", device=EUI, notes={"a": 1})
    wire_format, sent = FORMATS["chirpstack"], event("join", EUI)

    summaries = [
        recorder.summarise_if_due(sent, join, origin_of(network), wire_format)
        for _ in range(20 * MAX_PER_S)
    ]

    assert MAX_PER_S <= sum(each is not None for each in summaries) <= 3 * MAX_PER_S


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=30,
)


@pytest.mark.fault("F-026")
@given(st.dictionaries(st.text(), _json))
def test_any_notes_can_be_written(notes):
    found = bounded_notes(notes)

    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found)) == found
    assert json.loads(msgspec.json.encode(found)) == found


def test_notes_that_are_few_stay_as_they_are():
    notes = {"best_gateway": {"id": "gw", "lat": 52.1}, "tags": {"a": ["b", 1, True, None]}}

    assert bounded_notes(notes) == notes


@pytest.mark.fault("F-026")
@pytest.mark.parametrize(
    "notes",
    [
        {"text": "x" * 1_000_000},
        {f"k{number}": number for number in range(100_000)},
        {"list": [["y" * 10_000] * 1_000] * 1_000},
    ],
)
def test_notes_without_end_are_cut_off(notes):
    assert len(msgspec.json.encode(bounded_notes(notes))) < 200_000
