"""The zone indexes of all organisations in memory, each at a revision.

A batch reads the revision in its transaction, after it has locked its assets, and
judges by an index of exactly that revision: so each fix is judged by one state of the
geofences, and a batch either sees a change or is judged again because of it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import shapely

from core.statements import records, rows
from geofence.presets import DEFAULT_LEAST_M, DEFAULT_SIZES, LIMITS_M
from geofence.zone import FAR_FUTURE_US, Zone
from geofence.zone_index import ZoneIndex

_EMPTY = ZoneIndex(())
# The columns are the members of `Zone`, with their defaults filled in.
_SELECT = f"""
    SELECT v.id AS version_id, v.geofence_id, ST_AsBinary(v.area) AS area,
        (extract(epoch FROM v.valid_from) * 1000000)::bigint AS valid_from_us,
        coalesce((extract(epoch FROM v.valid_to) * 1000000)::bigint, {FAR_FUTURE_US})
            AS valid_to_us,
        -- So that a small yard can be entered at all by a coarse receiver.
        coalesce(v.accuracy_cap_m, v.inradius_m / 2) AS accuracy_cap_m,
        coalesce(v.max_accuracy_m, (
            SELECT min(limit_m) FROM unnest(%s::float8[]) AS limit_m
            WHERE limit_m >= greatest({DEFAULT_SIZES} * v.inradius_m, {DEFAULT_LEAST_M})
        ), {LIMITS_M[-1]}) AS max_accuracy_m,
        v.persist_fixes, round(v.persist_s * 1000000)::bigint AS persist_us,
        v.judges_pass_through, round(v.max_gap_s * 1000000)::bigint AS max_gap_us,
        coalesce(v.floor_m, '-infinity') AS floor_m, coalesce(v.ceiling_m, 'infinity') AS ceiling_m,
        v.asset_ids, v.tags
    FROM geofence_geofenceversion v JOIN geofence_geofence g ON g.id = v.geofence_id
    WHERE g.organisation_id = %s AND v.revision > %s"""


class ZoneStore:
    """Indexes by organisation, loaded when first needed and brought up to date by revision."""

    def __init__(self) -> None:
        self._indexes: dict[int, ZoneIndex] = {}
        self._zones: dict[int, dict[int, Zone]] = {}
        # A lock for each organisation, so that none waits for another's geofences.
        self._loading: dict[int, threading.Lock] = {}

    def indexes(self, revisions: Mapping[int, int]) -> dict[int, ZoneIndex]:
        """Return an index of each organisation, at the given revision or a later one."""
        return {
            organisation_id: self._at(organisation_id, revision)
            for organisation_id, revision in revisions.items()
        }

    def refresh(self) -> None:
        """Bring the indexes in use up to date, so that no batch has to wait for it."""
        self.indexes(_revisions(list(self._indexes)))

    def _at(self, organisation_id: int, revision: int) -> ZoneIndex:
        index = self._indexes.get(organisation_id, _EMPTY)
        if index.revision >= revision:
            return index
        with self._loading.setdefault(organisation_id, threading.Lock()):
            index = self._indexes.get(organisation_id, _EMPTY)
            if index.revision < revision:
                index = self._load(organisation_id, index.revision, revision)
                self._indexes[organisation_id] = index
        return index

    def _load(self, organisation_id: int, known: int, revision: int) -> ZoneIndex:
        """Read the versions that changed since the revision `known`, and build a new index."""
        zones = self._zones.setdefault(organisation_id, {})
        found = records(
            Zone,
            _SELECT,
            [list(LIMITS_M), organisation_id, known],
            area=shapely.from_wkb,
            asset_ids=frozenset,
            tags=frozenset,
        )
        for zone in found:
            if zone.valid_to_us > zone.valid_from_us:
                zones[zone.version_id] = zone
            else:
                zones.pop(zone.version_id, None)
        return ZoneIndex(zones.values(), revision=revision)


def _revisions(organisation_ids: Sequence[int]) -> dict[int, int]:
    if not organisation_ids:
        return {}
    return dict(
        rows(
            "SELECT organisation_id, revision FROM geofence_revision"
            " WHERE organisation_id = ANY(%s::bigint[])",
            [organisation_ids],
        )
    )
