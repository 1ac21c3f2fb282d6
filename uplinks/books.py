"""Statements of the road: the books of each source, uplinks set aside, and misused tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import msgspec
from msgspec import Struct

from core.statements import recordset, run

SourceDay = tuple[int, date]


class Counts(Struct):
    """Numbers of observations of a source: received is the sum of the others."""

    stored: int = 0
    duplicate: int = 0
    set_aside: int = 0
    refused: int = 0

    @property
    def received(self) -> int:
        return self.stored + self.duplicate + self.set_aside + self.refused


class _CountedRow(Struct):
    source_id: int
    day: date
    received: int
    stored: int
    duplicate: int
    set_aside: int
    refused: int


_COUNTED = _CountedRow.__struct_fields__[2:]
_COUNT = f"""
    INSERT INTO uplinks_sourcecount AS b
        (source_id, day, shard, {", ".join(_COUNTED)}, last_received_at)
    SELECT source_id, day, pg_backend_pid() %% 16, {", ".join(_COUNTED)}, now()
    FROM {recordset(_CountedRow)} ORDER BY source_id, day
    ON CONFLICT (source_id, day, shard) DO UPDATE
        SET {", ".join(f"{name} = b.{name} + excluded.{name}" for name in _COUNTED)},
            last_received_at = excluded.last_received_at"""


def count(counts: Mapping[SourceDay, Counts]) -> None:
    """Add to the books, by source id and day of receipt in UTC. One statement.

    Called late in the transaction, since the rows are hot. Connections count in different rows,
    so that they do not wait for each other's commits.
    """
    if not counts:
        return
    counted = [
        _CountedRow(
            source_id=source_id,
            day=day,
            received=book.received,
            stored=book.stored,
            duplicate=book.duplicate,
            set_aside=book.set_aside,
            refused=book.refused,
        )
        for (source_id, day), book in counts.items()
    ]
    run(_COUNT, [msgspec.json.encode(counted).decode()])


class SetAsideUplink(Struct, kw_only=True):
    """An uplink to be set aside with its reason; `user` is the name of HTTP Basic, if any."""

    organisation_id: int
    source_id: int
    received_at: datetime
    reason: str
    detail: str
    device_identifier: str
    content_type: str
    query: str
    user: str
    headers: Mapping[str, str]
    body: bytes
    observations: int
    digest: bytes = b""

    def __post_init__(self) -> None:
        # Text columns hold no NUL, and these have limited lengths.
        self.detail = self.detail.replace("\0", "")[:1000]
        self.device_identifier = self.device_identifier.replace("\0", "")[:128]
        self.content_type, self.user = self.content_type[:100], self.user[:128]
        content = "\0".join((self.reason, self.device_identifier, self.query)).encode()
        self.digest = hashlib.blake2b(content + b"\0" + self.body, digest_size=16).digest()


_SET_ASIDE = """
    INSERT INTO uplinks_setaside AS s (organisation_id, source_id, received_at, reason, detail,
        device_identifier, content_type, query, basic_user, headers, body, digest, observations)
    SELECT organisation_id, source_id, received_at, reason, detail, device_identifier,
        content_type, query, "user", headers, decode(body, 'base64'), decode(digest, 'base64'),
        observations
    FROM json_to_recordset(%s::json) AS o(organisation_id bigint, source_id bigint,
        received_at timestamptz, reason text, detail text, device_identifier text,
        content_type text, query text, "user" text, headers jsonb, body text, digest text,
        observations int)
    ORDER BY source_id, digest
    ON CONFLICT (source_id, digest) DO UPDATE
        SET replayed_at = NULL, observations = s.observations + excluded.observations"""


def set_aside(uplinks: Iterable[SetAsideUplink]) -> None:
    """Keep uplinks that cannot be used yet. The same bytes for the same reason are one row.

    The row counts its copies, and is open again if it had been replayed. One statement.
    """
    kept: dict[tuple[int, bytes], SetAsideUplink] = {}
    for uplink in uplinks:
        former = kept.setdefault((uplink.source_id, uplink.digest), uplink)
        if former is not uplink:
            former.observations += uplink.observations
    if kept:
        run(_SET_ASIDE, [msgspec.json.encode(list(kept.values())).decode()])


# Named devices kept for each source; an honest mistake names only a few.
MAX_MISUSES_BY_NAME = 100


class TokenMisuse(Struct, frozen=True, kw_only=True):
    """A report that names another device than its token; `at` is when it was received."""

    organisation_id: int
    source_id: int
    device_identifier: str
    at: datetime


# Devices beyond the limit share the row without a name. Two batches at once may exceed the limit
# by the devices of one batch; later batches see both.
_MISUSED = """
    WITH reported AS (
        SELECT o, s, d, min(a) AS first_at, max(a) AS last_at, count(*) AS times
        FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::timestamptz[]) AS t(o, s, d, a)
        GROUP BY 1, 2, 3
    ), known AS (
        SELECT r.*, m.id IS NOT NULL AS is_known,
            (SELECT count(*) FROM uplinks_misuse AS k WHERE k.source_id = r.s)
            + row_number() OVER (PARTITION BY r.s, m.id IS NULL ORDER BY r.d) AS place
        FROM reported AS r LEFT JOIN uplinks_misuse AS m
            ON m.source_id = r.s AND m.device_identifier = r.d
    ), named AS (
        SELECT o, s, CASE WHEN is_known OR place <= %s THEN d ELSE '' END AS d,
            first_at, last_at, times
        FROM known
    )
    INSERT INTO uplinks_misuse AS m
        (organisation_id, source_id, device_identifier, first_at, last_at, times)
    SELECT o, s, d, min(first_at), max(last_at), sum(times) FROM named GROUP BY o, s, d
    ORDER BY s, d
    ON CONFLICT (source_id, device_identifier) DO UPDATE
        SET first_at = least(m.first_at, excluded.first_at),
            last_at = greatest(m.last_at, excluded.last_at), times = m.times + excluded.times"""


def record_misuse(misuses: Sequence[TokenMisuse]) -> None:
    """Record misuses of tokens, with a count for each named device. One statement."""
    if not misuses:
        return
    columns = (
        [misuse.organisation_id for misuse in misuses],
        [misuse.source_id for misuse in misuses],
        [misuse.device_identifier.replace("\0", "")[:128] for misuse in misuses],
        [misuse.at for misuse in misuses],
    )
    run(_MISUSED, [*columns, MAX_MISUSES_BY_NAME])
