"""The revisions of what the road holds in memory, as its transaction sees them."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from tracker.statements import rows


class Revisions(Struct, frozen=True):
    """Of the registry, and of the geofences of each organisation asked for."""

    registry: int
    geofences: dict[int, int]


def current_revisions(organisation_ids: Iterable[int]) -> Revisions:
    """Read the revisions, in one statement.

    Asked with the assets locked, they say whether the copies in memory are what every later
    change will find judged: a change that is not seen here meets the locks.
    """
    geofences = dict.fromkeys(organisation_ids, 0)
    found = rows(
        "SELECT 0, revision FROM assets_registryrevision UNION ALL"
        " SELECT organisation_id, revision FROM geofence_revision"
        " WHERE organisation_id = ANY(%s::bigint[])",
        [list(geofences)],
    )
    revisions = dict(found)
    registry = revisions.pop(0, 0)
    return Revisions(registry, geofences | revisions)
