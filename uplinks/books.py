"""The books of each source, the uplinks that were set aside, and whose tokens were misused."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from core.statements import recordset, run


class Counts(Struct):
    """Observations of one source: received is the sum of the others."""

    stored: int = 0
    duplicate: int = 0
    set_aside: int = 0
    refused: int = 0

    @property
    def received(self) -> int:
        return self.stored + self.duplicate + self.set_aside + self.refused


class _CountedRow(Struct):
    source_id: int
    received: int
    stored: int
    duplicate: int
    set_aside: int
    refused: int


_COUNTED = _CountedRow.__struct_fields__[1:]
_COUNT = f"""
    INSERT INTO uplinks_sourcecount AS b (source_id, shard, {", ".join(_COUNTED)}, last_received_at)
    SELECT source_id, pg_backend_pid() %% 16, {", ".join(_COUNTED)}, now()
    FROM {recordset(_CountedRow)} ORDER BY source_id
    ON CONFLICT (source_id, shard) DO UPDATE
        SET {", ".join(f"{name} = b.{name} + excluded.{name}" for name in _COUNTED)},
            last_received_at = excluded.last_received_at"""


def count(counts: Mapping[int, Counts]) -> None:
    """Add to the books, by source id. One statement, late in a transaction, since it is hot.

    Each connection counts in a row of its own, so that none waits for another's commit.
    """
    if not counts:
        return
    counted = [
        _CountedRow(
            source_id=source_id,
            received=book.received,
            stored=book.stored,
            duplicate=book.duplicate,
            set_aside=book.set_aside,
            refused=book.refused,
        )
        for source_id, book in counts.items()
    ]
    run(_COUNT, [msgspec.json.encode(counted).decode()])


class Aside(Struct, kw_only=True):
    """An uplink to be kept with its reason; `user` is the name of HTTP Basic, if any."""

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
        # What a text column cannot hold, or not so much of.
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


def set_aside(uplinks: Iterable[Aside]) -> None:
    """Keep uplinks that cannot be used yet. The same bytes for the same reason are one row.

    It stands for all its copies, and is open again if it had been replayed. One statement.
    """
    kept: dict[tuple[int, bytes], Aside] = {}
    for uplink in uplinks:
        former = kept.setdefault((uplink.source_id, uplink.digest), uplink)
        if former is not uplink:
            former.observations += uplink.observations
    if kept:
        run(_SET_ASIDE, [msgspec.json.encode(list(kept.values())).decode()])


# So many devices are kept by name for each source; an honest mistake names a few.
MAX_MISUSES_BY_NAME = 100


class Misused(Struct, frozen=True, kw_only=True):
    """A report under the token of another device than it names; `at` is when it was received."""

    organisation_id: int
    source_id: int
    device_identifier: str
    at: datetime


# What goes beyond the limit shares the row without a name. Two batches at once may overrun it
# by what one of them brings; the next sees both.
_MISUSED = """
    WITH told AS (
        SELECT o, s, d, min(a) AS first_at, max(a) AS last_at, count(*) AS times
        FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::timestamptz[]) AS t(o, s, d, a)
        GROUP BY 1, 2, 3
    ), known AS (
        SELECT told.*, m.id IS NOT NULL AS is_known,
            (SELECT count(*) FROM uplinks_misuse AS k WHERE k.source_id = told.s)
            + row_number() OVER (PARTITION BY told.s, m.id IS NULL ORDER BY told.d) AS place
        FROM told LEFT JOIN uplinks_misuse AS m
            ON m.source_id = told.s AND m.device_identifier = told.d
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


def remember_misuse(misused: Sequence[Misused]) -> None:
    """Enter misused tokens, each named device once with how often. One statement."""
    if not misused:
        return
    columns = (
        [one.organisation_id for one in misused],
        [one.source_id for one in misused],
        [one.device_identifier.replace("\0", "")[:128] for one in misused],
        [one.at for one in misused],
    )
    run(_MISUSED, [*columns, MAX_MISUSES_BY_NAME])
