"""The numbered stream of alert changes, for whoever follows."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from alerts.models import Alert, AlertChange
from alerts.serializers import AlertSerializer

# What a row names, to be fetched with it.
NAMED = ("rule", "rule_version", "asset", "geofence", "acknowledged_by")


def alert_row(alert: Alert) -> dict[str, Any]:
    """Return the alert as the REST API and the live socket show it."""
    return dict(AlertSerializer(alert).data)


def alerts_after(user: User | Any, number: int, limit: int) -> list[dict[str, Any]]:
    """Return a row for each change with a higher number that `user` may see, lowest first.

    Each shows the alert as it stands now, under the number of its change. One query. Whoever
    saw a number has seen all before it: fewer than `limit` rows mean that there are no more.
    """
    changes: QuerySet[AlertChange] = AlertChange.objects.visible_to(user)
    followed = changes.filter(number__gt=number).order_by("number")
    named = followed.select_related(*(f"alert__{name}" for name in NAMED))
    return [alert_row(change.alert) | {"number": change.number} for change in named[:limit]]


def newest_number() -> int:
    """Return the number from which a viewer follows who has just read the list of alerts."""
    return AlertChange.objects.order_by("-number").values_list("number", flat=True).first() or 0
