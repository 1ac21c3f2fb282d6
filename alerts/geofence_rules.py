"""The rules about a geofence, which retire with it. Named in the setting GEOFENCE_DEPENDENTS."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from alerts.actions import retire_rule
from alerts.models import Rule


def dependents_of(geofence_id: int) -> list[dict[str, int | str]]:
    """Return the rules that end when the geofence is deleted."""
    return [{"id": rule.pk, "name": rule.name} for rule in _rules_about(geofence_id)]


def end_dependents_of(geofence_id: int, at: datetime) -> None:
    """Retire the rules, in the transaction that deletes the geofence."""
    for rule in _rules_about(geofence_id):
        retire_rule(rule=rule, now=at)


def _rules_about(geofence_id: int) -> QuerySet[Rule]:
    present: QuerySet[Rule] = Rule.objects.filter(
        retired_at=None, versions__geofence_id=geofence_id, versions__valid_to=None
    )
    return present.order_by("pk")
