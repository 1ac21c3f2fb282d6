"""Geofences with the version in force, fetched and rendered in two queries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, Prefetch, Q, QuerySet
from django.utils import timezone

from core import broadcast
from geofence.api.answers import Row
from geofence.models import Geofence, GeofenceVersion
from geofence.serializers import GeofenceRow


def not_over(now: datetime) -> Q:
    """Versions that hold now or will; not those that another was drawn in place of."""
    return Q(valid_to__isnull=True) | (Q(valid_to__gt=now) & Q(valid_to__gt=F("valid_from")))


def with_versions(geofences: QuerySet[Geofence]) -> QuerySet[Geofence]:
    """Fetch with each geofence the version in force, else the next to come, as the first."""
    versions = GeofenceVersion.objects.filter(not_over(timezone.now())).order_by("valid_from")
    return geofences.prefetch_related(Prefetch("versions", versions, to_attr="current_versions"))


def rows_of(geofences: Iterable[Any]) -> list[Row]:
    versions = [each.current_versions[0] for each in geofences if each.current_versions]
    return list(GeofenceRow(versions, many=True).data)


def tell_viewers(organisation_id: int) -> None:
    """Once committed, let live maps read the list of geofences again."""
    frame = broadcast.Changed(organisation_id=organisation_id, what="geofences")
    transaction.on_commit(partial(broadcast.publish, [frame]))
