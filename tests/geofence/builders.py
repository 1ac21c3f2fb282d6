"""Geofences and crossings that stand, without the road that leads to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import Organisation
from assets.models import Asset
from geofence import actions
from geofence.models import Correction, Crossing, Geofence, Presence
from tests.builders import DEPOT_LONLAT_DEG, MORNING
from tests.geofence.shapes import circle

DEPOT = circle(DEPOT_LONLAT_DEG, 250)


def make_geofence(
    organisation: Organisation,
    name: str = "depot",
    shape: dict[str, Any] | None = None,
    valid_from: datetime = MORNING,
    **judging: Any,
) -> Geofence:
    return actions.draw_geofence(
        organisation=organisation,
        name=name,
        shape=shape or DEPOT,
        valid_from=valid_from,
        **judging,
    )


def make_crossing(
    asset: Asset, geofence: Geofence, kind: str, at: datetime, **fields: Any
) -> Crossing:
    """Return a crossing that stands, as judging would have written it."""
    lon_deg, lat_deg = DEPOT_LONLAT_DEG
    return Crossing.objects.create(
        organisation_id=asset.organisation_id,
        asset=asset,
        geofence=geofence,
        version=geofence.versions.get(valid_to=None),
        kind=kind,
        at=at,
        **{
            "not_after": at,
            "confirmed_at": at,
            "device_id": 1,
            "lon_deg": lon_deg,
            "lat_deg": lat_deg,
        }
        | fields,
    )


def make_correction(crossing: Crossing, change: str) -> Correction:
    return Correction.objects.create(
        organisation_id=crossing.organisation_id,
        crossing=crossing,
        change=change,
        cause={"why": "a late observation"},
    )


def make_presence(asset: Asset, geofence: Geofence, since: datetime) -> Presence:
    return Presence.objects.create(
        organisation_id=asset.organisation_id, asset=asset, geofence=geofence, since=since
    )
