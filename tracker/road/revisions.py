"""The revisions of what the road holds in memory, as its transaction sees them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from core.statements import run


class Revisions(Struct, frozen=True):
    """Of the registry, and of the geofences of each organisation asked for."""

    registry: int
    geofences: dict[int, int]

    @property
    def by_name(self) -> dict[str, dict[int, int]]:
        """Those that folds ask for, by the name of what is revised."""
        return {"geofences": self.geofences}


def current_revisions(organisation_ids: Iterable[int]) -> Revisions:
    """Read the revisions, in one statement.

    Asked with the assets locked, they say whether the copies in memory are what every later
    change will find judged: a change that is not seen here meets the locks.
    """
    return revisions_of(ask_for_revisions(organisation_ids))


def ask_for_revisions(organisation_ids: Iterable[int]) -> Any:
    """As `current_revisions`, to be fetched later by `revisions_of`."""
    return run(
        "SELECT 0, revision FROM assets_registryrevision UNION ALL"
        " SELECT o.id, coalesce(g.revision, 0) FROM unnest(%s::bigint[]) AS o(id)"
        " LEFT JOIN geofence_revision g ON g.organisation_id = o.id",
        [list(organisation_ids)],
    )


def revisions_of(cursor: Any) -> Revisions:
    with cursor:
        geofences = dict(cursor.fetchall())
    registry = geofences.pop(0, 0)
    return Revisions(registry, geofences)
