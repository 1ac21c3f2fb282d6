"""GeoJSON (RFC 7946), answered to `Accept: application/geo+json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.renderers import JSONRenderer


class GeoJSONRenderer(JSONRenderer):
    media_type = "application/geo+json"
    format = "geojson"


def feature(
    *, feature_id: int | str | None, geometry: dict[str, Any] | None, properties: dict[str, Any]
) -> dict[str, Any]:
    """Return a Feature; coordinates are longitude first."""
    members: dict[str, Any] = {"type": "Feature", "geometry": geometry, "properties": properties}
    return members if feature_id is None else {**members, "id": feature_id}


def feature_collection(features: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}
