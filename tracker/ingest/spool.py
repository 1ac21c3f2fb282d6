"""The spool: a file that takes deliveries while the database cannot.

Each record is length, CRC-32 and MessagePack, appended and fsynced before anybody is
answered. A file belongs to the process that holds its lock; files of processes that are
gone are adopted. What is drained twice is known by its key, so that a crash costs nothing.
What cannot be read or stored is put by under another name and never deleted.
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
from typing import BinaryIO, cast

import msgspec
import structlog

from core.errors import Unavailable
from tracker.road.delivery import Delivery

log = structlog.get_logger(__name__)

# A file or a record of which a person must decide what is to become.
PUT_BY = ".damaged"

_HEAD = struct.Struct("<II")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Delivery]).decode


class Spool:
    """The spool directory, of which one file is written by this process."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._file: BinaryIO | None = None
        self._draining: BinaryIO | None = None
        # A file that is being drained must get no further records: they would be deleted.
        self._turn = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, deliveries: Sequence[Delivery]) -> None:
        """Write deliveries to disk. Raises Unavailable when the spool is full or the disk fails."""
        body = _encode(list(deliveries))
        with self._turn:
            self._append(body)

    def _append(self, body: bytes) -> None:
        if self.size_bytes() + len(body) > self._max_bytes:
            raise Unavailable("the spool is full", retry_after_s=30)
        try:
            file = self._file or self._open_new()
            start = file.tell()
            try:
                _write_through(file, _record(body))
            except OSError:
                # Half a record would hide those after it, and after a failed fsync nobody
                # knows what is on disk: leave the file to be drained and begin another.
                self._file = None
                with file:
                    file.truncate(start)
                raise
        except OSError as error:
            log.warning("the spool cannot be written", reason=str(error))
            raise Unavailable("the spool cannot be written", retry_after_s=30) from error

    def put_by(self, deliveries: Sequence[Delivery]) -> None:
        """Keep what was acknowledged and cannot be stored, for people to look at."""
        path = self._folder / f"{uuid.uuid4().hex}{PUT_BY}"
        with path.open("xb", buffering=0) as file:
            _write_through(cast("BinaryIO", file), _record(_encode(list(deliveries))))
        _sync_folder(self._folder)

    def size_bytes(self) -> int:
        size = 0
        for path in self._folder.glob("*.spool"):
            # Another process may just have drained it.
            with suppress(FileNotFoundError):
                size += path.stat().st_size
        return size

    def is_empty(self) -> bool:
        return next(self._folder.glob("*.spool"), None) is None

    def adopt(self) -> Path | None:
        """Return a file to drain: our own, closed for writing, or one that nobody holds.

        None if there is none. Call `forget` when it is drained; otherwise it comes again.
        """
        self._release()
        with self._turn:
            if self._file is not None:
                path = Path(self._file.name)
                # Its lock goes with it: keep the descriptor, write to another file from now on.
                self._draining, self._file = self._file, None
                return path
        for path in sorted(self._folder.glob("*.spool")):
            file = path.open("rb+")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                continue
            if path.exists():
                self._draining = file
                return path
            file.close()
        return None

    def forget(self, path: Path, *, is_whole: bool) -> None:
        """Delete a drained file, or put it by where not all of it could be read."""
        if is_whole:
            path.unlink(missing_ok=True)
        else:
            path.rename(path.with_suffix(PUT_BY))
        self._release()

    def _release(self) -> None:
        if self._draining is not None:
            self._draining.close()
            self._draining = None

    def _open_new(self) -> BinaryIO:
        path = self._folder / f"{uuid.uuid4().hex}.spool"
        # Unbuffered: what a failed write left over must not follow later.
        file = cast("BinaryIO", path.open("xb", buffering=0))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _sync_folder(self._folder)
        self._file = file
        return file


class Records:
    """The records of a spool file, each as it was appended.

    The end may be a record that was never finished: nobody was told that it was kept. What
    else cannot be read is reported and passed over. `is_whole` says afterwards whether there
    was nothing of either kind.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.is_whole = True

    def __iter__(self) -> Iterator[list[Delivery]]:
        with self._path.open("rb") as file:
            while head := file.read(_HEAD.size):
                length, checksum = _HEAD.unpack(head) if len(head) == _HEAD.size else (1, 0)
                body = file.read(length)
                if len(body) < length:
                    self.is_whole = False
                    log.warning("spool file ends in half a record", file=self._path.name)
                elif zlib.crc32(body) != checksum:
                    self._note_damage(length)
                else:
                    yield from self._readable(body)

    def _readable(self, body: bytes) -> Iterator[list[Delivery]]:
        try:
            yield _decode(body)
        except msgspec.MsgspecError:
            self._note_damage(len(body))

    def _note_damage(self, length: int) -> None:
        self.is_whole = False
        log.error("spool record damaged", file=self._path.name, bytes=length)


def _record(body: bytes) -> bytes:
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def _write_through(file: BinaryIO, record: bytes) -> None:
    """Write all of `record` to disk; an unbuffered write may take only a part at a time."""
    rest = memoryview(record)
    while rest:
        rest = rest[file.write(rest) :]
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
