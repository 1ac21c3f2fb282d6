"""Containment of a point in a geofence, for people who try it out."""

from __future__ import annotations

import math
from typing import Any, Literal

import shapely
from django.contrib.gis.geos import Point
from msgspec import Struct

from geofence.distance import ShapeEdge
from geofence.models import GeofenceVersion
from geofence.presets import default_max_accuracy_m


class Containment(Struct, frozen=True, kw_only=True):
    containment: Literal["inside", "outside", "unsure"]
    is_inside: bool
    distance_m: float | None
    accuracy_counted_m: float
    version: int


def containment_of(
    version: GeofenceVersion, *, lon_deg: float, lat_deg: float, accuracy_m: float | None = None
) -> Containment:
    """Return the containment of a fix with this accuracy, by the rules for judging fixes."""
    point = Point(lon_deg, lat_deg, srid=4326)
    # PostGIS has the stored shape; a point on the edge intersects.
    is_inside = GeofenceVersion.objects.filter(pk=version.pk, area__intersects=point).exists()
    area: Any = shapely.from_wkb(bytes(version.area.wkb))
    distance_m = ShapeEdge(area).distance_m(lon_deg, lat_deg)
    cap_m = version.inradius_m / 2.0 if version.accuracy_cap_m is None else version.accuracy_cap_m
    counted_m = min(accuracy_m or 0.0, cap_m)
    is_coarse = accuracy_m is not None and accuracy_m > effective_max_accuracy_m(version)
    side: Literal["inside", "outside", "unsure"] = "inside" if is_inside else "outside"
    return Containment(
        containment="unsure" if is_coarse or distance_m < counted_m else side,
        is_inside=is_inside,
        distance_m=_signed(distance_m, is_inside=is_inside),
        accuracy_counted_m=counted_m,
        version=version.pk,
    )


def effective_max_accuracy_m(version: GeofenceVersion) -> float:
    """Return beyond which accuracy fixes decide nothing, with the default filled in."""
    max_m = version.max_accuracy_m
    return default_max_accuracy_m(version.inradius_m) if max_m is None else float(max_m)


def _signed(distance_m: float, *, is_inside: bool) -> float | None:
    if math.isinf(distance_m):
        return None
    return distance_m if is_inside else -distance_m
