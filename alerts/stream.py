"""The numbered stream of alert changes, for viewers who follow it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from alerts.models import Alert, AlertChange
from alerts.serializers import AlertSerializer

# Rows to which an alert refers, fetched in the same query.
RELATED = ("rule", "rule_version", "asset", "geofence", "crossing", "acknowledged_by")


def alert_row(alert: Alert) -> dict[str, Any]:
    """Return the alert as in the REST API and on the live socket."""
    return dict(AlertSerializer(alert).data)


def alerts_after(user: User | Any, number: int, limit: int) -> list[dict[str, Any]]:
    """Return a row for each change with a higher number that `user` may see, lowest first.

    Each row is the alert in its present state, with the number of the change. One query.
    Changes are committed in the order of their numbers, so fewer than `limit` rows are the last.
    """
    changes: QuerySet[AlertChange] = AlertChange.objects.visible_to(user)
    newer = changes.filter(number__gt=number).order_by("number")
    rows = newer.select_related(*(f"alert__{name}" for name in RELATED))
    return [alert_row(change.alert) | {"number": change.number} for change in rows[:limit]]


def newest_number() -> int:
    """Return the number of the newest change, from which a viewer follows."""
    return AlertChange.objects.order_by("-number").values_list("number", flat=True).first() or 0
