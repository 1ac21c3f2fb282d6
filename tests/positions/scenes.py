"""Helpers for the tests of positions: observations sent down the road, and answers read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import Organisation
from assets.models import Asset, Device
from core.observation import Fix, Observation
from tests.builders import DEPOT_LONLAT_DEG
from tests.road.scenes import deliver, seen


def drive(organisation: Organisation, asset: Asset, *times: datetime, **fix: Any) -> None:
    """Let the asset be seen at the depot at each of these times."""
    deliver(organisation, [seen(asset, at, DEPOT_LONLAT_DEG, **fix) for at in times])


def report(organisation: Organisation, device: Device, *times: datetime) -> None:
    """Let a device report from the depot, whatever asset it is on."""
    lon_deg, lat_deg = DEPOT_LONLAT_DEG
    deliver(
        organisation,
        [
            Observation(
                device=device.identifier,
                measured_at=at,
                fix=Fix(lon_deg=lon_deg, lat_deg=lat_deg),
            )
            for at in times
        ],
    )


def hours(answer: Any) -> list[str]:
    """Return the hour and minute of each position of an answer."""
    return [row["measured_at"][11:16] for row in answer.json()["results"]]


def all_pages(client: Any, link: str | None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while link:
        page = client.get(link).json()
        rows += page["results"]
        link = page["next"]
    return rows


def without_request_id(answer: Any) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert body.pop("instance").startswith("urn:request:")
    return body
