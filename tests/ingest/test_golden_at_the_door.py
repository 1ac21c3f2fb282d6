"""Every captured message, posted as its sender posts it, is in the table as it was meant."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from assets.models import Source
from core.observation import Fix, Observation, Scans
from positions.models import Position
from tests.builders import make_device
from tests.ingest.world import (
    Answer,
    Database,
    Ingest,
    Sender,
    assert_books_balance,
    know,
    make_sender,
)
from wire.quantities import mapping
from wire.registry import FORMATS
from wire.sample_comparison import SampleComparison
from wire.samples import FORMAT_OF_FOLDER, uplink_of_sample
from wire.uplink import Uplink

SAMPLES = Path(__file__).parents[2] / "fixtures" / "samples"
NOW = datetime.now(UTC)


def _samples() -> list[Any]:
    return [
        pytest.param(index.parent, entry, id=f"{index.parent.name}-{entry['file']}")
        for index in sorted(SAMPLES.glob("*/index.json"))
        if index.parent.name in FORMAT_OF_FOLDER
        for entry in json.loads(index.read_bytes())["samples"]
        if "by us" not in entry["method"]
    ]


def _expected(folder: Path, entry: dict[str, Any]) -> dict[str, Any]:
    entries = json.loads((folder / "index.json").read_bytes())["samples"]
    by_file = {one["file"]: one for one in entries}
    expect = mapping(entry.get("expect"))
    same_as = expect.get("same_as")
    return dict(by_file[same_as]["expect"] if same_as else expect)


def _uplink(folder: Path, entry: dict[str, Any], received_at: datetime = NOW) -> Uplink:
    content = (folder / entry["file"]).read_bytes()
    return uplink_of_sample(entry, _expected(folder, entry), content, received_at=received_at)


def _post(ingest: Ingest, sender: Sender, uplink: Uplink) -> Answer:
    headers = {name: value for name, value in uplink.headers.items() if name.startswith("x-")}
    if uplink.content_type:
        headers["Content-Type"] = uplink.content_type
    path = f"{sender.path}?{uplink.query}" if uplink.query else sender.path
    method = "POST" if uplink.body else FORMATS[sender.source.wire_format].methods[0]
    return ingest.ask(method, path, uplink.body or None, headers)


def _observation(row: Position) -> Observation:
    fix = None
    if row.point is not None:
        names = ("altitude_m", "accuracy_m", "speed_mps", "course_deg", "method")
        more = {name: getattr(row, name) for name in names}
        fix = Fix(lon_deg=row.point.x, lat_deg=row.point.y, **more)
    return Observation(
        device=row.device.identifier,
        measured_at=row.measured_at,
        time_source=row.time_source,  # type: ignore[arg-type]
        reported_at=row.reported_at,
        fix=fix,
        readings=row.readings,
        scans=row.scans and msgspec.convert(row.scans, Scans),
    )


def _sender_of(folder: Path, entry: dict[str, Any]) -> Sender:
    """Return a sender of the format, whose devices are those that the message names."""
    name = FORMAT_OF_FOLDER[folder.name]
    sender = make_sender(name)
    decoded = FORMATS[name].decode(_uplink(folder, entry))
    for identifier in {observation.device for observation in decoded.observations}:
        make_device(sender.organisation, identifier)
    return sender


@pytest.fixture(scope="module")
def senders(
    shared_ingest: Ingest, ingest_database: Database, django_db_blocker: Any
) -> dict[str, list[Sender]]:
    """Return two senders for each captured message."""
    with django_db_blocker.unblock(), ingest_database.in_use():
        found = {
            str(sample.id): [_sender_of(*sample.values) for _ in range(2)] for sample in _samples()
        }
        know(shared_ingest, list(found.values())[-1][1])
    return found


@pytest.mark.parametrize(("folder", "entry"), _samples())
@pytest.mark.fault("F-162")
def test_a_captured_message_is_in_the_table_as_it_was_meant(ingest, senders, folder, entry):
    sender = senders[f"{folder.name}-{entry['file']}"][0]

    answer = _post(ingest, sender, _uplink(folder, entry))

    assert answer.status in (200, 202)
    rows = [_observation(row) for row in sender.positions()]
    received_at = sender.positions()[0].received_at if rows else NOW
    decoded = FORMATS[sender.source.wire_format].decode(_uplink(folder, entry, received_at))
    wanted = [structs.replace(one, event_id=None) for one in decoded.observations]
    assert rows == sorted(wanted, key=lambda one: one.measured_at)
    meant = SampleComparison(
        structs.replace(decoded, observations=tuple(rows)), received_at=received_at
    )
    meant.compare_decoded(_expected(folder, entry))
    assert meant.differences == []
    assert_books_balance(sender)


@pytest.mark.parametrize(("folder", "entry"), _samples())
def test_a_captured_message_is_answered_as_its_sender_needs(ingest, senders, folder, entry):
    sender = senders[f"{folder.name}-{entry['file']}"][1]
    wanted = FORMATS[sender.source.wire_format].success_body

    answers = [_post(ingest, sender, _uplink(folder, entry)) for _ in range(2)]

    assert all(answer.status in (200, 202) for answer in answers)
    assert wanted is None or [(a.status, a.body) for a in answers] == [(200, wanted)] * 2


@pytest.mark.fault("F-163", "F-002")
def test_a_captured_uplink_again_is_a_duplicate(ingest):
    folder = SAMPLES / "ttn"
    entry = json.loads((folder / "index.json").read_bytes())["samples"][0]
    sender = _sender_of(folder, entry)
    know(ingest, sender)
    _post(ingest, sender, _uplink(folder, entry))

    again = _post(ingest, sender, _uplink(folder, entry))

    assert (again.status, again.json()["disposition"]) == (200, "duplicate")
    assert sender.books() == {"received": 2, "stored": 1, "duplicate": 1}


@pytest.mark.parametrize("folder", ["ttn", "chirpstack", "owntracks", "traccar-forward"])
@pytest.mark.fault("F-161")
def test_an_uplink_of_an_unknown_device_is_kept_with_its_bytes(ingest, folder):
    entry = json.loads((SAMPLES / folder / "index.json").read_bytes())["samples"][0]
    sent = _uplink(SAMPLES / folder, entry)
    sender = make_sender(FORMAT_OF_FOLDER[folder])
    know(ingest, sender)

    answer = _post(ingest, sender, sent)

    wants = FORMATS[FORMAT_OF_FOLDER[folder]].success_body
    assert (answer.status, answer.body) == (200, wants) if wants else answer.status == 202
    assert sender.positions() == []
    (kept,) = sender.set_aside()
    assert (kept.reason, bytes(kept.body), kept.query) == ("unknown-device", sent.body, sent.query)
    assert sender.books() == {"received": 1, "set_aside": 1}


def test_a_device_that_its_source_may_register_is_known_from_its_first_uplink(ingest):
    entry = json.loads((SAMPLES / "ttn" / "index.json").read_bytes())["samples"][0]
    sender = make_sender("ttn", unknown_devices=Source.UnknownDevices.REGISTER)
    know(ingest, sender)

    answer = _post(ingest, sender, _uplink(SAMPLES / "ttn", entry))

    assert (answer.status, answer.json()["disposition"]) == (200, "stored")
    assert len(sender.positions()) == 1


def _chirpstack(ingest: Ingest, sender: Sender, event: str, **members: Any) -> Answer:
    sent = {
        "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
        "time": "2026-01-05T12:00:00Z",
        "deviceInfo": {"devEui": sender.device.identifier},
    }
    return ingest.post(f"{sender.path}?event={event}", sent | members)


@pytest.mark.fault("F-004", "F-162")
def test_the_status_that_came_with_an_uplink_is_not_taken_for_it(ingest):
    sender = make_sender("chirpstack")
    know(ingest, sender)

    answers = [
        _chirpstack(ingest, sender, "up", object={"latitude": 52.1, "longitude": 4.3}),
        _chirpstack(ingest, sender, "status", margin=5, batteryLevel=80),
    ]

    assert [answer.status for answer in answers] == [200, 200]
    placed, charged = sorted(sender.positions(), key=lambda row: row.point is None)
    assert placed.point is not None
    assert (placed.point.y, charged.readings["battery.level"]) == (52.1, 80)
    assert sender.set_aside() == []


@pytest.mark.fault("F-162")
@pytest.mark.parametrize("event", ["join", "ack", "txack", "log"])
def test_what_is_no_uplink_is_accepted_and_noted(ingest, event):
    sender = make_sender("chirpstack")
    know(ingest, sender)

    answer = _chirpstack(ingest, sender, event)

    assert (answer.status, answer.json()["received"]) == (202, 0)
    assert (sender.positions(), sender.set_aside()) == ([], [])


@pytest.mark.fault("F-167")
def test_a_payload_of_too_many_members_is_kept_with_its_bytes(ingest):
    sender = make_sender("chirpstack")
    know(ingest, sender)

    answer = _chirpstack(ingest, sender, "up", object={f"k{i}": i for i in range(20_000)})

    assert answer.status == 202
    (kept,) = sender.set_aside()
    assert (kept.reason, b"k19999" in bytes(kept.body)) == ("decode-failed", True)
