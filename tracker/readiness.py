"""Readiness of a web process: the database answers, keeps what it commits, fits the release.

Asked as often as anybody likes: the database is asked once a second at most.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from functools import cache

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from core.errors import Fault
from positions.durability import switched_off

logger = logging.getLogger(__name__)

GOOD_FOR_S = 1.0
# Of so many that are missing or unknown the names are said.
NAMED = 3

Migration = tuple[str, str]


class _LastCheck:
    """The faults that were found last, and until when they count. One thread checks at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: tuple[Fault, ...] = ()
        self._good_until = 0.0

    def faults(self) -> tuple[Fault, ...]:
        with self._lock:
            if time.monotonic() >= self._good_until:
                self._faults = _check()
                self._good_until = time.monotonic() + GOOD_FOR_S
            return self._faults

    def forget(self) -> None:
        self._good_until = 0.0


last_check = _LastCheck()


def readiness_faults() -> tuple[Fault, ...]:
    """Return why this process is not ready; nothing if it is. At most a second old."""
    return last_check.faults()


def _check() -> tuple[Fault, ...]:
    try:
        off = [
            _fault(name, "switched-off", f"PostgreSQL has {name} off.")
            for name in switched_off(connection)
        ]
        return (*off, *_schema_faults())
    except DatabaseError as error:
        logger.warning("not ready: the database does not answer: %s", type(error).__name__)
        return (_fault("database", "unreachable", "The database does not answer."),)


def _schema_faults() -> Iterator[Fault]:
    """Yield a fault if the schema of the database is older or newer than this release."""
    applied = set(MigrationRecorder(connection).applied_migrations())
    if missing := known_migrations() - applied:
        detail = f"The database is older than this release; missing: {_named(missing)}."
        yield _fault("migrations", "missing", detail)
    if unknown := applied - known_migrations():
        detail = f"The database is newer than this release; unknown: {_named(unknown)}."
        yield _fault("migrations", "unknown", detail)


@cache
def known_migrations() -> frozenset[Migration]:
    """Return the migrations of this release, read from its files once."""
    return frozenset(MigrationLoader(None).disk_migrations)


def _named(migrations: set[Migration] | frozenset[Migration]) -> str:
    names = [f"{app}.{name}" for app, name in sorted(migrations)]
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if names[NAMED:] else "")


def _fault(check: str, code: str, detail: str) -> Fault:
    return Fault(pointer=f"/{check}", code=code, detail=detail)
