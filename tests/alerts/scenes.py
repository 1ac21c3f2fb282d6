"""Builders of what alerts come from: geofences, crossings, rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import transaction

from accounts.models import Organisation
from alerts import actions
from alerts.changed_alerts import ChangedAlert
from alerts.models import Alert, AlertNotification, Rule
from alerts.rule_judging import judge_rules
from assets.models import Asset
from core.fact_order import before_all_at
from core.observation import microseconds
from core.occurrence import OccurrenceChange
from geofence.crossing_changes import CrossingChange
from geofence.models import Crossing, Geofence, GeofenceVersion
from tests.builders import DEPOT_LONLAT_DEG, MORNING, TEN

LON_DEG, LAT_DEG = DEPOT_LONLAT_DEG
SQUARE = Polygon.from_bbox((LON_DEG, LAT_DEG, LON_DEG + 0.01, LAT_DEG + 0.01))


def make_geofence(organisation: Organisation, name: str = "Depot North") -> Geofence:
    geofence = Geofence.objects.create(organisation=organisation, name=name)
    GeofenceVersion.objects.create(
        geofence=geofence,
        valid_from=MORNING,
        shape={"type": "polygon", "coordinates": [list(map(list, SQUARE.exterior_ring))]},
        area=MultiPolygon(SQUARE, srid=4326),
        inradius_m=300,
    )
    return geofence


def make_rule(geofence: Geofence, *recipients: str, **settings: Any) -> Rule:
    """Return a rule that has held since the morning."""
    given: dict[str, Any] = {
        "organisation": geofence.organisation,
        "name": "Depot watch",
        "trigger": "enter_or_exit",
        "geofence": geofence,
        "recipients": recipients,
        "now": MORNING,
    }
    return actions.add_rule(**given | settings)


def crossing_of(
    asset: Asset, geofence: Geofence, kind: str = "enter", at: datetime = TEN, **more: Any
) -> CrossingChange:
    """Store a crossing, and return what the road would hear of it."""
    version = geofence.versions.get()
    row = Crossing.objects.create(
        organisation_id=asset.organisation_id,
        asset=asset,
        geofence=geofence,
        version=version,
        kind=kind,
        at=at,
        not_after=at,
        confirmed_at=at,
        confirmed_key=before_all_at(microseconds(at)).to_bytes(),
        device_id=1,
        lon_deg=LON_DEG,
        lat_deg=LAT_DEG,
        is_late=more.get("change") == "added",
    )
    values: dict[str, Any] = {
        "change": "new",
        "crossing_id": row.pk,
        "organisation_id": asset.organisation_id,
        "asset_id": asset.pk,
        "geofence_id": geofence.pk,
        "version_id": version.pk,
        "kind": kind,
        "at": at,
        "not_before": None,
        "not_after": at,
        "estimate": None,
        "left_estimate": None,
        "confirmed_at": at,
        "is_inferred": False,
        "is_late": row.is_late,
        "lon_deg": LON_DEG,
        "lat_deg": LAT_DEG,
    }
    return CrossingChange(**values | more)


def occurrences_of(changes: Sequence[CrossingChange]) -> list[OccurrenceChange]:
    """Return crossings as the road hands them to rules."""
    return [change.as_occurrence() for change in changes]


def judge(*changes: CrossingChange, now: datetime = TEN) -> list[ChangedAlert]:
    with transaction.atomic():
        return judge_rules(occurrences_of(changes), now=now)


def raise_alert(asset: Asset, geofence: Geofence, **more: Any) -> Alert:
    """Return the alert that a new crossing raises by the one rule there is."""
    (raised,) = judge(crossing_of(asset, geofence, **more))
    return Alert.objects.get(pk=raised.alert_id)


def notifications_of(alert_id: int) -> list[tuple[str, str]]:
    """Return reason and state of each, oldest first."""
    rows = AlertNotification.objects.filter(alert_id=alert_id).select_related("notification")
    ordered = rows.order_by("change_id", "notification__address")
    return [(row.reason, row.notification.state) for row in ordered]


def ids_of(raised: Sequence[ChangedAlert]) -> list[Any]:
    return [each for one in raised for each in one.notification_ids]
