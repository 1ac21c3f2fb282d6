"""A second intake log, over SQLite: the promises of the port must hold for more than files."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import Unavailable
from tracker.intake.record_format import (
    DamagedRecordError,
    UnknownRecordFormatError,
    deliveries_of,
    record_of,
)
from tracker.road.delivery import Delivery

_TABLES = """
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS record (id INTEGER PRIMARY KEY, content BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS quarantined (id INTEGER PRIMARY KEY, content BLOB NOT NULL);
"""


class SqliteLog:
    """An `IntakeLog` in one file of SQLite."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._max_bytes = max_bytes
        self._turn = threading.RLock()
        self._database = sqlite3.connect(
            folder / "log.sqlite", check_same_thread=False, isolation_level=None
        )
        self._database.executescript(_TABLES)

    def append(self, deliveries: Sequence[Delivery]) -> None:
        record = record_of(deliveries)
        with self._turn:
            if self.waiting_bytes() + len(record) > self._max_bytes:
                raise Unavailable("the log is full")
            try:
                with self._transaction():
                    self._run("INSERT INTO record (content) VALUES (?)", record)
            except sqlite3.Error as error:
                raise Unavailable("the log cannot be written") from error

    def take(self, at_most: int) -> SqliteBatch | None:
        with self._turn:
            batch, weight = SqliteBatch(self), 0
            for number, record in self._run("SELECT id, content FROM record ORDER BY id"):
                found = self._read(number, record)
                weight += sum(max(len(one.observations), 1) for one in found)
                if batch.deliveries and weight > at_most:
                    break
                batch.deliveries += found
                batch.numbers.append(number)
            return batch if batch.deliveries else None

    def waiting_bytes(self) -> int:
        with self._turn:
            ((size,),) = self._run("SELECT coalesce(sum(length(content)), 0) FROM record")
            return int(size)

    def forget(self, numbers: Sequence[int], unstorable: Sequence[Delivery]) -> None:
        with self._turn, self._transaction():
            if unstorable:
                self._run("INSERT INTO quarantined (content) VALUES (?)", record_of(unstorable))
            for number in numbers:
                self._run("DELETE FROM record WHERE id = ?", number)

    def _read(self, number: int, record: bytes) -> list[Delivery]:
        try:
            return deliveries_of(record)
        except (DamagedRecordError, UnknownRecordFormatError):
            with self._transaction():
                self._run("INSERT INTO quarantined SELECT * FROM record WHERE id = ?", number)
                self._run("DELETE FROM record WHERE id = ?", number)
            return []

    @contextmanager
    def _transaction(self):
        self._run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._database.in_transaction:
                self._run("ROLLBACK")
            raise
        self._run("COMMIT")

    def _run(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self._database.execute(statement, parameters).fetchall()


class SqliteBatch:
    def __init__(self, log: SqliteLog) -> None:
        self.deliveries: list[Delivery] = []
        self.numbers: list[int] = []
        self._log = log

    def done(self, unstorable: Sequence[Delivery] = ()) -> None:
        self._log.forget(self.numbers, unstorable)
