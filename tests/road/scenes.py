"""Builders for the road: observations of a van near a depot, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from accounts.models import Organisation
from alerts.models import Alert
from assets.models import Asset, Device
from core.observation import Fix, Observation
from geofence.models import Crossing, Presence
from outbox.models import Notification
from positions.models import AssetState, Position, RecordedOccurrence
from tests.builders import DEPOT_LONLAT_DEG, MORNING, device_on
from tracker import pipeline
from tracker.road.delivery import Delivery, Receipt
from tracker.road.road_memory import RoadMemory, memory_of_process, replace_memory_of_process

METRES_PER_DEGREE = 111_195.0


def away_from_depot(metres: float) -> tuple[float, float]:
    """Return the place so many metres north of the depot."""
    lon, lat = DEPOT_LONLAT_DEG
    return lon, lat + metres / METRES_PER_DEGREE


def square(metres: float = 100.0) -> dict[str, Any]:
    """Return a square polygon whose edges are so many metres from the depot."""
    lon, lat = DEPOT_LONLAT_DEG
    north, east = metres / METRES_PER_DEGREE, metres / METRES_PER_DEGREE / 0.61
    ring = [
        [lon - east, lat - north],
        [lon + east, lat - north],
        [lon + east, lat + north],
        [lon - east, lat + north],
        [lon - east, lat - north],
    ]
    return {"type": "polygon", "coordinates": [ring]}


def seen(
    asset: Asset,
    at: datetime,
    lonlat: tuple[float, float] | None = None,
    *,
    readings: dict[str, Any] | None = None,
    event_id: str | None = None,
    **fix: Any,
) -> Observation:
    return Observation(
        device=device_on(asset).identifier,
        measured_at=at,
        fix=Fix(lon_deg=lonlat[0], lat_deg=lonlat[1], **fix) if lonlat else None,
        readings=readings or {},
        event_id=event_id,
    )


def inside(asset: Asset, at: datetime, **fix: Any) -> Observation:
    return seen(asset, at, away_from_depot(0), **fix)


def outside(asset: Asset, at: datetime, **fix: Any) -> Observation:
    return seen(asset, at, away_from_depot(5000), **fix)


def deliver(
    organisation: Organisation,
    observations: Sequence[Observation],
    *,
    received_at: datetime = MORNING + timedelta(days=1),
    **more: Any,
) -> Receipt:
    """Send the observations down the road as one uplink."""
    delivery = Delivery(
        organisation_id=organisation.pk,
        received_at=received_at,
        observations=tuple(observations),
        indexes=tuple(range(len(observations))),
        **more,
    )
    return pipeline.receive([delivery], memory_of_process())[0]


def observe(organisation: Organisation, *observations: Observation) -> None:
    """Send the observations one after the other, each by itself."""
    for observation in observations:
        deliver(organisation, [observation])


def crossings_of(asset: Asset) -> list[tuple[Any, ...]]:
    """Return the standing crossings without their row ids, in order."""
    return sorted(
        Crossing.objects.filter(asset=asset, withdrawn_at=None).values_list(
            "confirmed_at",
            "device_id",
            "geofence_id",
            "kind",
            "at",
            "not_before",
            "not_after",
            "estimate",
            "left_estimate",
        ),
        key=repr,
    )


def kinds_of(asset: Asset) -> list[tuple[str, datetime]]:
    rows = Crossing.objects.filter(asset=asset, withdrawn_at=None).order_by("at", "pk")
    return [(row.kind, row.at) for row in rows]


def presence_of(asset: Asset) -> list[tuple[int, datetime, datetime | None]]:
    return sorted(
        Presence.objects.filter(asset=asset).values_list("geofence_id", "since", "not_before")
    )


def occurrences_of(asset: Asset) -> list[tuple[Any, ...]]:
    """Return the standing occurrences without their row ids, in order."""
    rows = RecordedOccurrence.objects.filter(asset=asset, withdrawn_at=None)
    return sorted(
        rows.values_list("fold", "kind", "begin_key", "begin_at", "end_key", "end_at"), key=repr
    )


def alerts_of(asset: Asset) -> list[tuple[Any, ...]]:
    """Return the standing alerts, with whom a notification is owed, in order."""
    alerts = Alert.objects.filter(asset=asset).exclude(state=Alert.State.WITHDRAWN)
    return sorted(
        (
            alert.rule.name,
            alert.rule_version.version,
            alert.kind,
            alert.at,
            sorted(owed_of(alert)),
        )
        for alert in alerts.select_related("rule", "rule_version")
    )


def owed_of(alert: Alert) -> list[tuple[str, str]]:
    """Return recipient and reason of each notification that is still to be sent."""
    waiting = alert.notifications.filter(notification__state=Notification.State.PENDING)
    return list(waiting.values_list("recipient__address", "reason"))


def positions_of(asset: Asset) -> list[tuple[Any, ...]]:
    """Return every column of the positions of the asset's devices, in order."""
    devices = Device.objects.filter(assignments__asset=asset)
    rows = Position.objects.filter(device__in=devices).order_by(
        "device_id", "measured_at", "message"
    )
    return list(rows.values_list(*(field.attname for field in Position._meta.concrete_fields)))


def latest_of(asset: Asset) -> dict[str, Any]:
    """Return the latest state, without what folds remember, which they may do in their own way."""
    state = AssetState.objects.filter(asset=asset).values().get()
    return {name: value for name, value in state.items() if name != "judged"}


def forget_memory(**options: Any) -> None:
    """Begin with an empty memory, as after a start; `options` are those of `RoadMemory`."""
    replace_memory_of_process(RoadMemory(**options))
