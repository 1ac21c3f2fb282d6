"""The commands that read messages: no database, no guessing."""

from __future__ import annotations

import json
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.wire.uplinks import NOON, decoded, observation, ttn_uplink
from wire.sample_comparison import SampleComparison, is_same
from wire.samples import SampleError, request_of_file

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


def test_decode_prints_the_fate_of_each_member_of_a_payload(tmp_path):
    file = tmp_path / "uplink.json"
    file.write_text(json.dumps(ttn_uplink({"battery": 3.6, "temp_alarm": 5, "pressure": 943})))

    found = json.loads(_run("decode", "ttn", str(file), "--model", "Milesight EM500-PP"))

    assert found["members"] == [
        {
            "member": "battery",
            "value": 3.6,
            "fate": "guessed",
            "reading": "battery.voltage",
            "reason": "no unit: volts, since below 6 with decimals",
        },
        {
            "member": "temp_alarm",
            "value": 5,
            "fate": "custom",
            "reading": "custom.temp_alarm",
            "reason": "'alarm' is in its name",
        },
        {"member": "pressure", "value": 943, "fate": "custom", "reading": "custom.pressure"},
    ]
    assert found["observations"][0]["readings"]["battery.voltage"] == 3.6


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


def _written(tmp_path: Path, name: str, index: str, **files: str) -> str:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "index.json").write_text(index)
    for file, content in files.items():
        (folder / f"{file}.txt").write_text(content)
    return str(folder)


def _osmand(tmp_path: Path, **entry: Any) -> tuple[str, str]:
    """Return the verdict on one sample, and what was printed at the end."""
    index = json.dumps({"samples": [{"file": "a.txt"} | entry]})
    content = "id=7&lat=52.1&lon=4.3&timestamp=1767614400"
    return _verdicts(_written(tmp_path, "osmand", index, a=content))


def _verdicts(folder: str) -> tuple[str, str]:
    out = StringIO()
    with suppress(CommandError):
        call_command("check_samples", folder, stdout=out)
    *lines, total = out.getvalue().splitlines()
    return "\n".join(lines), total


@pytest.mark.parametrize(
    ("name", "index", "printed"),
    [
        ("osmand", '{"samples": [', "FAIL osmand/index.json: not a JSON object"),
        ("strange", "[" * 100_000, "FAIL strange/index.json: not a JSON object"),
        ("osmand", "[]", "FAIL osmand/index.json: not a JSON object"),
        ("osmand", '{"samples": []}', "FAIL osmand/index.json: no list of samples"),
        ("osmand", '{"samples": [5]}', "FAIL osmand/index.json: entry 0 names no file"),
        ("strange", '{"entries": {}}', "skip strange/index.json: no such format"),
        ("strange", '{"samples": [{"file": "x"}]}', "skip strange/x: no such format"),
    ],
)
def test_an_index_that_is_none_fails_and_one_of_strangers_is_skipped(
    tmp_path, name, index, printed
):
    assert _verdicts(_written(tmp_path, name, index))[0] == printed


def test_a_broken_index_does_not_hide_its_neighbours(tmp_path):
    _written(tmp_path, "osmand", "{")
    _folder(tmp_path, {"message": "observations"})

    lines, total = _verdicts(str(tmp_path))

    assert "ok   json/a.json" in lines
    assert total == "1 ok, 1 failed, 0 skipped"


def test_an_index_may_name_the_format_of_its_folder(tmp_path):
    index = {"folder": "osmand", "samples": [{"file": "a.txt", "expect": {"message": "position"}}]}
    folder = _written(tmp_path, "copy", json.dumps(index), a="id=7&lat=52.1&lon=4.3")

    assert _verdicts(folder)[0] == "ok   copy/a.txt"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"file": "absent.txt", "expect": {}}, "FileNotFoundError"),
        ({"file": "../a.txt", "expect": {}}, "outside of its folder"),
        ({}, "no object says what it means"),
        ({"expect": None}, "no object says what it means"),
        ({"expect": {"same_as": "b.txt"}}, "same_as names no sample"),
        ({"expect": {"positions": [{"lat": None}]}}, "positions[0].lat"),
        ({"expect": {"positions": [{"time": "noon"}]}}, "positions[0].time"),
        ({"expect": {"positions": []}}, "positions: expected 0, got 1"),
        ({"expect": {"device": {"imei": "8"}}}, "device.imei"),
        ({"expect": {}, "response": {"status": 400}}, "refused"),
    ],
)
def test_what_is_wrong_with_a_sample_is_told_and_fails(tmp_path, entry, why):
    printed, total = _osmand(tmp_path, **entry)

    assert (printed.startswith("FAIL"), why in printed) == (True, True)
    assert total == "0 ok, 1 failed, 0 skipped"


@pytest.mark.parametrize(
    ("entry", "unchecked"),
    [
        ({"expect": {"positions": "one"}}, "positions"),
        ({"expect": {"telemetry": [1], "radio": 1}}, "telemetry, radio"),
        ({"expect": {"device": {"colour": "red"}}}, "device.colour"),
        ({"expect": {}, "response": {"status": 200, "body": "OK"}}, "response.body"),
        ({"expect": {"positions": [{"lat": 52.1, "floor": 3}]}}, "positions[0].floor"),
        ({"expect": {"telemetry": {"fuel_percent": 5}}}, "telemetry.fuel_percent"),
        ({"expect": {"radio": {"channel": 3}}}, "radio.channel"),
    ],
)
def test_what_an_expectation_cannot_be_held_against_is_unchecked(tmp_path, entry, unchecked):
    assert _osmand(tmp_path, **entry)[0] == f"ok   osmand/a.txt (unchecked: {unchecked})"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("lat=52.1&lon=4.3", "refused ['missing']"),
        ("id=7&lat=52.1&lon=4.3&lat=89", "UnreadableUplink: 'lat' comes twice."),
    ],
)
def test_a_message_that_is_refused_against_expectation_fails(tmp_path, content, why):
    index = json.dumps({"samples": [{"file": "a.txt", "expect": {}}]})

    lines, _ = _verdicts(_written(tmp_path, "osmand", index, a=content))

    assert (lines.startswith("FAIL"), why in lines) == (True, True)


def test_a_note_beside_the_expected_values_is_for_people(tmp_path):
    printed, _ = _osmand(tmp_path, expect={"note": "of version 9", "message": "position"})

    assert printed == "ok   osmand/a.txt"


def test_a_reading_of_the_sender_s_own_is_compared_under_its_name(tmp_path):
    sent = decoded("json", observation(readings={"rpm": 900, "fuel_litres": 41.5}))
    comparison = SampleComparison(sent, received_at=NOON)

    comparison.compare_decoded({"telemetry": {"fuelLitres": 41.5, "rpm": 901}})

    assert comparison.differences == ["telemetry.rpm: expected 901, got 900"]
    assert comparison.unchecked == []


def test_a_message_that_is_to_be_refused_must_be(tmp_path):
    entry = {"file": "b.txt", "response": {"status": 400}, "expect": {"positions": []}}
    index = json.dumps({"samples": [entry, entry | {"file": "c.txt"}]})

    lines, total = _verdicts(_written(tmp_path, "osmand", index, b="lat=1&lon=2", c=""))

    assert total == "2 ok, 0 failed, 0 skipped", lines


def test_what_a_lenient_sender_garbles_is_no_failure(tmp_path):
    index = json.dumps({"samples": [{"file": "a.txt", "expect": {"positions": []}}]})

    assert _verdicts(_written(tmp_path, "owntracks", index, a="{"))[0] == "ok   owntracks/a.txt"


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        (20.5778, 20.57777777, True),
        (20.6, 20.57777777, True),
        (20.56, 20.57777777, False),
        (21.0, 20.57777777, False),
        (21, 20.57777777, False),
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
    comparison = SampleComparison(decoded("json", observation()), received_at=NOON)

    comparison.compare_decoded(expect)

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


@pytest.mark.parametrize("content", [b"0afg", b"0a f", b"\xff"])
def test_a_file_of_hex_text_holds_nothing_else(content):
    with pytest.raises(SampleError, match="not hex text"):
        request_of_file("a.hex", content)
