"""Files of the spool: their owners, and files that cannot be read."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import msgspec
import pytest

from tests.intake.logs import PLENTY, delivery, numbers
from tests.intake.test_intake_log import all_taken
from tracker.intake.record_format import UnknownRecordFormatError, deliveries_of, record_of
from tracker.intake.spool import QUARANTINED, UNKNOWN_FORMAT, WAITING, Spool


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def files(folder: Path, suffix: str) -> list[bytes]:
    return [file.read_bytes() for file in folder.glob(f"*{suffix}")]


def spool_with(folder: Path, *numbers: int) -> Spool:
    spool = Spool(folder, PLENTY)
    for number in numbers:
        spool.append([delivery(number)])
    return spool


def abandon(spool: Spool) -> None:
    """Let go of the files of a spool, as the end of its process does."""
    assert spool._file is not None
    spool._file.close()


def test_a_file_of_a_process_that_lives_is_left_alone(folder):
    mine, its = spool_with(folder, 1), spool_with(folder, 2)

    assert numbers(all_taken(mine)) == [1]
    assert numbers(all_taken(its)) == [2]


def test_files_of_processes_that_are_gone_are_adopted(folder):
    for number in (1, 2):
        abandon(spool_with(folder, number))

    heir = Spool(folder, PLENTY)

    assert sorted(numbers(all_taken(heir))) == [1, 2]
    assert files(folder, WAITING) == []


def test_half_a_record_at_the_end_costs_no_other(folder):
    abandon(spool_with(folder, 1, 2))
    (file,) = folder.glob(f"*{WAITING}")
    file.write_bytes(file.read_bytes()[:-5])
    raw = file.read_bytes()

    found = numbers(all_taken(Spool(folder, PLENTY)))

    assert found == [1]
    assert files(folder, QUARANTINED) == [raw]


def later(number: int) -> bytes:
    """Return a record in the format of a later release."""
    return record_of([delivery(number)]).replace(b"deliveries/1", b"deliveries/2")


def write_file(folder: Path, *contents: bytes) -> None:
    """Write a spool file with these records, as a process that is gone left it."""
    folder.mkdir()
    heads = (struct.pack("<II", len(one), zlib.crc32(one)) for one in contents)
    whole = b"".join(head + one for head, one in zip(heads, contents, strict=True))
    (folder / f"gone{WAITING}").write_bytes(whole)


def test_a_record_of_another_release_is_kept_for_it_and_costs_no_other(folder):
    write_file(folder, record_of([delivery(1)]), later(2), record_of([delivery(3)]))

    found = numbers(all_taken(Spool(folder, PLENTY)))

    assert found == [1, 3]
    assert files(folder, WAITING) == []
    (kept,) = files(folder, UNKNOWN_FORMAT)
    assert later(2) in kept


def test_what_was_kept_for_another_release_is_read_once_it_has_its_name_again(folder):
    write_file(folder, record_of([delivery(1)]), later(2))
    spool = Spool(folder, PLENTY)
    all_taken(spool)
    (kept,) = folder.glob(f"*{UNKNOWN_FORMAT}")

    kept.rename(kept.with_suffix(WAITING))

    assert numbers(all_taken(spool)) == [1]
    assert len(files(folder, UNKNOWN_FORMAT)) == 1


# --- the format of a record ------------------------------------------------------------


def rewritten(record: bytes, **members: object) -> bytes:
    """Return a record of one delivery with other members; None takes one away."""
    name, _, content = record.partition(b"\n")
    (sent,) = msgspec.msgpack.decode(content)
    changed = {key: value for key, value in (sent | members).items() if value is not None}
    return name + b"\n" + msgspec.msgpack.encode([changed])


def test_members_of_a_later_release_are_ignored():
    record = rewritten(record_of([delivery(1)]), colour="red")

    assert deliveries_of(record) == [delivery(1)]


def test_members_that_a_former_release_did_not_have_take_their_default():
    record = rewritten(record_of([delivery(1)]), uplink=None, is_lenient=None)

    (found,) = deliveries_of(record)

    assert (found.uplink, found.is_lenient, found.source_id) == (None, False, 1)


@pytest.mark.parametrize("record", [b"", b"\x90", b"deliveries/1", b"deliveries/9\n\x90"])
def test_a_record_of_an_unknown_format_is_not_decoded(record):
    with pytest.raises(UnknownRecordFormatError):
        deliveries_of(record)
