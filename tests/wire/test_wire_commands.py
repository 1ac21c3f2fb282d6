"""The commands that read messages: no database, no guessing."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.wire.uplinks import NOON, decoded, observation
from tracker.wire.sample_comparison import Comparison, is_same
from tracker.wire.samples import request_of_file

SAMPLES = Path(__file__).parents[2] / "fixtures" / "samples"


def _run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def _folder(tmp_path: Path, expect: Any, name: str = "json") -> str:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(observation()))
    samples = [{"file": "a.json", "method": "POST", "content_type": None, "expect": expect}]
    (folder / "index.json").write_text(json.dumps({"samples": samples}))
    return str(folder)


def test_decode_prints_the_meaning_of_a_request_line():
    found = json.loads(_run("decode", "osmand", str(SAMPLES / "osmand" / "query-battery.txt")))

    assert found["observations"][0]["readings"] == {"battery.level": 87.0}


def test_decode_takes_query_and_headers():
    file = str(SAMPLES / "owntracks" / "location-full.json")

    found = json.loads(
        _run(
            "decode", "owntracks", file, "--header", "X-Limit-U: ada", "--header", "X-Limit-D: van"
        )
    )

    assert found["observations"][0]["device"] == "ada/van"


def test_decode_reads_hex_as_the_binary_body():
    found = json.loads(
        _run(
            "decode",
            "chirpstack",
            str(SAMPLES / "chirpstack" / "up-protobuf.hex"),
            "--query",
            "event=up",
        )
    )

    assert found["message"] == "uplink"


def test_decode_says_why_a_message_is_refused(tmp_path):
    file = tmp_path / "empty.json"
    file.write_bytes(b"")

    with pytest.raises(CommandError, match="empty-body"):
        _run("decode", "json", str(file))


@pytest.mark.parametrize("folder", ["ttn", "chirpstack", "owntracks", "osmand", "traccar-forward"])
def test_every_sample_that_we_ship_is_read_right(folder):
    lines = _run("check_samples", str(SAMPLES / folder)).splitlines()

    assert "0 failed" in lines[-1]


def test_a_folder_without_a_format_is_skipped_aloud():
    assert "no such format" in _run("check_samples", str(SAMPLES / "cayennelpp"))


def test_what_cannot_be_compared_is_reported_as_unchecked(tmp_path):
    printed = _run("check_samples", _folder(tmp_path, {"mystery": 1}))

    assert "ok   json/a.json (unchecked: mystery)" in printed


def test_a_difference_fails_and_names_both_values(tmp_path, capsys):
    folder = _folder(tmp_path, {"positions": [{"lat": 1.0, "lon": 4.3}]})
    out = StringIO()

    with pytest.raises(CommandError) as error:
        call_command("check_samples", folder, stdout=out)

    assert error.value.returncode == 1
    assert "positions[0].lat: expected 1.0, got 52.1" in out.getvalue()


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        (20.5778, 20.57777777, True),
        (20.6, 20.57777777, False),
        (0, 0.0, True),
        (1, True, False),
        (None, None, True),
        (None, 0, False),
        ({"a": 1}, {"a": 1.0, "b": 2}, True),
        ([1, None], [1, None], True),
        ([1], [1, 2], False),
        ("2026-01-05T12:00:00.0004Z", NOON, True),
        ("2026-01-05T12:00:00.002Z", NOON, False),
        ("a", "b", False),
    ],
)
def test_values_are_the_same_nearly_and_objects_in_part(expected, got, same):
    assert is_same(expected, got) is same


@pytest.mark.parametrize(
    "expect",
    [
        {"message": "position"},
        {"positions": []},
        {"positions": [{"lat": 52.1, "lon": 4.3, "altitude_m": 5}]},
        {"positions": [{"time": "2026-01-05T12:00:01Z"}]},
        {"positions": [{"source": "wifi"}]},
        {"telemetry": {"temperature_c": 5}},
        {"radio": {"rssi_dbm": -50}},
        {"device": {"dev_eui": "0000000000000001"}},
        {"time": "2026-01-05T12:00:01Z"},
    ],
)
def test_every_kind_of_difference_is_found(expect):
    comparison = Comparison(decoded("json", observation()), received_at=NOON)

    comparison.of_meaning(expect)

    assert comparison.differences


@pytest.mark.parametrize(
    ("name", "content", "request_"),
    [
        ("a.txt", b"GET /?id=1&lat=2 HTTP/1.1\r\n\r\n", ("id=1&lat=2", b"")),
        (
            "a.txt",
            b"GET /?id=1&gprmc=$GPRMC,1,,*05&name=x\n",
            ("id=1&gprmc=$GPRMC,1,,*05&name=x", b""),
        ),
        ("a.txt", b"POST /x HTTP/1.1\nHost: y\n\nid=1", ("", b"id=1")),
        ("a.txt", b"id=1&lat=2\n", ("", b"id=1&lat=2")),
        ("a.hex", b"0aff\n", ("", b"\x0a\xff")),
        ("a.json", b"{}", ("", b"{}")),
    ],
)
def test_a_sample_file_is_the_request_that_it_stands_for(name, content, request_):
    assert request_of_file(name, content) == request_
