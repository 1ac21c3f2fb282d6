"""The doors of this app: `geofences` and `crossings`."""

from __future__ import annotations

from rest_framework.routers import BaseRouter

from geofence.api.crossings import CrossingViewSet
from geofence.api.geofences import GeofenceViewSet

__all__ = ["register"]


def register(router: BaseRouter) -> None:
    router.register("geofences", GeofenceViewSet, basename="geofence")
    router.register("crossings", CrossingViewSet, basename="crossing")
