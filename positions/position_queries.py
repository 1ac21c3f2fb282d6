"""Queries for people: positions newest first, latest states, and re-judgings.

The caller has checked that the user may see the devices and assets.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson
from django.db import connection
from django.db.models import (
    OuterRef,
    QuerySet,
    Subquery,
)
from msgspec import Struct

from assets.models import Asset, Assignment
from core.fact_order import LAST, FactKey, key_parameters, order_sql
from core.observation import Method, TimeSource, instant, microseconds
from core.observation import Value as ReadingValue
from core.statements import records_of
from positions.live_columns import MOTIONS
from positions.models import AssetState, Rejudging

_BEGINNING, _END = "-infinity", "infinity"


class Period(Struct, frozen=True):
    """From `since` until before `until`; None is unlimited."""

    since: datetime | None = None
    until: datetime | None = None


class PositionRow(Struct, frozen=True):
    """A position with its device's identifier and the asset that the device was on then."""

    device_id: int
    identifier: str
    message: int
    reported_at: datetime | None
    asset_id: int | None
    measured_at: datetime
    received_at: datetime
    time_source: TimeSource
    lon_deg: float | None
    lat_deg: float | None
    altitude_m: float | None
    accuracy_m: float | None
    speed_mps: float | None
    course_deg: float | None
    method: Method | None
    readings: dict[str, ReadingValue]
    scans: dict[str, Any] | None
    is_clock_suspect: bool

    @property
    def key(self) -> FactKey:
        reported_us = microseconds(self.reported_at or self.received_at)
        return FactKey(microseconds(self.measured_at), reported_us, self.device_id, self.message)


class DeviceSpans:
    """Periods of the histories of devices, as columns for statements."""

    def __init__(self, spans: Iterable[tuple[int, datetime | None, datetime | None]]) -> None:
        rows = list(spans)
        self.parameters: list[list[Any]] = [
            [device_id for device_id, _, _ in rows],
            [_BEGINNING if since is None else since.isoformat() for _, since, _ in rows],
            [_END if until is None else until.isoformat() for _, _, until in rows],
        ]

    def page(self, *, before: FactKey | None, limit: int) -> list[PositionRow]:
        """Return the newest positions, or the newest older than `before`; newest first."""
        place = [column[0] for column in key_parameters([before or LAST])]
        with connection.cursor() as cursor:
            cursor.execute(_PAGE, [*self.parameters, place[0], *place, limit, limit])
            return records_of(PositionRow, cursor, readings=orjson.loads, scans=_scans)


def spans_of_devices(device_ids: Iterable[int], period: Period) -> DeviceSpans:
    return DeviceSpans((device_id, period.since, period.until) for device_id in device_ids)


def spans_of_asset(asset_id: int, period: Period, *, device_id: int | None = None) -> DeviceSpans:
    """Return the period of each device on the asset: together they are the asset's history."""
    assignments = Assignment.objects.filter(asset_id=asset_id)
    if device_id is not None:
        assignments = assignments.filter(device_id=device_id)
    return DeviceSpans(
        (
            assignment.device_id,
            _later(assignment.during.lower, period),
            _earlier(assignment.during.upper, period),
        )
        for assignment in assignments
    )


def _later(since: datetime | None, period: Period) -> datetime | None:
    return max(filter(None, (since, period.since)), default=None)


def _earlier(until: datetime | None, period: Period) -> datetime | None:
    return min(filter(None, (until, period.until)), default=None)


def _scans(text: str | None) -> dict[str, Any] | None:
    return None if text is None else orjson.loads(text)


# Each device gives its newest positions by its own index; only these are sorted.
_PAGE = f"""
    SELECT p.device_id, d.identifier, a.asset_id, p.measured_at, p.message, p.reported_at,
        p.received_at, p.time_source,
        ST_X(p.point) AS lon_deg, ST_Y(p.point) AS lat_deg, p.altitude_m, p.accuracy_m,
        p.speed_mps, p.course_deg, p.method, p.readings::text AS readings,
        p.scans::text AS scans, p.is_clock_suspect
    FROM (
        SELECT newest.* FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[])
            AS s(device_id, since, until)
        CROSS JOIN LATERAL (
            SELECT * FROM positions_position p
            WHERE p.device_id = s.device_id
                AND p.measured_at >= s.since AND p.measured_at < s.until
                AND p.measured_at <= %s AND {order_sql("p")} < (%s, %s, %s, %s)
            ORDER BY {order_sql("p")} DESC LIMIT %s
        ) newest
        ORDER BY {order_sql("newest")} DESC LIMIT %s
    ) p
    JOIN assets_device d ON d.id = p.device_id
    LEFT JOIN assets_assignment a ON a.device_id = p.device_id AND a.during @> p.measured_at
    ORDER BY {order_sql("p")} DESC"""


class LatestRow(Struct, frozen=True, kw_only=True):
    """The latest state of an asset. `fix_at` is None if it never had a fix.

    `motion` is one of `MOTIONS`, or None with no `motion_since` if it is unknown.
    """

    measured_at: datetime | None = None
    received_at: datetime | None = None
    fix_at: datetime | None = None
    fix: dict[str, Any] = {}
    motion: str | None = None
    motion_since: datetime | None = None
    estimated_speed_mps: float | None = None
    readings: dict[str, ReadingValue] = {}
    readings_at: dict[str, datetime] = {}


FIX_NAMES = (
    "lon_deg", "lat_deg", "altitude_m", "accuracy_m", "speed_mps", "course_deg", "method",
)  # fmt: skip


def latest_of(asset_ids: Iterable[int]) -> dict[int, LatestRow]:
    """Return the latest state of each of these assets that has ever reported."""
    states = AssetState.objects.filter(asset_id__in=list(asset_ids)).defer("judged")
    return {state.asset_id: _latest_row(state) for state in states}


def _latest_row(state: AssetState) -> LatestRow:
    return LatestRow(
        measured_at=state.measured_at,
        received_at=state.received_at,
        fix_at=state.fix_at,
        fix={name: getattr(state, name) for name in FIX_NAMES},
        motion=state.motion if state.motion in MOTIONS else None,
        motion_since=state.motion_since,
        estimated_speed_mps=state.estimated_speed_mps,
        readings={name: value for name, (value, *_) in state.readings.items()},
        readings_at={name: instant(at_us) for name, (_, at_us, _) in state.readings.items()},
    )


def assets_due(now: datetime, *, limit: int, leave_out: Iterable[int] = ()) -> list[int]:
    """Return assets with a fold that must be called by now, the longest overdue first."""
    due = AssetState.objects.filter(asks_at__lte=now).order_by("asks_at")
    due = due.exclude(pk__in=leave_out)
    return list(due.values_list("asset_id", flat=True)[:limit])


def rejudgings_of(user: Any) -> QuerySet[Rejudging]:
    """Return the re-judgings that `user` may see, with the names to be shown."""
    rows: QuerySet[Rejudging] = Rejudging.objects.visible_to(user)
    current = Asset.objects.filter(pk=OuterRef("current_asset_id"))
    return rows.select_related("asked_by").annotate(
        current_asset_name=Subquery(current.values("name")[:1]),
        current_measured_at=Subquery(current.values("state__measured_at")[:1]),
    )
