"""Rows of crossings, as the REST API and the live socket show them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from core.statements import rows
from core.time_texts import rfc3339
from geofence.crossing_changes import CrossingChange


def crossing_rows(changes: Sequence[CrossingChange]) -> list[dict[str, Any]]:
    """Return a row for each change, in order; one statement for the names, none if empty."""
    if not changes:
        return []
    names = {
        (is_asset, number): name
        for is_asset, number, name in rows(
            "SELECT true, id, name FROM assets_asset WHERE id = ANY(%s::bigint[]) UNION ALL"
            " SELECT false, id, name FROM geofence_geofence WHERE id = ANY(%s::bigint[])",
            [
                list({change.asset_id for change in changes}),
                list({change.geofence_id for change in changes}),
            ],
        )
    }
    return [
        crossing_row(change, names[True, change.asset_id], names[False, change.geofence_id])
        for change in changes
    ]


def crossing_row(change: CrossingChange, asset_name: str, geofence_name: str) -> dict[str, Any]:
    """Return the row that the API would answer right after the change, for live frames.

    `recorded_at`, which only the database knows, is null for a moved or withdrawn crossing.
    """
    now = datetime.now(UTC)
    is_first = change.change in ("new", "added")
    return {
        "id": change.crossing_id,
        "asset": change.asset_id,
        "asset_name": asset_name,
        "geofence": change.geofence_id,
        "geofence_name": geofence_name,
        "kind": change.kind,
        "at": _instant(change.at),
        "not_before": _instant(change.not_before),
        "not_after": _instant(change.not_after),
        "estimate": _instant(change.estimate),
        "left_estimate": _instant(change.left_estimate),
        "inferred": change.is_inferred,
        "is_late": change.is_late,
        "correction": None if change.change == "new" else change.change,
        "before": change.before,
        "withdrawn_at": _instant(now if change.change == "withdrawn" else None),
        "recorded_at": _instant(now if is_first else None),
        "lon_deg": change.lon_deg,
        "lat_deg": change.lat_deg,
    }


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
