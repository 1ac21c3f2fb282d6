"""Frames of a batch for the live hubs, published after the commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from alerts.changed_alerts import ChangedAlert
from core.broadcast import Alerted, Crossed, Frame, Moved
from geofence.crossing_changes import CrossingChange
from geofence.crossing_rows import crossing_rows
from positions.live_columns import LIVE_COLUMNS
from positions.store import StateRow


def frames_of(
    moved: Iterable[StateRow], changes: Sequence[CrossingChange], alerts: Iterable[ChangedAlert]
) -> list[Frame]:
    """Return the frames of a batch: latest states first, then crossings, then alerts."""
    crossings = [change for change in changes if change.kind not in ("found", "lost")]
    crossed = [
        Crossed(organisation_id=change.organisation_id, crossing=row)
        for change, row in zip(crossings, crossing_rows(crossings), strict=True)
    ]
    raised = [
        Alerted(organisation_id=alert.organisation_id, number=alert.number) for alert in alerts
    ]
    return [*_moved(moved), *crossed, *raised]


def _moved(states: Iterable[StateRow]) -> list[Frame]:
    by_organisation: dict[int, list[StateRow]] = defaultdict(list)
    for state in states:
        by_organisation[state.organisation_id].append(state)
    return [
        Moved(
            organisation_id=organisation_id,
            id=[row.asset_id for row in rows],
            columns={column.name: column.of_states(rows) for column in LIVE_COLUMNS},
        )
        for organisation_id, rows in by_organisation.items()
    ]
