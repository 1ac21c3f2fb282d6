"""The zone indexes of all organisations in memory, each at a revision.

A batch asks for the revision in its transaction, after it has locked its assets, and
judges by an index of just that revision: so each fix is judged by one state of the
geofences, and re-judging after a change meets no batch that has missed it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import shapely

from core.statements import rows
from geofence.zone import FAR_FUTURE_US, Zone
from geofence.zone_index import ZoneIndex

_EMPTY = ZoneIndex(())
_SELECT = (
    "SELECT v.id, v.geofence_id, ST_AsBinary(v.area),"
    " (extract(epoch FROM v.valid_from) * 1000000)::bigint,"
    " (extract(epoch FROM v.valid_to) * 1000000)::bigint,"
    " v.accuracy_cap_m, v.inradius_m, v.max_accuracy_m, v.persist_fixes, v.persist_s,"
    " v.judges_pass_through, v.max_gap_s, v.floor_m, v.ceiling_m, v.asset_ids, v.tags"
    " FROM geofence_geofenceversion v JOIN geofence_geofence g ON g.id = v.geofence_id"
    " WHERE g.organisation_id = %s AND v.revision > %s"
)


class ZoneStore:
    """Indexes by organisation, loaded when first needed and brought up to date by revision."""

    def __init__(self) -> None:
        self._indexes: dict[int, ZoneIndex] = {}
        self._zones: dict[int, dict[int, Zone]] = {}
        # Each organisation has its own, so that none waits for another's geofences.
        self._loading: dict[int, threading.Lock] = {}

    def indexes(self, revisions: Mapping[int, int]) -> dict[int, ZoneIndex]:
        """Return an index of each organisation, at the revision given or a later one."""
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
        """Read the versions that changed since `known`, and build the index anew."""
        zones = self._zones.setdefault(organisation_id, {})
        found = rows(_SELECT, [organisation_id, known])
        areas = shapely.from_wkb([bytes(row[2]) for row in found])
        for row, area in zip(found, areas, strict=True):
            zone = zone_of(row, area)
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


def zone_of(row: tuple[Any, ...], area: Any) -> Zone:
    """Return the zone that a row of `_SELECT` describes, with its defaults filled in."""
    version_id, geofence_id, _, valid_from_us, valid_to_us, cap_m, inradius_m, *rest = row
    max_m, persist_fixes, persist_s, passes, max_gap_s, floor_m, ceiling_m, asset_ids, tags = rest
    limits: dict[str, Any] = {
        "max_accuracy_m": max_m,
        "floor_m": floor_m,
        "ceiling_m": ceiling_m,
    }
    return Zone(
        geofence_id=geofence_id,
        version_id=version_id,
        area=area,
        valid_from_us=valid_from_us,
        valid_to_us=FAR_FUTURE_US if valid_to_us is None else valid_to_us,
        # So that a small yard can be entered at all by a coarse receiver.
        accuracy_cap_m=inradius_m / 2 if cap_m is None else cap_m,
        persist_fixes=persist_fixes,
        persist_us=round(persist_s * 1_000_000),
        judges_pass_through=passes,
        max_gap_us=round(max_gap_s * 1_000_000),
        asset_ids=frozenset(asset_ids),
        tags=frozenset(tags),
        **{name: value for name, value in limits.items() if value is not None},
    )
