"""The books of each source, and the uplinks that were set aside."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from tracker.positions.models import SetAside
from tracker.statements import run

# Each process counts in one of these rows of a source, so that processes do not wait
# for each other's commits.
SHARDS = 16
_shard = secrets.randbelow(SHARDS)


class Counts(Struct):
    """Observations of one source: received is the sum of the others."""

    stored: int = 0
    duplicate: int = 0
    set_aside: int = 0
    refused: int = 0

    @property
    def received(self) -> int:
        return self.stored + self.duplicate + self.set_aside + self.refused


def count(counts: Mapping[int, Counts]) -> None:
    """Add to the books, by source id. One statement; the last of a transaction, since it is hot."""
    if not counts:
        return
    rows = sorted(counts.items())
    run(
        "INSERT INTO positions_sourcecount AS b (source_id, shard, received, stored, duplicate,"
        " set_aside, refused, last_received_at)"
        " SELECT s, %s, r, st, d, a, f, now() FROM unnest(%s::bigint[], %s::bigint[],"
        " %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS c(s, r, st, d, a, f)"
        " ON CONFLICT (source_id, shard) DO UPDATE"
        " SET received = b.received + excluded.received, stored = b.stored + excluded.stored,"
        " duplicate = b.duplicate + excluded.duplicate,"
        " set_aside = b.set_aside + excluded.set_aside, refused = b.refused + excluded.refused,"
        " last_received_at = excluded.last_received_at",
        [
            _shard,
            [source_id for source_id, _ in rows],
            [c.received for _, c in rows],
            [c.stored for _, c in rows],
            [c.duplicate for _, c in rows],
            [c.set_aside for _, c in rows],
            [c.refused for _, c in rows],
        ],
    )


class Aside(Struct, frozen=True, kw_only=True):
    """An uplink to be kept with its reason."""

    organisation_id: int
    source_id: int
    received_at: datetime
    reason: str
    detail: str
    device_identifier: str
    content_type: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    observations: int


def set_aside(uplinks: Iterable[Aside]) -> None:
    """Keep uplinks that cannot be used yet; the same bytes for the same reason once."""
    rows = [_row(uplink) for uplink in uplinks]
    if rows:
        SetAside.objects.bulk_create(
            sorted(rows, key=lambda row: (row.source_id, bytes(row.digest))), ignore_conflicts=True
        )


def _row(uplink: Aside) -> Any:
    content = "\0".join((uplink.reason, uplink.device_identifier, uplink.query)).encode()
    digest = hashlib.blake2b(content + b"\0" + uplink.body, digest_size=16).digest()
    return SetAside(
        organisation_id=uplink.organisation_id,
        source_id=uplink.source_id,
        received_at=uplink.received_at,
        reason=uplink.reason,
        detail=uplink.detail[:1000],
        device_identifier=uplink.device_identifier[:128],
        content_type=uplink.content_type[:100],
        query=uplink.query,
        headers=dict(uplink.headers),
        body=uplink.body,
        digest=digest,
        observations=uplink.observations,
    )


__all__: Sequence[str] = ["Aside", "Counts", "count", "set_aside"]
