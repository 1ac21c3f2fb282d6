"""The spool: an intake log in files on the machine's own disk.

Each record is length, CRC-32 and content, appended and fsynced before a sender is answered. A file
belongs to the process that holds its lock; files of ended processes are adopted. Records that
cannot be read or stored are quarantined under another name and never deleted.
"""

from __future__ import annotations

import fcntl
import os
import struct
import threading
import uuid
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import structlog

from core.errors import Unavailable
from tracker.intake.record_format import (
    DamagedRecordError,
    UnknownRecordFormatError,
    deliveries_of,
    record_of,
)
from tracker.road.delivery import Delivery

log = structlog.get_logger(__name__)

WAITING = ".spool"
# Records that cannot be read or stored: a person must decide on them.
QUARANTINED = ".damaged"
# Records of another release, which can read them once the file has its former name again.
UNKNOWN_FORMAT = ".unknown"

_RECORD_HEADER = struct.Struct("<II")


class Spool:
    """The spool directory, of which one file is written by this process. An `IntakeLog`."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._file: BinaryIO | None = None
        self._reading: SpoolFile | None = None
        # Guards `_file`: a file that is read must get no further records, which would be deleted.
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, deliveries: Sequence[Delivery]) -> None:
        record = record_of(deliveries)
        with self._lock:
            if self._size_bytes() + len(record) > self._max_bytes:
                raise Unavailable("the spool is full", retry_after_s=30)
            try:
                self._append(record)
            except OSError as error:
                log.warning("the spool cannot be written", reason=str(error))
                raise Unavailable("the spool cannot be written", retry_after_s=30) from error

    def take(self, at_most: int) -> SpooledBatch | None:
        while file := self._reading or self._adopt_file():
            self._reading = file
            batch = file.batch(at_most)
            if batch.deliveries:
                return SpooledBatch(self, batch)
            self._finish(file)
        return None

    def waiting_bytes(self) -> int:
        # Another thread may finish the file just now.
        reading = self._reading
        done_bytes = reading.done_bytes if reading else 0
        return max(0, self._size_bytes() - done_bytes)

    def _done(self, batch: ReadBatch, unstorable: Sequence[Delivery]) -> None:
        file = self._reading
        assert file is not None, "a batch is of the file that is read"
        if unstorable:
            self._quarantine(unstorable)
        file.done_bytes = batch.end
        if file.is_done:
            self._finish(file)

    def _append(self, record: bytes) -> None:
        file = self._file or self._open_new()
        start = file.tell()
        try:
            _write_through(file, record)
        except OSError:
            # Half a record would hide the records after it, and after a failed fsync the
            # content of the disk is unknown: leave the file to be drained and begin another.
            self._file = None
            with file:
                file.truncate(start)
            raise

    def _open_new(self) -> BinaryIO:
        file = self._create(WAITING)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._file = file
        return file

    def _quarantine(self, deliveries: Sequence[Delivery]) -> None:
        with self._create(QUARANTINED) as file:
            _write_through(file, record_of(deliveries))

    def _create(self, suffix: str) -> BinaryIO:
        # Unbuffered: the rest of a failed write must not be written later.
        path = self._folder / f"{uuid.uuid4().hex}{suffix}"
        file = cast("BinaryIO", path.open("xb", buffering=0))
        _sync_folder(self._folder)
        return file

    def _size_bytes(self) -> int:
        size = 0
        for path in self._folder.glob(f"*{WAITING}"):
            # Another process may just have drained it.
            with suppress(FileNotFoundError):
                size += path.stat().st_size
        return size

    def _adopt_file(self) -> SpoolFile | None:
        """Take a file to read: our own, which is closed for writing, or a file without a lock."""
        with self._lock:
            if self._file is not None:
                # The lock belongs to the descriptor: keep it, and write to a new file from now on.
                lock, self._file = self._file, None
                return SpoolFile(Path(lock.name), lock)
        for path in sorted(self._folder.glob(f"*{WAITING}")):
            lock = path.open("rb+")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                continue
            if path.exists():
                return SpoolFile(path, lock)
            lock.close()
        return None

    def _finish(self, file: SpoolFile) -> None:
        """Delete a file that was read to its end, or rename it if a record could not be read."""
        if file.suffix is None:
            file.path.unlink(missing_ok=True)
        else:
            file.path.rename(file.path.with_suffix(file.suffix))
        file.lock.close()
        self._reading = None
        log.info("spool file drained", file=file.path.name)


class SpooledBatch:
    """Deliveries of one file. A `TakenBatch`."""

    def __init__(self, spool: Spool, batch: ReadBatch) -> None:
        self.deliveries = batch.deliveries
        self._spool = spool
        self._batch = batch

    def done(self, unstorable: Sequence[Delivery] = ()) -> None:
        self._spool._done(self._batch, unstorable)


class ReadBatch(NamedTuple):
    """Deliveries of successive records, and the offset at which the last record ends."""

    deliveries: list[Delivery]
    end: int


class SpoolFile:
    """A spool file that is read. `done_bytes` from its beginning need not be read again.

    The last record may be unfinished: it was never acknowledged. Other unreadable records are
    reported and skipped; `suffix` is then the new suffix under which the file is kept.
    """

    def __init__(self, path: Path, lock: BinaryIO) -> None:
        self.path = path
        self.lock = lock
        self.done_bytes = 0
        self.suffix: str | None = None
        self._size = path.stat().st_size
        self._reported_until = 0

    @property
    def is_done(self) -> bool:
        return self.done_bytes >= self._size

    def batch(self, at_most: int) -> ReadBatch:
        """Return the deliveries of the next records, of up to `at_most` observations.

        More only if a single record has more; none at the end of the file.
        """
        deliveries: list[Delivery] = []
        end = self.done_bytes
        weight = 0
        with self.path.open("rb") as file:
            file.seek(end)
            for found, record_end in self._records(file):
                weight += sum(max(len(one.observations), 1) for one in found)
                if deliveries and weight > at_most:
                    break
                deliveries += found
                end = record_end
                if weight >= at_most:
                    break
        return ReadBatch(deliveries, end)

    def _records(self, file: BinaryIO) -> Iterator[tuple[list[Delivery], int]]:
        """Yield the deliveries of each record, with the offset at which the record ends."""
        while head := file.read(_RECORD_HEADER.size):
            length, checksum = (
                _RECORD_HEADER.unpack(head) if len(head) == _RECORD_HEADER.size else (1, 0)
            )
            record = file.read(length)
            is_whole = len(record) == length
            found = self._deliveries(record, checksum, file.tell()) if is_whole else []
            if not is_whole:
                self.suffix = self.suffix or QUARANTINED
                log.warning("spool file ends in half a record", file=self.path.name)
            yield found, file.tell()

    def _deliveries(self, record: bytes, checksum: int, end: int) -> list[Delivery]:
        try:
            return deliveries_of(_verified(record, checksum))
        except UnknownRecordFormatError as error:
            self._report(error, UNKNOWN_FORMAT, end, "spool record of another release")
        except DamagedRecordError as error:
            self._report(error, QUARANTINED, end, "spool record damaged")
        return []

    def _report(self, error: Exception, suffix: str, end: int, event: str) -> None:
        self.suffix = self.suffix or suffix
        # A batch that was taken and not done is read again, and need not be reported again.
        if end > self._reported_until:
            log.error(event, file=self.path.name, until=end, reason=str(error))
            self._reported_until = end


def _verified(record: bytes, checksum: int) -> bytes:
    if zlib.crc32(record) != checksum:
        raise DamagedRecordError("wrong checksum")
    return record


def _write_through(file: BinaryIO, record: bytes) -> None:
    """Write all of a record to disk; an unbuffered write may take only a part at a time."""
    rest = memoryview(_RECORD_HEADER.pack(len(record), zlib.crc32(record)) + record)
    while rest:
        rest = rest[file.write(rest) :]
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
