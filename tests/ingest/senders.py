"""Uplinks as sources send them, by way of the wire format and the road, without a socket."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db.models import QuerySet

from accounts.models import Organisation
from assets.device_registry import Origin
from assets.models import Source
from positions.models import Position
from tests.builders import DEPOT_LONLAT_DEG, MORNING
from tracker.intake.synchronous_intake import receive_synchronously
from tracker.road.delivery import Receipt
from uplinks.models import SetAside
from uplinks.uplink_queries import books_of
from wire.registry import FORMATS
from wire.uplink import Uplink


def observation(device: str, at: datetime, **members: Any) -> dict[str, Any]:
    """Return an observation in our own JSON, at the depot."""
    lon, lat = DEPOT_LONLAT_DEG
    place = {"lat": lat, "lon": lon}
    return {"device": device, "measured_at": at.isoformat(), **place, **members}


def owntracks(device: str, at: datetime, **members: Any) -> bytes:
    lon, lat = DEPOT_LONLAT_DEG
    place = {"_type": "location", "lat": lat, "lon": lon, "tst": int(at.timestamp())}
    return orjson.dumps({**place, "topic": f"owntracks/fleet/{device}", **members})


def arrive(
    source: Source,
    body: bytes,
    *,
    received_at: datetime = MORNING + timedelta(days=1),
    query: str = "",
    content_type: str = "application/json",
) -> Receipt:
    """Let an uplink arrive from a source, as the hot door takes it."""
    uplink = Uplink(received_at=received_at, body=body, query=query, content_type=content_type)
    origin = Origin(
        organisation_id=source.organisation_id,
        source_id=source.pk,
        device_id=source.device_id,
        registers_devices=source.unknown_devices == Source.UnknownDevices.REGISTER,
    )
    return receive_synchronously(uplink, origin, FORMATS[source.wire_format])


def books(source: Source) -> dict[str, int]:
    """Return what the books of a source hold, without the zeros."""
    counts = books_of(source).counts
    names = ("received", "stored", "duplicate", "set_aside", "refused")
    return {name: getattr(counts, name) for name in names if getattr(counts, name)}


def waiting(organisation: Organisation) -> QuerySet[SetAside]:
    rows: QuerySet[SetAside] = SetAside.objects.filter(organisation=organisation, replayed_at=None)
    return rows.order_by("pk")


def stored(organisation: Organisation) -> list[Position]:
    rows = Position.objects.filter(device__organisation=organisation)
    return list(rows.order_by("measured_at", "device_id"))


def in_base64(body: bytes) -> str:
    return base64.b64encode(body).decode()
