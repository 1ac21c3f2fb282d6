"""Prepared statements for the road, on Django's connection and in its transaction.

Django binds parameters in the client and so has each statement parsed and planned anew,
which costs the road more than running it. Here PostgreSQL binds, and keeps the plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

# Of this process, for the metrics.
counter = [0]


def run(sql: LiteralString, parameters: Sequence[Any] = ()) -> Any:
    """Run a statement whose text is always the same; return its cursor, to fetch from.

    Results come in binary: Django's own reading of times as text is the slower by far.

    Errors are Django's. Inside `connection.execute_wrappers` (as in query-count tests) it
    goes through Django instead, so that it is seen there.
    """
    counter[0] += 1
    # Looked up once: `django.db.connection` looks it up for each of its attributes.
    database = connections[DEFAULT_DB_ALIAS]
    if _is_watched(database):
        return _through_django(database, sql, parameters)
    database.ensure_connection()
    with database.wrap_database_errors:
        cursor = psycopg.Cursor(database.connection)
        return cursor.execute(sql, parameters, prepare=True, binary=True)


def rows(sql: LiteralString, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement and return all its rows."""
    with run(sql, parameters) as cursor:
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


@contextmanager
def together() -> Iterator[None]:
    """Send the statements run inside without waiting for the answer to each.

    Each wait gives up the interpreter and must get it back from a busy door. Fetch from
    their cursors only afterwards; what fails is raised at the end at the latest.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if _is_watched(database):
        yield
        return
    database.ensure_connection()
    with database.wrap_database_errors, database.connection.pipeline():
        yield


def _is_watched(database: BaseDatabaseWrapper) -> bool:
    watchers = database.execute_wrappers or database.queries_logged
    return bool(watchers or database.force_debug_cursor)


def _through_django(
    database: BaseDatabaseWrapper, sql: LiteralString, parameters: Sequence[Any]
) -> Any:
    cursor = database.cursor()
    cursor.execute(sql, parameters)
    return cursor
