"""Revisions of the rows that the road holds in memory, as its transaction sees them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from core.statements import run


class Revisions(Struct, frozen=True):
    """The revisions of the registry, and of the geofences of some organisations."""

    registry: int
    geofences: dict[int, int]

    @property
    def by_name(self) -> dict[str, dict[int, int]]:
        """The revisions for ledgers, by the name of the revised rows."""
        return {"geofences": self.geofences}


def current_revisions(organisation_ids: Iterable[int]) -> Revisions:
    """Read the revisions, in one statement.

    Call it with the assets locked: a change that is committed later must wait for the locks, and
    so sees these assets as judged. If memory equals these revisions, judging misses no change.
    """
    return fetch_revisions(send_revisions_query(organisation_ids))


def send_revisions_query(organisation_ids: Iterable[int]) -> Any:
    """Send the query of `current_revisions`; `fetch_revisions` returns its result."""
    return run(
        "SELECT 0, revision FROM assets_registryrevision UNION ALL"
        " SELECT o.id, coalesce(g.revision, 0) FROM unnest(%s::bigint[]) AS o(id)"
        " LEFT JOIN geofence_revision g ON g.organisation_id = o.id",
        [list(organisation_ids)],
    )


def fetch_revisions(cursor: Any) -> Revisions:
    with cursor:
        geofences = dict(cursor.fetchall())
    registry = geofences.pop(0, 0)
    return Revisions(registry, geofences)
