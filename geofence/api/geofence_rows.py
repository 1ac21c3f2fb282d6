"""Rows of geofences with their version in force, fetched in two queries."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from assets.models import Asset
from core import broadcast
from geofence.api.representations import Row
from geofence.models import Geofence, GeofenceVersion, not_ended
from geofence.serializers import GeofenceRow


def with_versions(geofences: QuerySet[Geofence]) -> QuerySet[Geofence]:
    """Prefetch `current_versions`: first the version in force, or else the next version."""
    versions = GeofenceVersion.objects.filter(not_ended(timezone.now())).order_by("valid_from")
    return geofences.prefetch_related(Prefetch("versions", versions, to_attr="current_versions"))


def rows_of(geofences: Iterable[Any]) -> list[Row]:
    versions = [geofence.current_versions[0] for geofence in geofences if geofence.current_versions]
    return list(GeofenceRow(versions, many=True).data)


def export_rows(geofences: QuerySet[Geofence]) -> list[Row]:
    """Return rows that also name the linked assets, since ids mean other assets elsewhere."""
    rows = rows_of(with_versions(geofences))
    linked = {asset_id for row in rows for asset_id in row["asset_ids"]}
    found = Asset.objects.filter(pk__in=linked).values_list("pk", "name") if linked else ()
    names: dict[int, str] = dict(found)
    for row in rows:
        row["asset_names"] = [names[pk] for pk in row["asset_ids"] if pk in names]
    return rows


def publish_geofence_list(organisation_id: int) -> None:
    """After the commit, make live maps read the list of geofences again."""
    frame = broadcast.Changed(organisation_id=organisation_id, what="geofences")
    transaction.on_commit(partial(broadcast.publish, [frame]))
