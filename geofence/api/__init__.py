"""The REST API of geofences and crossings."""

from __future__ import annotations

from rest_framework.routers import BaseRouter

from geofence.api.crossing_views import CrossingViewSet
from geofence.api.geofence_views import GeofenceViewSet

__all__ = ["register"]


def register(router: BaseRouter) -> None:
    router.register("geofences", GeofenceViewSet, basename="geofence")
    router.register("crossings", CrossingViewSet, basename="crossing")
