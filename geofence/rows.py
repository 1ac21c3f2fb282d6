"""Crossings as the REST API and the live socket show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assets.models import Asset
from geofence.changes import CrossingChange
from geofence.models import Geofence


def crossing_rows(changes: Sequence[CrossingChange]) -> list[dict[str, Any]]:
    """Return a row for each change, in order; two statements for the names, none if empty."""
    if not changes:
        return []
    assets = dict(
        Asset.objects.filter(pk__in={c.asset_id for c in changes}).values_list("pk", "name")
    )
    geofences = dict(
        Geofence.objects.filter(pk__in={c.geofence_id for c in changes}).values_list("pk", "name")
    )
    return [crossing_row(c, assets[c.asset_id], geofences[c.geofence_id]) for c in changes]


def crossing_row(change: CrossingChange, asset_name: str, geofence_name: str) -> dict[str, Any]:
    """Return `change` under the names of `GET /api/v1/crossings/`."""
    return {
        "id": change.crossing_id,
        "asset": change.asset_id,
        "asset_name": asset_name,
        "geofence": change.geofence_id,
        "geofence_name": geofence_name,
        "kind": change.kind,
        "at": change.at.isoformat(),
        "not_before": change.not_before.isoformat() if change.not_before else None,
        "not_after": change.not_after.isoformat(),
        "estimate": change.estimate.isoformat() if change.estimate else None,
        "left_estimate": change.left_estimate.isoformat() if change.left_estimate else None,
        "inferred": change.is_inferred,
        "is_late": change.is_late,
        "correction": None if change.change == "new" else change.change,
        "lon_deg": change.lon_deg,
        "lat_deg": change.lat_deg,
    }
