"""Every captured message beside what it must mean."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from wire.payloads import cayenne
from wire.registry import FORMATS, detect
from wire.samples import FORMAT_OF_FOLDER, sample_verdict, uplink_of_sample
from wire.wire_format import parsed_uplink

REPOSITORY = Path(__file__).parents[2]
ROOTS = [
    REPOSITORY / "fixtures" / "samples",
    REPOSITORY / "tests" / "wire" / "messages",
    REPOSITORY.parent / "shared" / "samples",
]
NOW = datetime.now(UTC)


def _samples() -> list[Any]:
    return [
        pytest.param(
            index.parent, entry, id=f"{root.parent.name}-{index.parent.name}-{entry['file']}"
        )
        for root in ROOTS
        for index in sorted(root.glob("*/index.json"))
        if index.parent.name in FORMAT_OF_FOLDER
        for entry in json.loads(index.read_bytes())["samples"]
        if "by us" not in entry["method"]
    ]


def _neighbours(folder: Path) -> dict[str, Any]:
    samples = json.loads((folder / "index.json").read_bytes())["samples"]
    return {entry["file"]: entry for entry in samples}


@pytest.mark.parametrize(("folder", "entry"), _samples())
def test_a_captured_message_means_what_its_sender_meant(folder, entry):
    content = (folder / entry["file"]).read_bytes()

    found = sample_verdict(
        FORMAT_OF_FOLDER[folder.name],
        entry,
        content,
        entries=_neighbours(folder),
        received_at=NOW,
    )

    assert found.differences == ()


@pytest.mark.parametrize(("folder", "entry"), _samples())
def test_a_captured_message_is_recognised_without_being_told_its_format(folder, entry):
    content = (folder / entry["file"]).read_bytes()

    sent = uplink_of_sample(entry, {}, content, received_at=NOW)

    assert detect(sent) == FORMAT_OF_FOLDER[folder.name]


@pytest.mark.parametrize(("folder", "entry"), _samples())
def test_no_two_formats_are_equally_sure_of_a_captured_message(folder, entry):
    content = (folder / entry["file"]).read_bytes()
    parsed = parsed_uplink(uplink_of_sample(entry, {}, content, received_at=NOW))

    surest, next_best = sorted(one.certainty(parsed) for one in FORMATS.values())[:-3:-1]

    assert surest > next_best


def test_each_module_with_a_format_is_found_and_has_a_name_of_its_own():
    folder = REPOSITORY / "wire" / "formats"
    modules = [file for file in folder.glob("*.py") if "\nFORMAT = " in file.read_text()]

    assert len(FORMATS) == len(modules) >= 6


@pytest.mark.parametrize(("folder", "entry"), _samples())
def test_the_same_message_again_has_the_same_key(folder, entry):
    content = (folder / entry["file"]).read_bytes()
    sent = uplink_of_sample(entry, {"device": None}, content, received_at=NOW)
    decode = FORMATS[FORMAT_OF_FOLDER[folder.name]].decode

    assert decode(sent) == decode(sent)


@pytest.mark.parametrize("file", sorted((ROOTS[0] / "cayennelpp").glob("[!i]*.json")), ids=str)
def test_a_cayenne_payload_has_these_entries(file):
    sample = json.loads(file.read_bytes())

    found = cayenne.entries(bytes.fromhex(sample["hex"]))

    assert [
        {"channel": e.channel, "type": e.type, "name": e.name, "value": pytest.approx(e.value)}
        for e in found
    ] == sample["decoded"]


def test_there_are_samples_to_try():
    assert len(_samples()) >= 55
