"""Group A of the fault catalogue at the hot door: what a body may do to it."""

from __future__ import annotations

import json
import random
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders import MORNING, NINE, NOON
from tests.ingest.world import (
    Answer,
    Client,
    Ingest,
    Sender,
    assert_books_balance,
    know,
    make_sender,
)
from wire.registry import FORMATS
from wire.samples import FORMAT_OF_FOLDER, uplink_of_sample

SAMPLES = Path(__file__).parents[2] / "fixtures" / "samples"


@pytest.fixture
def say(ingest: Ingest, sender: Sender) -> Any:
    """Return a function that posts a body as the sender."""

    def said(body: Any, content_type: str = "application/json") -> Answer:
        return ingest.post(sender.path, body, content_type)

    return said


@pytest.mark.fault("F-001")
def test_one_fix_with_what_is_needed_is_stored(say, sender):
    answer = say(sender.says())

    assert (answer.status, answer.json()["disposition"]) == (200, "stored")
    (row,) = sender.positions()
    assert row.measured_at == NINE
    assert sender.books() == {"received": 1, "stored": 1}


@pytest.mark.fault("F-002", "F-005")
@pytest.mark.parametrize("name", [{}, {"event_id": "e-1"}])
def test_the_same_uplink_again_is_a_duplicate(say, sender, name):
    say(sender.says(**name))

    again = say(sender.says(**name))

    assert (again.status, again.json()["disposition"]) == (200, "duplicate")
    (row,) = sender.positions()
    (result,) = again.json()["results"]
    first = {"device": row.device_id, "measured_at": f"{row.measured_at:%Y-%m-%dT%H:%M:%S.%fZ}"}
    assert result["position"] == first
    assert sender.books() == {"received": 2, "stored": 1, "duplicate": 1}


@pytest.mark.fault("F-003")
def test_of_twenty_copies_at_once_one_is_stored(ingest, sender):
    gate = threading.Barrier(20)

    def send(_: int) -> Answer:
        with closing(Client(ingest.port)) as client:
            client.wire.connect()
            gate.wait()
            return client.post(sender.path, sender.says(event_id="once"))

    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(send, range(20)))

    assert {answer.status for answer in answers} == {200}
    dispositions = sorted(answer.json()["disposition"] for answer in answers)
    assert dispositions == ["duplicate"] * 19 + ["stored"]
    assert len(sender.positions()) == 1
    assert_books_balance(sender)


@pytest.mark.fault("F-004")
def test_an_event_id_with_other_content_is_refused(say, sender):
    say(sender.says(event_id="e-1", lat=50.0))

    answer = say(sender.says(event_id="e-1", lat=51.0))

    assert (answer.status, answer.code) == (422, "event-id-reused")
    assert [row.point.y for row in sender.positions()] == [50.0]


@pytest.mark.fault("F-004")
def test_a_hook_with_a_reused_event_id_is_set_aside(ingest):
    phone = make_sender("owntracks")
    know(ingest, phone)
    fix = {"_type": "location", "topic": f"owntracks/fleet/{phone.device.identifier}", "lon": 9}
    know(ingest, phone, f"fleet/{phone.device.identifier}")
    ingest.post(phone.path, fix | {"_id": "a", "lat": 50, "tst": int(NINE.timestamp())})

    answer = ingest.post(phone.path, fix | {"_id": "a", "lat": 51, "tst": int(NOON.timestamp())})

    assert (answer.status, answer.body) == (200, b"[]")
    assert [kept.reason for kept in phone.set_aside()] == ["event-id-reused"]
    assert [row.measured_at for row in phone.positions()] == [NINE]


@pytest.mark.fault("F-006")
@pytest.mark.parametrize("body", [b"", b" \r\n\t "])
def test_an_empty_body_is_called_empty(say, body):
    answer = say(body)

    assert (answer.status, answer.code) == (400, "empty-body")


@pytest.mark.fault("F-007")
def test_json_cut_off_is_malformed_and_not_echoed(say):
    answer = say(b'{"device": "secret-van", "lat": 5')

    assert (answer.status, answer.code) == (400, "malformed-json")
    assert "column" in answer.json()["detail"]
    assert b"secret" not in answer.body


@pytest.mark.fault("F-008")
def test_who_hangs_up_in_the_middle_leaves_nothing(ingest, sender):
    before = len(ingest.log)
    head = f"POST {sender.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", ingest.port)) as wire:
        wire.sendall(head.encode() + b"Content-Length: 5000\r\n\r\n" + b"[" * 100)

    answer = ingest.post(sender.path, sender.says())

    assert answer.status == 200
    assert len(sender.positions()) == 1
    assert ingest.log[before:] == ""


@pytest.mark.fault("F-009")
def test_a_hundred_thousand_brackets_are_refused(say):
    answer = say(b"[" * 100_000 + b"]" * 100_000)

    assert (answer.status, answer.code) == (400, "json-too-deep")


AT = "/measured_at"


def _refused(fault: str, member: str, code: str, pointer: str, status: int = 422) -> Any:
    marks = pytest.mark.fault(fault)
    return pytest.param(member, status, code, pointer, id=f"{fault}: {member[:40]}", marks=marks)


@pytest.mark.parametrize(
    ("member", "status", "code", "pointer"),
    [
        _refused("F-010", '"lat": NaN', "malformed-json", "", 400),
        _refused("F-011", '"lat": 1e999', "out-of-range", "/lat"),
        _refused("F-012", '"lat": true', "not-a-number", "/lat"),
        _refused("F-013", '"lat": "12.5"', "not-a-number", "/lat"),
        _refused("F-014", '"lat": 1, "lat": 89', "duplicate-key", "", 400),
        _refused("F-015", f'"lat": {"7" * 5000}', "out-of-range", "/lat"),
        _refused("F-016", r'"note": "a\u0000"', "forbidden-character", "/note"),
        _refused("F-016", r'"note": "\ud800"', "forbidden-character", "/note"),
        _refused("F-046", '"measured_at": "2026-03-02"', "not-a-time", AT),
        _refused("F-046", '"measured_at": "2026-03-02T09:00:00"', "time-without-zone", AT),
        _refused("F-047", '"measured_at": 1772442000', "not-a-time", AT),
        _refused("F-048", '"measured_at": "2026-03-02T09:00:00+25:00"', "not-a-time", AT),
        _refused("F-055", '"lat": 90.000001', "out-of-range", "/lat"),
        _refused("F-055", '"lon": -180.5', "out-of-range", "/lon"),
    ],
)
def test_a_wrong_member_is_refused_where_it_is(say, sender, member, status, code, pointer):
    name = member.partition(":")[0].strip('"')
    rest = {key: value for key, value in sender.says().items() if key != name}
    body = json.dumps(rest)[:-1] + f", {member}}}"

    answer = say(body.encode())

    assert (answer.status, answer.code) == (status, code)
    assert [error["pointer"] for error in answer.json()["errors"]] == ([pointer] if pointer else [])
    assert sender.positions() == []


@pytest.mark.fault("F-017")
@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_what_is_not_utf_8_is_malformed(say, sender, encoding):
    answer = say(json.dumps(sender.says()).encode(encoding))

    assert (answer.status, answer.code) == (400, "malformed-json")


@pytest.mark.fault("F-017")
def test_a_byte_order_mark_is_passed_over(say, sender):
    answer = say(b"\xef\xbb\xbf" + json.dumps(sender.says()).encode())

    assert answer.json()["disposition"] == "stored"


@pytest.mark.fault("F-018")
def test_json_under_another_name_is_refused(say, sender):
    answer = say(sender.says(), "text/plain")

    assert (answer.status, answer.code) == (415, "unsupported-media-type")


@pytest.mark.fault("F-018")
def test_json_under_no_name_is_refused(ingest, sender):
    answer = ingest.ask("POST", sender.path, json.dumps(sender.says()).encode(), {})

    assert (answer.status, answer.code) == (415, "unsupported-media-type")


@pytest.mark.fault("F-019")
def test_an_honest_body_over_the_limit_is_refused_before_it_is_read(ingest, sender):
    with closing(Client(ingest.port)) as client:
        client.wire.putrequest("POST", sender.path)
        client.wire.putheader("Content-Type", "application/json")
        client.wire.putheader("Content-Length", str((1 << 20) + 1))
        client.wire.endheaders()

        answer = client.wire.getresponse()

        document = json.loads(answer.read())
    assert (answer.status, document["code"]) == (413, "body-too-large")
    assert answer.getheader("Connection") == "close"


@pytest.mark.fault("F-019")
def test_a_chunked_body_over_the_limit_is_refused_where_it_passes_it(ingest, sender):
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    head = f"POST {sender.path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    with socket.create_connection(("127.0.0.1", ingest.port), 10) as wire:
        wire.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n")
        try:
            for _ in range(40):
                wire.sendall(chunk)
        except OSError:
            pass  # It has hung up by now, which is the point.
        answer = wire.recv(1000)

    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.fault("F-020")
def test_one_wrong_fix_of_a_thousand_leaves_its_neighbours_alone(say, sender):
    batch = [sender.says(MORNING + timedelta(seconds=n)) for n in range(1_000)]
    batch[537]["lat"] = 91

    first, again = say(batch), say(batch)

    assert [answer.status for answer in (first, again)] == [200, 200]
    assert (first.json()["stored"], first.json()["refused"]) == (999, 1)
    assert (again.json()["duplicate"], again.json()["refused"]) == (999, 1)
    assert [error["pointer"] for error in again.json()["errors"]] == ["/537/lat"]
    assert len(sender.positions()) == 999
    assert_books_balance(sender)


@pytest.mark.fault("F-021")
def test_a_batch_of_1001_is_too_large(say, sender):
    answer = say([sender.says(MORNING + timedelta(seconds=n)) for n in range(1_001)])

    assert (answer.status, answer.code) == (413, "too-many-fixes")
    assert sender.positions() == []


@pytest.mark.fault("F-022")
def test_an_empty_batch_is_fine_and_counts_nothing(say, sender):
    answer = say([])

    counts = {name: n for name, n in answer.json().items() if name != "errors"}
    assert (answer.status, set(counts.values())) == (200, {0})


@pytest.mark.fault("F-023")
def test_the_servers_own_words_are_the_servers(say, sender):
    say(sender.says(received_at="2020-01-01T00:00:00Z", organisation=1, asset="x", id=9, price=0))

    (row,) = sender.positions()
    assert row.received_at.year > 2020
    assert row.readings == {}


@pytest.mark.fault("F-024", "F-025")
@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "{{7*7}}", "%n%s", "äöü €"])
def test_unknown_members_are_kept_as_sent(say, sender, text):
    say(sender.says(label=text, rpm=933, ok=True))

    (row,) = sender.positions()
    assert row.readings == {"custom.label": text, "custom.rpm": 933, "custom.ok": True}


@pytest.mark.fault("F-016")
@pytest.mark.parametrize(
    ("wire_format", "query"),
    [("owntracks", "u=a&d=b%00"), ("osmand", "id=b%00&lat=1&lon=2"), ("traccar", "id=b%00")],
)
def test_a_nul_in_a_query_hurts_nobody(ingest, wire_format, query):
    hostile = make_sender(wire_format)
    know(ingest, hostile)
    body = json.dumps({"_type": "location", "lat": 1, "lon": 2, "tst": 1772442000}).encode()

    answer = ingest.ask("POST", f"{hostile.path}?{query}", body, {})

    assert answer.status < 500
    assert_books_balance(hostile)


def _golden() -> list[tuple[str, Any]]:
    return [
        (
            FORMAT_OF_FOLDER[index.parent.name],
            uplink_of_sample(entry, {}, content, received_at=NOON),
        )
        for index in sorted(SAMPLES.glob("*/index.json"))
        if index.parent.name in FORMAT_OF_FOLDER
        for entry in json.loads(index.read_bytes())["samples"]
        if "by us" not in entry["method"]
        for content in [(index.parent / entry["file"]).read_bytes()]
    ]


def _mangled(raw: bytes, chance: random.Random) -> bytes:
    sent = bytearray(raw)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(sent)) if sent else 0
        match chance.randrange(4):
            case 0:
                sent[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del sent[at : at + chance.randint(1, 20)]
            case 2:
                sent[at:at] = chance.choice([b"\\u0000", b"\\ud800", b"1e999", b"{}", b"9" * 30])
            case _:
                sent[at:at] = sent[max(0, at - 20) : at]
    return bytes(sent)


@pytest.mark.fault("F-026", "F-167")
@pytest.mark.parametrize("wire_format", sorted({name for name, _ in _golden()}))
def test_a_mangled_message_is_never_our_fault(ingest, wire_format):
    source = make_sender(wire_format, unknown_devices="register")
    know(ingest, source)
    golden = [sent for name, sent in _golden() if name == wire_format]
    chance, before, statuses = random.Random(26), len(ingest.log), set()

    with closing(Client(ingest.port)) as client:
        for _ in range(150):
            sent = chance.choice(golden)
            path, body = source.path, sent.body
            if sent.query:
                letters = _mangled(sent.query.encode(), chance)
                path += "?" + "".join(chr(c) if 32 < c < 127 else f"%{c:02x}" for c in letters)
            body = _mangled(body, chance) if body else body
            headers = {"Content-Type": sent.content_type} if sent.content_type else {}
            statuses.add(client.ask("POST", path, body, headers).status)

    is_lenient = FORMATS[wire_format].is_lenient
    assert max(statuses) < (300 if is_lenient else 500)
    assert "Traceback" not in ingest.log[before:]
    assert_books_balance(source)
