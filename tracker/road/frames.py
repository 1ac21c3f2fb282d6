"""What goes out to the live hubs after the commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from alerts.changes import Raised
from core.broadcast import Alerted, Crossed, Frame, Moved
from core.observation import microseconds
from geofence.changes import CrossingChange
from geofence.rows import crossing_rows
from positions.store import StateRow


def frames_of(
    moved: Iterable[StateRow], changes: Sequence[CrossingChange], alerts: Iterable[Raised]
) -> list[Frame]:
    """Return the frames of a batch: positions first, then what followed from them."""
    told = [change for change in changes if change.kind not in ("found", "lost")]
    crossed = [
        Crossed(organisation_id=change.organisation_id, crossing=row)
        for change, row in zip(told, crossing_rows(told), strict=True)
    ]
    raised = [
        Alerted(organisation_id=alert.organisation_id, number=alert.number) for alert in alerts
    ]
    return [*_moved(moved), *crossed, *raised]


def _moved(states: Iterable[StateRow]) -> list[Frame]:
    by_organisation: dict[int, list[StateRow]] = defaultdict(list)
    for state in states:
        by_organisation[state.organisation_id].append(state)
    return [_columns(organisation_id, rows) for organisation_id, rows in by_organisation.items()]


def _columns(organisation_id: int, rows: Sequence[StateRow]) -> Moved:
    return Moved(
        organisation_id=organisation_id,
        id=[row.asset_id for row in rows],
        lon_e7=[_scaled(row.lon_deg, 1e7) for row in rows],
        lat_e7=[_scaled(row.lat_deg, 1e7) for row in rows],
        fix_at=[_ms(row.fix_at) for row in rows],
        measured_at=[_ms(row.measured_at) or 0 for row in rows],
        received_at=[_ms(row.received_at) or 0 for row in rows],
        speed_mms=[_scaled(row.speed_mps, 1e3) for row in rows],
        course_cdeg=[_scaled(row.course_deg, 1e2) for row in rows],
        accuracy_dm=[_scaled(row.accuracy_m, 1e1) for row in rows],
        method=[row.method for row in rows],
        battery=[_battery(row) for row in rows],
    )


def _scaled(value: float | None, factor: float) -> int | None:
    return None if value is None else round(value * factor)


def _ms(at: datetime | None) -> int | None:
    return None if at is None else microseconds(at) // 1000


def _battery(row: StateRow) -> int | None:
    level = row.readings.get("battery.level", (None,))[0]
    is_number = isinstance(level, (int, float)) and not isinstance(level, bool)
    return round(min(max(level, 0), 100)) if is_number else None
