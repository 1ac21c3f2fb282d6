"""The objects of higher floors that end with a geofence, such as the rules about it.

A floor above names a module in the setting GEOFENCE_DEPENDENTS. The module has two functions:
`dependents_of(geofence_id)` returns id and name of each object, and
`end_dependents_of(geofence_id, at)` ends them in the transaction that deletes the geofence.
"""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import Any

from django.conf import settings


def dependents_of(geofence_id: int) -> dict[str, list[dict[str, Any]]]:
    """Return the objects that end with a geofence, by their kind."""
    return {
        kind: import_module(path).dependents_of(geofence_id)
        for kind, path in settings.GEOFENCE_DEPENDENTS.items()
    }


def end_dependents_of(geofence_id: int, at: datetime) -> None:
    for path in settings.GEOFENCE_DEPENDENTS.values():
        import_module(path).end_dependents_of(geofence_id, at)
