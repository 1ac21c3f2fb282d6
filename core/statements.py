"""Prepared statements for the road, on Django's connection and in its transaction.

Django binds parameters in the client and so has each statement parsed and planned anew,
which costs the road more than running it. Here PostgreSQL binds, and keeps the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import lru_cache
from inspect import signature
from types import NoneType
from typing import Any, Literal, LiteralString, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from msgspec import Struct

Record = TypeVar("Record")

# Statements run by this process, for the metrics.
counter = [0]


def run(sql: LiteralString, parameters: Sequence[Any] = ()) -> Any:
    """Run a statement whose text is always the same; return its cursor, to fetch from.

    Results come in binary, since Django reads times from text, which is far slower. Errors are
    Django's. Inside `connection.execute_wrappers` (as in query-count tests) the statement goes
    through Django instead, so that the wrappers see it.
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


def records(
    kind: Callable[..., Record],
    sql: LiteralString,
    parameters: Sequence[Any] = (),
    **conversions: Callable[[Any], Any],
) -> list[Record]:
    """Run a statement and return all its rows as `kind`, see `records_of`."""
    with run(sql, parameters) as cursor:
        return records_of(kind, cursor, **conversions)


def records_of(
    kind: Callable[..., Record], cursor: Any, **conversions: Callable[[Any], Any]
) -> list[Record]:
    """Fetch all rows and call `kind` with each: a column is the argument of the same name.

    `conversions` are functions by the name of the column to which they are applied. Raises
    TypeError unless the columns are exactly the arguments of `kind`, even without any row.
    """
    found, result = cursor.fetchall(), cursor.pgresult
    places = _places(kind, tuple(map(result.fname, range(result.nfields))))
    if not found:
        return []
    # Whole columns in the order of the arguments: as quick as unpacking rows by position.
    columns = list(zip(*found, strict=True))
    ordered = (
        map(conversions[name], columns[place]) if name in conversions else columns[place]
        for name, place in places
    )
    return list(map(kind, *ordered))


@lru_cache(maxsize=256)
def _places(kind: Callable[..., Any], columns: tuple[bytes, ...]) -> tuple[tuple[str, int], ...]:
    """Return the arguments of `kind` in order, each with the place of its column."""
    arguments, names = tuple(signature(kind).parameters), [name.decode() for name in columns]
    if sorted(arguments) != sorted(names):
        differing = sorted(set(arguments) ^ set(names)) or names
        raise TypeError(f"columns and arguments of {kind.__name__} differ: {differing}")
    return tuple((name, names.index(name)) for name in arguments)


_SQL_TYPES: dict[Any, LiteralString] = {
    int: "bigint",
    float: "float8",
    bool: "boolean",
    str: "text",
    datetime: "timestamptz",
    date: "date",
    UUID: "uuid",
    # In base64, as msgspec renders bytes in JSON: the statement must decode them.
    bytes: "text",
}


def recordset(kind: type[Struct]) -> LiteralString:
    """Return the FROM item for a parameter that is a JSON list of `kind`: members as columns.

    A member without a plain SQL type is jsonb.
    """
    columns = (f"{name} {_sql_type(hint)}" for name, hint in get_type_hints(kind).items())
    return f"json_to_recordset(%s::json) AS o({', '.join(columns)})"


def _sql_type(hint: Any) -> LiteralString:
    if get_origin(hint) is Literal:
        return "text"
    known = [member for member in get_args(hint) or (hint,) if member is not NoneType]
    return _SQL_TYPES.get(known[0], "jsonb") if len(known) == 1 else "jsonb"


@contextmanager
def pipelined() -> Iterator[None]:
    """Send the statements run inside as a pipeline, without waiting for each answer.

    Each wait releases the interpreter lock and must get it back from a busy door. Fetch from
    the cursors only afterwards; an error is raised at the end at the latest.
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
