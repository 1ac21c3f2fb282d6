"""Rows of geofences with their version in force, fetched in two queries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, Prefetch, Q, QuerySet
from django.utils import timezone

from core import broadcast
from geofence.api.representations import Row
from geofence.models import Geofence, GeofenceVersion
from geofence.serializers import GeofenceRow


def not_ended(now: datetime) -> Q:
    """Return the condition of versions that hold now or later; replaced versions do not."""
    return Q(valid_to__isnull=True) | (Q(valid_to__gt=now) & Q(valid_to__gt=F("valid_from")))


def with_versions(geofences: QuerySet[Geofence]) -> QuerySet[Geofence]:
    """Prefetch `current_versions`: first the version in force, or else the next version."""
    versions = GeofenceVersion.objects.filter(not_ended(timezone.now())).order_by("valid_from")
    return geofences.prefetch_related(Prefetch("versions", versions, to_attr="current_versions"))


def rows_of(geofences: Iterable[Any]) -> list[Row]:
    versions = [geofence.current_versions[0] for geofence in geofences if geofence.current_versions]
    return list(GeofenceRow(versions, many=True).data)


def publish_geofence_list(organisation_id: int) -> None:
    """After the commit, make live maps read the list of geofences again."""
    frame = broadcast.Changed(organisation_id=organisation_id, what="geofences")
    transaction.on_commit(partial(broadcast.publish, [frame]))
