"""The spool: a file that takes deliveries while the database cannot.

Each record is length, CRC-32 and MessagePack, appended and fsynced before anybody is
answered. A file belongs to the process that holds its lock; files of processes that are
gone are adopted. What is drained twice is known by its key, so that a crash costs nothing.
"""

from __future__ import annotations

import fcntl
import os
import struct
import threading
import uuid
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
import structlog

from tracker.errors import Unavailable
from tracker.road.delivery import Delivery

log = structlog.get_logger(__name__)

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
                file.write(_HEAD.pack(len(body), zlib.crc32(body)) + body)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                # Half a record would hide those after it.
                file.truncate(start)
                file.seek(start)
                raise
        except OSError as error:
            raise Unavailable("the spool cannot be written", retry_after_s=30) from error

    def size_bytes(self) -> int:
        return sum(path.stat().st_size for path in self._folder.glob("*.spool"))

    def is_empty(self) -> bool:
        return next(self._folder.glob("*.spool"), None) is None

    def adopt(self) -> Path | None:
        """Return a file to drain: our own, closed for writing, or one that nobody holds.

        None if there is none. Call `forget` when it is drained.
        """
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

    def forget(self, path: Path) -> None:
        """Delete a drained file."""
        path.unlink(missing_ok=True)
        if self._draining is not None:
            self._draining.close()
            self._draining = None

    def _open_new(self) -> BinaryIO:
        path = self._folder / f"{uuid.uuid4().hex}.spool"
        file = path.open("xb")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _sync_folder(self._folder)
        self._file = file
        return file


def read(path: Path) -> Iterator[list[Delivery]]:
    """Yield the records of a spool file, each as it was appended.

    Stops at a record that was never finished: nobody was told that it was kept. A finished
    record that does not match its checksum is reported, and reading goes on behind it.
    """
    with path.open("rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, checksum = _HEAD.unpack(head)
            body = file.read(length)
            if len(body) < length:
                return
            if zlib.crc32(body) != checksum:
                log.error("spool record damaged", file=path.name, bytes=length)
                continue
            yield _decode(body)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
