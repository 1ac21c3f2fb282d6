"""Partitions of the position table by range of `measured_at`, made ahead of time.

Positions with a time outside all partitions (wrong clocks, old dumps) go to the default
partition, so that a missing partition refuses nothing (fault F-147).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection, transaction

log = structlog.get_logger(__name__)

_EPOCH = datetime(1970, 1, 5, tzinfo=UTC)  # a Monday
WEEKS_BEHIND = 5
WEEKS_AHEAD = 5
# A period with this many rows in the default partition gets its own partition.
WORTH_A_PARTITION = 100_000


def make_partitions(now: datetime) -> list[str]:
    """Create the partitions around `now`, and of crowded periods of the default partition.

    Returns the names of the new partitions. Safe to repeat and to run twice at once.
    """
    wanted = {_start_of(now + timedelta(weeks=week)) for week in range(-WEEKS_BEHIND, WEEKS_AHEAD)}
    wanted |= _crowded_stretches(now)
    existing = _existing()
    made = [start for start in sorted(wanted) if _name(start) not in existing]
    for start in made:
        _make(start)
    return [_name(start) for start in made]


def partition_of(at: datetime) -> str:
    """Return the name that the partition holding `at` has, or would have."""
    return _name(_start_of(at))


def _interval() -> timedelta:
    return timedelta(days=settings.POSITION_PARTITION_DAYS)


def _start_of(at: datetime) -> datetime:
    return _EPOCH + ((at - _EPOCH) // _interval()) * _interval()


def _name(start: datetime) -> str:
    return f"positions_position_{start:%Y%m%d}"


def _existing() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'positions_position'::regclass"
        )
        return {row[0] for row in cursor.fetchall()}


def _crowded_stretches(now: datetime) -> set[datetime]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(measured_at) FROM positions_position_default"
            " WHERE measured_at BETWEEN '2000-01-02' AND %s"
            " GROUP BY floor(extract(epoch FROM measured_at) / %s) HAVING count(*) >= %s",
            [now, _interval().total_seconds(), WORTH_A_PARTITION],
        )
        return {_start_of(row[0]) for row in cursor.fetchall()}


def _make(start: datetime) -> None:
    name, end = _name(start), start + _interval()
    bounds = [start.isoformat(), end.isoformat()]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('positions partitions'))")
        if name in _existing():
            return
        # Rows of the stretch must leave the default partition before it may be attached.
        cursor.execute(f"CREATE TABLE {name} (LIKE positions_position INCLUDING ALL)")
        cursor.execute(
            "WITH moved AS (DELETE FROM positions_position_default"
            " WHERE measured_at >= %s AND measured_at < %s RETURNING *)"
            f" INSERT INTO {name} SELECT * FROM moved",
            bounds,
        )
        cursor.execute(
            f"ALTER TABLE positions_position ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)",
            bounds,
        )
    log.info("partition made", partition=name)
